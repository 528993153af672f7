// Whether a metric of reward models knows which of them leads a policy to more gold: correlations
// over a population, with intervals over its reward models.
//
//   const auto rows = correlate({{"base_accuracy", values}}, "gold", gold, {});
//   rows[0].spearman.point, rows[0].spearman.interval, rows[0].verdict
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "plumb/mismatch/ceiling.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::mismatch {

struct CorrelationOptions {
  stats::BootstrapOptions sampling = {.resamples = 2000};
  double resolution = 0.3;  // a correlation that would not matter
};

struct MetricCorrelation {
  std::string metric, target;
  bool turned = false;  // less is better: its values were turned round, so that above 0 is good
  std::size_t models = 0;
  stats::BootstrapResult spearman, pearson;
  double p = 1, adjusted_p = 1;  // of Spearman's, two-sided, by permutation; Holm's over all rows
  Verdict verdict = Verdict::kInsufficient;
  double detectable = 0;  // the correlation that would be found with power 0.8
};

// One row a metric, in the order of their names. Resamples draw reward models, permutations move
// the target; "aligned" and "inverted" need an interval on one side of 0 and an adjusted p of 1 -
// level or less. REQUIRES: all of one length, 4 or more.
std::vector<MetricCorrelation> correlate(const std::map<std::string, std::vector<double>>& metrics,
                                         const std::string& target, std::span<const double> gold,
                                         const CorrelationOptions& options);

// Holm's correction over the rows and the verdicts that follow; correlate() has done it for its
// own.
void judge_correlations(std::span<MetricCorrelation> rows, const CorrelationOptions& options);

// The correlation of n pairs that a two-sided test at this level finds with power 0.8: the
// hyperbolic tangent of (z(level) + z(0.8)) / sqrt(n - 3). REQUIRES: n >= 4.
double detectable_correlation(std::size_t n, double level);

}  // namespace plumb::mismatch
