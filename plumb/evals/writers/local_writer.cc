#include "plumb/evals/writers/local_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include "plumb/base/hash.h"
#include "plumb/base/parallel.h"
#include "plumb/nn/generator.h"
#include "plumb/nn/inference.h"
#include "plumb/nn/pass.h"
#include "plumb/nn/trainer.h"

namespace plumb::evals {
namespace {

// Tokens to read, of which the last `predicted` are also predicted, and the one after the last.
struct Sequence {
  std::vector<TokenId> tokens;  // the last one is predicted, never read
  std::size_t predicted = 0;
  bool cut = false;
};

// log p of a target, and whether it is the likeliest token.
std::pair<double, bool> read_logits(std::span<const float> logits, TokenId target) {
  const float best = *std::ranges::max_element(logits);
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit) - best);
  const float own = logits[static_cast<std::size_t>(target)];
  const auto first = std::ranges::max_element(logits) - logits.begin();
  return {static_cast<double>(own) - best - std::log(total), first == target};
}

// Some sequences at a time through one pass.
class Scorer {
 public:
  Scorer(const nn::InferenceWeights& weights, std::size_t max_tokens)
      : pass_(weights, max_tokens), vocabulary_(weights.model().config().vocabulary) {}

  void score(std::span<const Sequence> sequences, std::span<ContinuationScore> scores) {
    std::vector<std::int32_t> tokens;
    std::vector<std::uint32_t> starts = {0};
    std::vector<std::size_t> rows;
    for (const Sequence& one : sequences) {
      tokens.insert(tokens.end(), one.tokens.begin(), one.tokens.end() - 1);
      starts.push_back(static_cast<std::uint32_t>(tokens.size()));
      for (std::size_t i = one.predicted; i > 0; --i) rows.push_back(tokens.size() - i);
    }
    if (tokens.empty()) return;
    pass_.forward({tokens, starts});
    logits_.resize(rows.size() * vocabulary_);
    pass_.logits(rows, logits_);
    std::size_t row = 0;
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      row += add(sequences[s], std::span(logits_).subspan(row * vocabulary_), scores[s]);
    }
  }

 private:
  std::size_t add(const Sequence& sequence, std::span<const float> logits,
                  ContinuationScore& score) const {
    score = {.greedy = true, .tokens = sequence.predicted, .cut = sequence.cut};
    const std::size_t first = sequence.tokens.size() - sequence.predicted;
    for (std::size_t i = 0; i < sequence.predicted; ++i) {
      const auto [log_p, likeliest] =
          read_logits(logits.subspan(i * vocabulary_, vocabulary_), sequence.tokens[first + i]);
      score.log_likelihood += log_p;
      score.greedy = score.greedy && likeliest;
    }
    return sequence.predicted;
  }

  nn::Pass pass_;
  std::size_t vocabulary_;
  std::vector<float> logits_;
};

class LocalWriter : public Writer {
 public:
  LocalWriter(const lm::LanguageModel& model, int threads)
      : model_(model), generator_(model.transformer), threads_(threads) {}

  const std::string& name() const override { return model_.name; }
  Json provenance() const override;

  Result<std::vector<ContinuationScore>> score(std::span<const ContinuationTexts> requests,
                                               const Progress& progress) override;
  Result<std::vector<Written>> complete(std::span<const std::string> prompts,
                                        const CompleteOptions& options,
                                        const Progress& progress) override;

 private:
  std::size_t context() const { return model_.transformer.config().context; }
  Result<std::vector<TokenId>> encode(std::string_view text) const;
  std::optional<TokenId> first_token(bool has_context) const;
  Result<Sequence> sequence_of(const ContinuationTexts& request) const;
  Result<std::vector<TokenId>> prompt_of(const std::string& text, std::size_t room) const;

  const lm::LanguageModel& model_;
  nn::Generator generator_;
  int threads_;
};

// Over all that its tokens stand for, which decides what a text is for the model.
std::string hash_of(const Tokenizer& tokenizer) {
  Sha256 hash;
  for (std::size_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const std::vector<TokenId> ids = {static_cast<TokenId>(id)};
    const auto text = tokenizer.decode(ids, {.continues = true});
    const std::string said = text ? *text : std::string();
    hash.add(fmt::format("{}:{}", said.size(), said));
  }
  return hash.hex();
}

Json LocalWriter::provenance() const {
  Json json = lm::provenance(model_);
  json["tokens_sha256"] = hash_of(model_.tokenizer);
  return json;
}

Result<std::vector<TokenId>> LocalWriter::encode(std::string_view text) const {
  PLUMB_TRY(encoding,
            model_.tokenizer.encode(
                text, {.add_special = false, .special_in_text = false, .max_tokens = kNoLimit}));
  return std::move(encoding.ids);
}

