#include "plumb/mismatch/perturbations/run_perturbations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "plumb/base/random.h"
#include "plumb/mismatch/links/inputs/fields.h"
#include "plumb/text/records.h"
#include "plumb/text/trimmed.h"

namespace plumb::mismatch {
namespace {

using rlhf::Comparison;

// The better side first.
struct OrderedPair {
  const Comparison* comparison;
  std::array<std::size_t, 2> sides;
  std::uint32_t prompt;
};

std::vector<OrderedPair> ordered_pairs(const rlhf::PreferenceData& data) {
  std::vector<OrderedPair> pairs;
  for (const Comparison& one : data.comparisons) {
    const auto first = rlhf::share_of_first(one);
    if (!first || *first == 0.5 || one.completions[0] == one.completions[1]) continue;
    const std::size_t better = *first > 0.5 ? 0 : 1;
    pairs.push_back({&one, {better, 1 - better}, 0});
  }
  return pairs;
}

void keep_some(std::vector<OrderedPair>& pairs, const RunPerturbationsOptions& options) {
  if (options.pairs == 0 || pairs.size() <= options.pairs) return;
  std::vector<std::size_t> places(pairs.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  Stream stream(options.seed, "reward perturbation", 0);
  shuffle(std::span(places), stream);
  places.resize(options.pairs);
  std::ranges::sort(places);
  std::vector<OrderedPair> kept;
  for (const std::size_t place : places) kept.push_back(pairs[place]);
  pairs = std::move(kept);
}

std::vector<std::string> number_prompts(std::vector<OrderedPair>& pairs) {
  std::vector<std::string> prompts;
  std::unordered_map<std::string, std::uint32_t> numbers;
  for (OrderedPair& pair : pairs) {
    const std::string prompt = rlhf::plain_text(pair.comparison->prompt);
    const auto next = static_cast<std::uint32_t>(numbers.size());
    const auto [place, is_new] = numbers.emplace(prompt, next);
    if (is_new) prompts.push_back(prompt);
    pair.prompt = place->second;
  }
  return prompts;
}

// Scores of texts that the vector owns, in its order.
Result<std::vector<double>> scores_of(rlhf::Reward& reward,
                                      const std::vector<rlhf::ComparisonTexts>& texts,
                                      int threads) {
  std::vector<rlhf::Completed> completed;
  for (const rlhf::ComparisonTexts& one : texts) {
    for (const std::string& side : one.completions) completed.push_back({one.prompt, side, true});
  }
  return reward.score(completed, threads);
}

rlhf::ComparisonTexts texts_of(const OrderedPair& pair) {
  rlhf::ComparisonTexts texts = rlhf::comparison_texts(*pair.comparison);
  if (pair.sides[0] == 1) std::swap(texts.completions[0], texts.completions[1]);
  return texts;
}

// The texts of a pair with the last turns changed; which were.
struct ChangedPair {
  rlhf::ComparisonTexts texts;
  std::array<bool, 2> changed = {};
};

ChangedPair changed_pair(const OrderedPair& pair, const Perturbation& perturbation) {
  Comparison changed = *pair.comparison;
  ChangedPair result;
  for (std::size_t side = 0; side < 2; ++side) {
    std::string& text = changed.completions[pair.sides[side]].back().content;
    auto other = perturbation.change(text);
    result.changed[side] = other.has_value();
    if (other) text = std::move(*other);
  }
  result.texts = texts_of({&changed, pair.sides, pair.prompt});
  return result;
}

Result<PerturbedPairs> run_perturbation(rlhf::Reward& reward, const std::vector<OrderedPair>& pairs,
                                        const std::vector<double>& scores,
                                        const Perturbation& perturbation, int threads) {
  std::vector<rlhf::ComparisonTexts> texts;
  std::vector<std::size_t> places;
  PerturbedPairs perturbed{perturbation.id,
                           std::string(perturbation_kind_name(perturbation.kind)),
                           perturbation.meaning,
                           {}};
  std::vector<std::array<bool, 2>> changed;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    perturbed.pairs.push_back({pairs[i].prompt, scores[2 * i], scores[2 * i + 1], {}, {}});
    ChangedPair pair = changed_pair(pairs[i], perturbation);
    if (!pair.changed[0] && !pair.changed[1]) continue;
    places.push_back(i);
    changed.push_back(pair.changed);
    texts.push_back(std::move(pair.texts));
  }
  if (texts.empty()) return perturbed;
  PLUMB_TRY(again, scores_of(reward, texts, threads));
  for (std::size_t i = 0; i < places.size(); ++i) {
    PerturbedPair& pair = perturbed.pairs[places[i]];
    if (changed[i][0]) pair.chosen_changed = again[2 * i];
    if (changed[i][1]) pair.rejected_changed = again[2 * i + 1];
  }
  return perturbed;
}

using Paraphrases = std::unordered_map<std::string, std::string>;

Perturbation given_perturbation(const std::string& name, std::shared_ptr<const Paraphrases> texts) {
  return {name, PerturbationKind::kParaphrase, "given",
          [texts = std::move(texts)](std::string_view text) -> std::optional<std::string> {
            const std::string_view body = trimmed(text);
            const auto found = texts->find(std::string(body));
            if (found == texts->end() || found->second == body) return std::nullopt;
            std::string changed(text);
            changed.replace(static_cast<std::size_t>(body.data() - text.data()), body.size(),
                            found->second);
            return changed;
          }};
}

}  // namespace

std::vector<PerturbedPair> PerturbedReward::unchanged() const {
  return perturbations.front().pairs;
}

Result<PerturbedReward> perturb(rlhf::Reward& reward, const rlhf::PreferenceData& data,
                                const std::vector<Perturbation>& perturbations,
                                const RunPerturbationsOptions& options) {
  std::vector<OrderedPair> pairs = ordered_pairs(data);
  keep_some(pairs, options);
  if (pairs.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no pair of different texts has a majority", data.file));
  }
  PerturbedReward perturbed;
  perturbed.prompts = number_prompts(pairs);
  perturbed.pairs = pairs.size();
  std::vector<rlhf::ComparisonTexts> texts;
  for (const OrderedPair& pair : pairs) texts.push_back(texts_of(pair));
  PLUMB_TRY(scores, scores_of(reward, texts, options.threads));
  for (const Perturbation& perturbation : perturbations) {
    PLUMB_TRY(one, run_perturbation(reward, pairs, scores, perturbation, options.threads));
    perturbed.perturbations.push_back(std::move(one));
    if (options.progress) options.progress(perturbed.perturbations.size(), perturbations.size());
  }
  return perturbed;
}

Result<std::vector<Perturbation>> read_paraphrases(const std::filesystem::path& file) {
  PLUMB_TRY(records, read_records(file.string(), {}));
  std::map<std::string, std::shared_ptr<Paraphrases>> by_name;
  for (const Record& record : records) {
    const auto before = text_in(record.fields, "completion");
    const auto after = text_in(record.fields, "paraphrase");
    if (!before || !after) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: \"{}\" is missing", record.where,
                                                    before ? "paraphrase" : "completion"));
    }
    const std::string name =
        "paraphrase:" + text_in(record.fields, "perturbation").value_or("given");
    auto& texts = by_name[name];
    if (!texts) texts = std::make_shared<Paraphrases>();
    if (!texts->emplace(trimmed(*before), trimmed(*after)).second) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: a second paraphrase of this completion; \"perturbation\" tells "
                              "several apart",
                              record.where));
    }
  }
  std::vector<Perturbation> perturbations;
  for (const auto& [name, texts] : by_name)
    perturbations.push_back(given_perturbation(name, texts));
  return perturbations;
}

}  // namespace plumb::mismatch
