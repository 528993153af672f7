// What every training of a reward begins and ends with: who is held out, and the scale and the
// measurement on those.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "plumb/rlhf/preferences/preference_split.h"
#include "plumb/rlhf/reward/learned_reward.h"

namespace plumb::rlhf {

struct TrainingDataOptions {
  double held_out = 0.1;         // share of the comparisons
  std::uint64_t split_seed = 0;  // of who is held out
  bool random_labels = false;    // coins in place of the votes, by the split's seed
};

struct TrainingData {
  PreferenceData train, held_out;  // with the labels that are learnt
  std::size_t unlabelled = 0;      // left out: equal completions, no vote
  PreferenceHashes hashes = {};    // of all, with these labels
};

// kBadInput: no comparison is left to train on.
Result<TrainingData> training_data(const PreferenceData& data, const TrainingDataOptions& options);

// Puts the reward on a scale of mean 0 and deviation 1, and fits its temperature: on the held-out
// comparisons, or where there are none on those of the training. scores: of these, as they were
// learnt. Returns the evaluation on the held-out ones, where one is decided. kBadInput: scores that
// are all equal.
Result<std::optional<RewardEvaluation>> put_on_scale(SingleReward& reward, const TrainingData& data,
                                                     std::span<const std::array<double, 2>> scores,
                                                     const RewardEvaluationOptions& options);

}  // namespace plumb::rlhf
