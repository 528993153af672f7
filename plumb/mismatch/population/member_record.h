// What is measured of one reward model of a population, as its line of population.jsonl says it.
//
//   const PopulationPools pools = ...;      // drawn once
//   PLUMB_TRY(record, member_record("half-1", *model, pools, {.n = 16}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/mismatch/population/pairs.h"
#include "plumb/rlhf/reward/reward_model.h"
#include "plumb/rlhf/samples.h"

namespace plumb::mismatch {

// Completions with their gold, and the pairs among them. A prompt's samples stand beside each
// other.
struct PopulationPools {
  std::vector<rlhf::Sample> validation = {}, shifted = {}, measured = {};
  std::size_t validation_group = 0, measured_group = 0;
  std::vector<PlacedPair> base = {},
                          people = {};  // of validation: by the gold; with the errors of people
  std::vector<PlacedPair> shifted_pairs = {};
};

struct RecordOptions {
  std::size_t n = 16;
  std::size_t best_pairs = 6;  // of a prompt, of the distribution "best"
  double level = 0.95;
  std::uint64_t seed = 0;
  int threads = 0;
};

// "reward_model", "gold" with "gold_ci" (of the best of n by it, over prompts), the metrics of
// kPairMetrics on each distribution ("base_accuracy", ...), "policy", "pairs", "accuracy_ci", and
// "missing" with the reason for each distribution without pairs.
Result<Json> member_record(const std::string& name, rlhf::LearnedReward& reward,
                           const PopulationPools& pools, const RecordOptions& options);

// The distributions by name: "base", "people", "best", "shifted".
std::vector<std::string> pair_distributions();

// Means over prompts with Student's interval: what "gold" and "gold_ci" are made of.
Json mean_json(const std::vector<double>& values, double level);  // {"value", "ci"}

// The scores of the samples' texts.
Result<std::vector<double>> scores_of(rlhf::Reward& reward,
                                      const std::vector<rlhf::Sample>& samples, int threads);

}  // namespace plumb::mismatch
