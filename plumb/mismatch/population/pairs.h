// Pairs on which reward models are measured, as places in a list of samples whose prompts stand
// beside each other, `group` samples each.
//
//   const auto pairs = random_pairs(samples, 16, {.per_prompt = 6, .seed = seed});
//   PairMeasures measures = measure_pairs(pairs, scores, scale, 0.95);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/rlhf/samples.h"
#include "plumb/stats/score.h"

namespace plumb::mismatch {

struct PlacedPair {
  std::size_t first, second;  // places of the samples
  std::uint32_t prompt;
  double share;  // of votes for the first

  bool operator==(const PlacedPair&) const = default;
};

struct PairDrawing {
  std::size_t per_prompt = 6;  // at most
  std::uint64_t seed = 0;
};

// Pairs of a prompt's samples that differ in text and gold, none twice, with the gold's vote; in an
// order of Stream(seed, "population pairs", prompt), their sides at random.
// REQUIRES: samples.size() is a multiple of group; all have gold.
std::vector<PlacedPair> random_pairs(std::span<const rlhf::Sample> samples, std::size_t group,
                                     const PairDrawing& how);

// The same among the quarter of each prompt's samples, two at least, that these scores put highest:
// what a policy would be led to that follows them. Equal scores: the earlier sample.
std::vector<PlacedPair> best_pairs(std::span<const rlhf::Sample> samples, std::size_t group,
                                   std::span<const double> scores, const PairDrawing& how);

// The votes of people of whom this share errs: vote i is turned where Stream(seed, "population
// votes", i) says so.
std::vector<PlacedPair> with_errors(std::vector<PlacedPair> pairs, double share,
                                    std::uint64_t seed);

// What is measured of a reward model on pairs.
inline constexpr std::array<std::string_view, 4> kPairMetrics = {"accuracy", "log_loss", "ece",
                                                                 "brier"};
// Whether less of it is better: all but the accuracy.
bool less_is_better(std::string_view metric);

struct PairMeasures {
  std::size_t pairs = 0;
  std::string reason;  // why nothing was measured; "": it was
  // accuracy (a tie of scores is half right), log_loss (nats), ece (of 10 bins of equal size, less
  // what a calibrated model shows by chance), brier
  std::map<std::string, double> values;
  stats::Interval accuracy_ci = {0, 1};  // over prompts
};

// scores: of all samples; scale: of their differences to logits. REQUIRES: places within them.
PairMeasures measure_pairs(std::span<const PlacedPair> pairs, std::span<const double> scores,
                           double scale, double level);

}  // namespace plumb::mismatch
