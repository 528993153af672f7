// How good a reward model is on comparisons that it has not seen: accuracy against votes, how far
// people agree among themselves, calibration, and the baselines that it has to beat. Ensembles and
// the normalisation of scores stand here too.
//
//   auto report = evaluate_scores(data, scores, {});   // scores: one pair a comparison
//   report->accuracy.strict.value, report->accuracy.strict.ci, report->longest.strict.value
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/rlhf/advantages.h"
#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/stats/calibration.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/standings.h"

namespace plumb::rlhf {

// Counted over comparisons, never a mean of means of batches.
struct PairAccuracy {
  std::size_t n = 0;                    // comparisons with a vote for one of the two
  std::size_t ties = 0;                 // equal scores
  stats::ClusteredShare strict = {};    // a tie is wrong
  stats::ClusteredShare half_tie = {};  // a tie is half right
};

// Against the votes: with a share p of them for the side with the higher score, a comparison is p
// right. Intervals: stats::clustered_wilson over the clusters. shares: of votes for the first.
// Undefined: no comparisons. REQUIRES: spans of one length.
tl::expected<PairAccuracy, stats::Undefined> pair_accuracy(std::span<const double> first,
                                                           std::span<const double> second,
                                                           std::span<const double> shares,
                                                           std::span<const std::uint32_t> clusters,
                                                           double level);

// The chance e that a vote is not what most people would say, from how often two votes on one
// comparison agree: A = (1 - e)^2 + e^2. No model that is scored against single votes can be
// expected to exceed 1 - e. Undefined where A is below 1/2. REQUIRES: 0 <= agreement <= 1.
stats::Score flip_rate(double agreement);

// (accuracy - e) / (1 - 2 e): against what most people would say, where votes are flipped alike
// everywhere. REQUIRES: e < 1/2.
double noise_corrected_accuracy(double accuracy, double e);

// How many votes are for one of the two.
std::size_t decided_votes(const Comparison& comparison);

// The share of pairs of votes on one comparison that agree, over comparisons with two votes or more
// for one of the two completions; one value a comparison.
std::vector<double> vote_agreement(const PreferenceData& data);

struct RewardEvaluationOptions {
  double level = 0.95;
  std::size_t bins = 15;
  stats::ResampleOptions sampling = {.resamples = 1000};
};

struct RewardEvaluation {
  PairAccuracy accuracy, longest, shortest;  // a constant has accuracy 1/2, all ties
  stats::Score brier = stats::undefined(""), log_loss = stats::undefined("");
  stats::IntervalScore brier_ci = stats::undefined(""), log_loss_ci = stats::undefined("");
  double constant_brier = 0.25;  // of a reward that says one half of each, against the same shares
  stats::DebiasedError calibration = {};
  stats::IntervalScore calibration_ci = stats::undefined("");  // of the debiased error
  stats::Score temperature = stats::undefined("");
  stats::IntervalScore temperature_ci = stats::undefined("");
  std::vector<stats::ReliabilityBin> reliability;     // by margin, width 0.5
  std::vector<stats::Interval> reliability_ci;        // of the accuracy of each
  stats::Score noise_ceiling = stats::undefined("");  // 1 - e from comparisons of several votes
  stats::IntervalScore noise_ceiling_ci = stats::undefined("");
};

// scores: [comparisons][2]. Comparisons that nobody decided, or of equal texts, are left out.
// kBadInput: none is left, or a score is not finite, with the comparison's place.
Result<RewardEvaluation> evaluate_scores(const PreferenceData& data,
                                         std::span<const std::array<double, 2>> scores,
                                         const RewardEvaluationOptions& options);

// Ensembles: one score of one completion from those of the members, which must be normalised alike.
// REQUIRES: members not empty.
double ensemble_mean(std::span<const double> members);
double ensemble_worst(std::span<const double> members);  // worst-case optimisation: the least
// mean - weight * variance (Coste et al. 2024, "UWO"); a weight of 0 is the mean. The variance of a
// single member is 0.
double ensemble_uncertain(std::span<const double> members, double weight, Variance variance);
// -beta log mean e^(-r / beta): the mean for a large beta, the least for a small one. beta > 0.
double ensemble_entropic(std::span<const double> members, double beta);

// Scores are comparable only where they are on one scale: that on which the named policy's samples
// on the named prompts have mean 0 and standard deviation 1.
struct ScoreNormalisation {
  double mean = 0, standard_deviation = 1;
  std::size_t n = 0;
  std::string policy, prompts;  // content hashes

  double operator()(double score) const { return (score - mean) / standard_deviation; }
};

// kBadInput: fewer than two scores, all equal, or one not finite.
Result<ScoreNormalisation> fit_normalisation(std::span<const double> scores, std::string policy,
                                             std::string prompts);

// kBadInput names the part in which they differ: curves on different scales are not compared.
Result<void> check_comparable(const ScoreNormalisation& a, const ScoreNormalisation& b);

Json normalisation_json(const ScoreNormalisation& normalisation);
// kBadInput: a field is missing or of another type, a deviation that is not above 0.
Result<ScoreNormalisation> parse_normalisation(const Json& json);

}  // namespace plumb::rlhf