std::optional<TokenId> LocalWriter::first_token(bool has_context) const {
  const lm::TextFrame& frame = model_.frame;
  return has_context && frame.begin == frame.end ? std::nullopt : frame.begin;
}

Result<Sequence> LocalWriter::sequence_of(const ContinuationTexts& request) const {
  const ContinuationTexts texts = move_blanks(request.context, request.continuation);
  PLUMB_TRY(context_ids, encode(texts.context));
  PLUMB_TRY(whole, encode(texts.context + texts.continuation));
  Sequence sequence;
  sequence.predicted = whole.size() - std::min(whole.size(), context_ids.size());
  if (const auto first = first_token(!texts.context.empty())) sequence.tokens.push_back(*first);
  sequence.tokens.insert(sequence.tokens.end(), whole.begin(), whole.end());
  const std::size_t most = context() + 1;
  if (sequence.tokens.size() > most) {
    sequence.tokens.erase(
        sequence.tokens.begin(),
        sequence.tokens.begin() + static_cast<std::ptrdiff_t>(sequence.tokens.size() - most));
    sequence.cut = true;
  }
  if (sequence.tokens.size() < 2) {
    return fail(ErrorKind::kBadInput,
                fmt::format("\"{}\": nothing stands before it from which it could be predicted",
                            request.continuation));
  }
  sequence.predicted = std::min(sequence.predicted, sequence.tokens.size() - 1);
  return sequence;
}

Result<std::vector<ContinuationScore>> LocalWriter::score(
    std::span<const ContinuationTexts> requests, const Progress& progress) {
  std::vector<Sequence> sequences;
  std::vector<std::size_t> lengths;
  for (const ContinuationTexts& request : requests) {
    PLUMB_TRY(sequence, sequence_of(request));
    lengths.push_back(sequence.tokens.size() - 1);
    sequences.push_back(std::move(sequence));
  }
  PLUMB_TRY(weights, nn::InferenceWeights::make(model_.transformer, nn::Precision::kF32));
  const std::size_t max_tokens = nn::default_batch_tokens(model_.transformer.config());
  const auto batches = nn::cut_batches(lengths, max_tokens);
  std::vector<ContinuationScore> scores(requests.size());
  std::mutex mutex;
  std::size_t done = 0;
  const auto threads = static_cast<std::size_t>(threads_ > 0 ? threads_ : default_threads());
  const std::size_t grain = std::max<std::size_t>((batches.size() + threads - 1) / threads, 1);
  parallel_for(batches.size(), grain, threads_, [&](std::size_t begin, std::size_t end) {
    Scorer scorer(weights, max_tokens);
    for (std::size_t b = begin; b < end; ++b) {
      scorer.score(std::span(sequences).subspan(batches[b].first, batches[b].count),
                   std::span(scores).subspan(batches[b].first, batches[b].count));
      if (!progress) continue;
      const std::scoped_lock lock(mutex);
      progress(++done, batches.size());
    }
  });
  return scores;
}

Result<std::vector<TokenId>> LocalWriter::prompt_of(const std::string& text,
                                                    std::size_t room) const {
  PLUMB_TRY(ids, encode(text));
  if (const auto first = first_token(!text.empty())) ids.insert(ids.begin(), *first);
  if (ids.empty()) {
    return fail(ErrorKind::kBadInput, "an empty prompt, and the model has no begin token");
  }
  if (ids.size() > room) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(room));
  return ids;
}

Result<std::vector<Written>> LocalWriter::complete(std::span<const std::string> prompts,
                                                   const CompleteOptions& options,
                                                   const Progress& progress) {
  const std::size_t tokens = std::min(options.max_tokens, context() - 1);
  std::vector<std::vector<std::int32_t>> encoded;
  for (const std::string& prompt : prompts) {
    PLUMB_TRY(ids, prompt_of(prompt, context() - tokens));
    encoded.push_back(std::move(ids));
  }
  nn::SampleOptions sample{.max_tokens = tokens,
                           .temperature = static_cast<float>(options.temperature),
                           .stop_tokens = model_.stop_tokens(),
                           .seed = options.seed,
                           .first_index = options.first_index,
                           .threads = threads_,
                           .progress = progress};
  const auto completions = generator_.generate(encoded, sample);
  std::vector<Written> written;
  for (const nn::Completion& completion : completions) {
    std::vector<TokenId> ids = completion.tokens;
    const bool by_token = completion.ending == nn::Ending::kStopToken;
    if (by_token) ids.pop_back();
    PLUMB_TRY(text, model_.tokenizer.decode(ids, {.continues = true}));
    bool stopped = false;
    std::string kept = before_stops(text, options.stops, stopped);
    written.push_back({std::move(kept), by_token || stopped});
  }
  return written;
}

}  // namespace

std::unique_ptr<Writer> make_local_writer(const lm::LanguageModel& model, int threads) {
  return std::make_unique<LocalWriter>(model, threads);
}

}  // namespace plumb::evals
