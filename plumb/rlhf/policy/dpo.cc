#include "plumb/rlhf/policy/dpo.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "plumb/base/hash.h"
#include "plumb/base/json.h"

namespace plumb::rlhf {
namespace {

std::size_t shared(std::span<const TokenId> a, std::span<const TokenId> b) {
  const auto [end, other] = std::ranges::mismatch(a, b);
  return static_cast<std::size_t>(end - a.begin());
}

bool is_empty(const Comparison& one) {
  return std::ranges::any_of(one.completions,
                             [](const Conversation& c) { return last_text(c).empty(); });
}

// Nothing where the pair teaches nothing, which is counted.
Result<std::optional<PreferencePair>> encode_pair(const Comparison& one,
                                                  const lm::LanguageModel& model,
                                                  PairCounts& left_out) {
  const auto share = share_of_first(one);
  if (!share || *share == 0.5) {
    ++left_out.undecided;
    return std::optional<PreferencePair>();
  }
  if (is_empty(one)) {
    ++left_out.empty;
    return std::optional<PreferencePair>();
  }
  const ComparisonTexts texts = comparison_texts(one);
  const std::size_t first = *share > 0.5 ? 0 : 1;
  std::vector<TokenId> prompt;
  if (model.frame.begin || !texts.prompt.empty()) {
    PLUMB_TRY(ids, model.encode(texts.prompt));
    prompt = std::move(ids);
  }
  PLUMB_TRY(chosen, model.encode(texts.prompt + texts.completions[first]));
  PLUMB_TRY(rejected, model.encode(texts.prompt + texts.completions[1 - first]));
  if (chosen == rejected) {
    ++left_out.equal;
    return std::optional<PreferencePair>();
  }
  const std::size_t begin =
      std::max<std::size_t>(std::min(shared(prompt, chosen), shared(prompt, rejected)), 1);
  for (auto* ids : {&chosen, &rejected}) {
    if (model.frame.end) ids->push_back(*model.frame.end);
  }
  const std::size_t longest = std::max(chosen.size(), rejected.size());
  if (longest > model.transformer.config().context + 1) {
    ++left_out.too_long;
    return std::optional<PreferencePair>();
  }
  if (std::min(chosen.size(), rejected.size()) <= begin) {
    ++left_out.empty;
    return std::optional<PreferencePair>();
  }
  return std::optional(PreferencePair{{std::move(chosen), begin}, {std::move(rejected), begin}});
}

std::string hash_of(std::span<const PreferencePair> pairs) {
  Json all = Json::array();
  for (const PreferencePair& pair : pairs) {
    all.push_back({pair.chosen.prompt, pair.chosen.tokens, pair.rejected.tokens});
  }
  return sha256(to_text(all));
}

// Chosen and rejected of pair i stand at 2 i and 2 i + 1.
SequenceBatch batch_of(std::span<const PreferencePair* const> pairs, std::size_t max_tokens) {
  std::vector<Sequence> sequences;
  for (const PreferencePair* pair : pairs) {
    sequences.push_back(pair->chosen);
    sequences.push_back(pair->rejected);
  }
  return {std::move(sequences), 1, max_tokens};
}

double row_sum(const SequenceBatch& batch, const std::vector<double>& values, std::size_t i) {
  const auto row = batch.row(std::span(values), i);
  return std::accumulate(row.begin(), row.end(), 0.0);
}

DpoPair pair_of(const SequenceBatch& batch, const TokenScores& scores, std::size_t i) {
  return {.chosen = row_sum(batch, scores.log_probs, 2 * i),
          .rejected = row_sum(batch, scores.log_probs, 2 * i + 1),
          .reference_chosen = row_sum(batch, scores.reference, 2 * i),
          .reference_rejected = row_sum(batch, scores.reference, 2 * i + 1),
          .chosen_tokens = batch.sequences()[2 * i].completion(),
          .rejected_tokens = batch.sequences()[2 * i + 1].completion()};
}

}  // namespace

Result<PreferencePairs> encode_pairs(const PreferenceData& data, const lm::LanguageModel& model) {
  PreferencePairs encoded;
  for (const Comparison& one : data.comparisons) {
    auto pair = encode_pair(one, model, encoded.left_out);
    if (!pair) {
      return fail(pair.error().kind, fmt::format("{}: {}", one.where, pair.error().message));
    }
    if (*pair) encoded.pairs.push_back(std::move(**pair));
  }
  if (encoded.pairs.empty()) {
    const PairCounts& out = encoded.left_out;
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no pair to learn from: {} undecided, {} equal, {} with an empty "
                            "completion, {} beyond the model's context",
                            data.file, out.undecided, out.equal, out.empty, out.too_long));
  }
  encoded.hash = hash_of(encoded.pairs);
  return encoded;
}

Update dpo_update(std::span<const PreferencePair* const> pairs, float rate,
                  const DpoOptions& options, Learner& learner) {
  const SequenceBatch batch = batch_of(pairs, learner.scorer().max_tokens());
  const TokenScores scores = learner.scorer().against_reference(batch);
  const double each = 1 / static_cast<double>(pairs.size());

  Update update;
  std::vector<double> gradient(batch.cells());
  double accuracy = 0, margin = 0, chosen_ratio = 0, rejected_ratio = 0;
  double chosen_kl = 0, rejected_kl = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const DpoPair pair = pair_of(batch, scores, i);
    const DpoLoss loss = dpo_loss(pair, options);
    std::ranges::fill(batch.row(std::span(gradient), 2 * i), each * loss.chosen);
    std::ranges::fill(batch.row(std::span(gradient), 2 * i + 1), each * loss.rejected);
    const double difference = loss.chosen_reward - loss.rejected_reward;
    update.loss += each * loss.value;
    accuracy += each * (difference > 0 ? 1 : difference < 0 ? 0 : 0.5);
    margin += each * difference;
    chosen_ratio += each * (pair.chosen - pair.reference_chosen);
    rejected_ratio += each * (pair.rejected - pair.reference_rejected);
    chosen_kl += each * row_sum(batch, scores.kl, 2 * i);
    rejected_kl += each * row_sum(batch, scores.kl, 2 * i + 1);
  }
  update.more = {{"accuracy", accuracy},
                 {"margin", margin},
                 {"chosen_log_ratio", chosen_ratio},
                 {"rejected_log_ratio", rejected_ratio},
                 {"chosen_kl", chosen_kl},
                 {"rejected_kl", rejected_kl}};
  update.gradient_norm = learner.step(batch, 0, gradient, rate);
  return update;
}

}  // namespace plumb::rlhf
