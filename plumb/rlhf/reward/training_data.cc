#include "plumb/rlhf/reward/training_data.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb::rlhf {
namespace {

bool any_decided(const PreferenceData& data) {
  return std::ranges::any_of(data.comparisons,
                             [](const Comparison& one) { return share_of_first(one).has_value(); });
}

}  // namespace

Result<TrainingData> training_data(const PreferenceData& data, const TrainingDataOptions& options) {
  const PreferenceData labelled =
      options.random_labels ? with_random_labels(data, options.split_seed) : data;
  const PreferenceSplit split = split_by_prompt(labelled, options.held_out, options.split_seed);
  if (split.train.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no comparison to train on: {} of {} have a vote on two different "
                            "texts, and {} of these are held out",
                            data.file, split.held_out.size(), data.comparisons.size(),
                            split.held_out.size()));
  }
  return TrainingData{
      .train = subset_of(labelled, split.train),
      .held_out = subset_of(labelled, split.held_out),
      .unlabelled = data.comparisons.size() - split.train.size() - split.held_out.size(),
      .hashes = hashes_of(labelled)};
}

Result<std::optional<RewardEvaluation>> put_on_scale(SingleReward& reward, const TrainingData& data,
                                                     std::span<const std::array<double, 2>> scores,
                                                     const RewardEvaluationOptions& options) {
  std::vector<double> flat;
  for (const auto& pair : scores) flat.insert(flat.end(), pair.begin(), pair.end());
  const bool measured = !data.held_out.comparisons.empty();
  const PreferenceHashes hashes = hashes_of(measured ? data.held_out : data.train);
  PLUMB_TRY(normalisation, fit_normalisation(flat, hashes.completions, hashes.prompts));
  reward.card().normalisation = std::move(normalisation);
  if (!measured || !any_decided(data.held_out)) return std::optional<RewardEvaluation>();
  PLUMB_TRY(evaluation, evaluate_scores(data.held_out, scores, options));
  if (evaluation.temperature) reward.card().temperature = *evaluation.temperature;
  return std::optional(std::move(evaluation));
}

}  // namespace plumb::rlhf
