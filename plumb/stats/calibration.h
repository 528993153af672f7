// Whether probabilities mean what they say. For models that score two things and are read as
// P(the first is preferred) = 1 / (1 + e^-logit): logits are differences of scores, outcomes the
// share of votes for the first (1, 0, or between), and nothing changes when a pair is turned round.
//
//   auto temperature = fit_temperature(held_out_logits, held_out_outcomes);
//   auto curve = margin_reliability(logits, outcomes, 0.5);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plumb/stats/bootstrap.h"
#include "plumb/stats/score.h"

namespace plumb::stats {

// Everywhere: REQUIRES both spans of one length; outcomes in [0, 1]; logits finite.

// Mean of (p - outcome)^2 (Brier 1950), and of the negative log-likelihood in nats. Undefined: no
// pairs.
Score brier_score(std::span<const double> logits, std::span<const double> outcomes);
Score log_loss(std::span<const double> logits, std::span<const double> outcomes);

// Pairs of like confidence: how sure the model was, and how often it was right. A pair is turned so
// that its logit is positive; at a logit of 0 half is right.
struct ReliabilityBin {
  double low, high;  // of |logit|, or of the confidence
  std::size_t n;
  double confidence;  // mean of 1 / (1 + e^-|logit|)
  double accuracy;    // mean share of votes for the side with the higher score
};

// Bins of |logit| of this width, those without a pair left out (Huang et al. 2024 use 0.5).
// REQUIRES: width > 0.
std::vector<ReliabilityBin> margin_reliability(std::span<const double> logits,
                                               std::span<const double> outcomes, double width);

// Of each of these bins the interval of its accuracy: Wilson's, with the design effect of clusters
// (intervals.h). cluster_of_pair: numbered from 0. REQUIRES: 0 < level < 1; spans of one length.
std::vector<Interval> margin_reliability_intervals(std::span<const double> logits,
                                                   std::span<const double> outcomes, double width,
                                                   std::span<const std::uint32_t> cluster_of_pair,
                                                   double level);

// `bins` bins of as equal a size as can be, in the order of confidence; pairs of one confidence
// share their mean outcome, so that their order does not matter. REQUIRES: bins > 0.
std::vector<ReliabilityBin> equal_mass_reliability(std::span<const double> logits,
                                                   std::span<const double> outcomes,
                                                   std::size_t bins);

// Expected calibration error: sum over bins of n_b / n |accuracy - confidence|.
double calibration_error(std::span<const ReliabilityBin> bins);

struct DebiasedError {
  double raw;         // of equal_mass_reliability
  double null_mean;   // what a calibrated model with these logits shows on average
  double null_upper;  // and in one of twenty cases exceeds
  double debiased;    // raw less null_mean; may fall below 0
};

// The error is biased upward, for noise in a bin counts as miscalibration; outcomes drawn from the
// model's own probabilities, as many votes for each pair as it had, show by how much. votes: of
// each pair, those of which the outcome is the share. Undefined: no pairs. Draw r takes
// Stream(seed, "calibration-null", r). REQUIRES: one count a pair, 1 or more.
tl::expected<DebiasedError, Undefined> debiased_calibration_error(
    std::span<const double> logits, std::span<const double> outcomes,
    std::span<const std::size_t> votes, std::size_t bins, std::size_t draws, std::uint64_t seed);

// The debiased error of resampled pairs, for an interval of it (bootstrap.h). A pair that was drawn
// twice makes the same noise twice, in the model's own draws too; so what is taken off grows with
// the noise that resampling adds. It is an interval of what `debiased` estimates: where a model is
// far off, less than the error itself, since what chance shows of a calibrated model is taken off
// in full.
//
//   const ResampledCalibration error(logits, outcomes, votes, 15, 25, seed);
//   bootstrap(Resampling::of_clusters(prompts), error, {});
class ResampledCalibration {
 public:
  // Draws as of debiased_calibration_error(). REQUIRES: bins, draws > 0; a pair or more.
  ResampledCalibration(std::span<const double> logits, std::span<const double> outcomes,
                       std::span<const std::size_t> votes, std::size_t bins, std::size_t draws,
                       std::uint64_t seed);

  double raw(Counts pairs) const { return error(right_[0], pairs); }
  Score operator()(Counts pairs) const;  // the raw error less the mean of the draws

 private:
  double error(std::span<const double> right, Counts pairs) const;

  std::size_t bins_;
  std::vector<std::size_t> order_;          // pairs, ascending by margin
  std::vector<std::size_t> starts_;         // of runs of one margin, in that order; the end last
  std::vector<double> confidence_;          // of each run
  std::vector<std::vector<double>> right_;  // [1 + draws][pairs, in that order]
};

// The T that minimises the log loss of logits / T (Guo et al. 2017): convex in 1 / T, by Newton's
// method inside a bracket. Undefined: no pairs; the scores order every pair as the votes do, so
// that every lower T fits better; the scores carry nothing, or the reverse, so that every higher
// one does.
Score fit_temperature(std::span<const double> logits, std::span<const double> outcomes);

}  // namespace plumb::stats
