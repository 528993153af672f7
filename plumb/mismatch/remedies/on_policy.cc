#include "plumb/mismatch/remedies/on_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "plumb/base/random.h"
#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/rlhf/policy/sequences.h"
#include "plumb/rlhf/policy/text_mix.h"
#include "plumb/rlhf/preferences/preference_split.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {
namespace {

using TextKey = std::pair<std::string, std::string>;

// Of each completion of the comparisons, log pi - log ref summed over its tokens.
Result<std::map<TextKey, double>> log_ratios(RemedyStudy& study, const lm::LanguageModel& policy) {
  std::vector<rlhf::Sequence> sequences;
  std::vector<TextKey> keys;
  for (const rlhf::Sample& sample : study.comparisons()) {
    PLUMB_TRY(one, rlhf::sequences_of({&sample, 1}, study.base()));
    if (one.empty()) continue;
    sequences.push_back(std::move(one[0]));
    keys.emplace_back(sample.prompt, sample.completion);
  }
  std::map<TextKey, double> ratios;
  if (sequences.empty()) return ratios;
  rlhf::Scorer scorer(policy.transformer, study.base().transformer, study.options().threads);
  const rlhf::SequenceBatch batch(std::move(sequences), 1, scorer.max_tokens());
  const rlhf::TokenScores scores = scorer.against_reference(batch);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto own = batch.row(std::span(scores.log_probs), i);
    const auto other = batch.row(std::span(scores.reference), i);
    ratios[keys[i]] = std::accumulate(own.begin(), own.end(), 0.0) -
                      std::accumulate(other.begin(), other.end(), 0.0);
  }
  return ratios;
}

std::vector<double> weights_of(const rlhf::PreferenceData& data,
                               const std::map<TextKey, double>& ratios) {
  std::vector<double> weights;
  for (const rlhf::Comparison& one : data.comparisons) {
    const rlhf::ComparisonTexts texts = rlhf::comparison_texts(one);
    const auto ratio = [&](std::size_t side) -> std::optional<double> {
      const auto found = ratios.find({texts.prompt, texts.completions[side]});
      return found == ratios.end() ? std::nullopt : std::optional(found->second);
    };
    weights.push_back(comparison_weight(ratio(0), ratio(1)));
  }
  return weights;
}

}  // namespace

double comparison_weight(std::optional<double> first, std::optional<double> second) {
  if (!first || !second) return 1;
  const double most = std::log(10.0);
  return std::exp(std::clamp((*first + *second) / 2, -most, most));
}

double effective_size(std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  return sum * sum / std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0);
}

std::vector<std::size_t> resampled_places(std::span<const double> weights, std::uint64_t seed) {
  const double each =
      std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
  Stream stream(seed, "on-policy", 0);
  const double offset = stream.uniform();
  std::vector<std::size_t> places;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i] / each;
    while (static_cast<double>(places.size()) + offset < sum && places.size() < weights.size()) {
      places.push_back(i);
    }
  }
  while (places.size() < weights.size()) places.push_back(weights.size() - 1);  // rounding
  return places;
}

Result<RemedyPath> on_policy_reweighting(RemedyStudy& study) {
  const RemedyOptions& o = study.options();
  PLUMB_TRY(proxy, rlhf::open_reward(study.proxy().model.string()));
  PLUMB_TRY(first, study.optimise("on-policy-first", *proxy, study.proxy().tokens,
                                  {.steps = std::max<std::size_t>(o.steps / 2, 1)}));
  PLUMB_TRY(policy, lm::load_language_model({study.policy_of("on-policy-first") / "model",
                                             lm::tokenizer_path(o.base)}));
  PLUMB_TRY(ratios, log_ratios(study, policy));
  const std::vector<double> weights = weights_of(study.preferences(), ratios);
  const auto data = rlhf::subset_of(study.preferences(), resampled_places(weights, o.seed));
  PLUMB_TRY(trained, study.train_reward("on-policy", data));
  PLUMB_TRY(reward, rlhf::open_reward(trained.model.string()));
  PLUMB_TRY(path,
            study.optimise("on-policy", *reward, first.points.back().tokens + trained.tokens, {}));
  path.scored += first.scored;
  path.note = fmt::format("{} comparisons weigh as much as {:.0f} equal ones", weights.size(),
                          effective_size(weights));
  return std::move(path);
}

}  // namespace plumb::mismatch
