// How far a published score may lie from the one that more items would give, when only the score
// and the number of items were published. Two sets of rules: plumb's own, and the paper's for
// comparison.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "plumb/gap/board.h"
#include "plumb/stats/score.h"

namespace plumb::gap {

// The V-measures of simulated answers, kept for the class sizes that were asked for: simulating
// them is the only slow part. One object serves a whole table.
class NoiseCurves {
 public:
  // [noise level][simulation], from answers that know nothing to answers that are right; each level
  // sorted.
  const std::vector<std::vector<double>>& of(std::span<const int> class_sizes);

 private:
  std::map<std::vector<int>, std::vector<std::vector<double>>> curves_;
};

// plumb's own rules. Undefined where the number of items or the metric is not known.
//   accuracy   Wilson
//   MAP        Wilson's, scaled to the AP that a query can have (stats::bounded_mean_interval)
//   V-measure  inversion of a simulated test: each item stays in its class with probability p and
//   lands
//              in any of the groups otherwise; the interval holds every V whose p makes the
//              published one unsurprising
//   Spearman   Fisher z with the variance of Bonett and Wright 2000
stats::IntervalScore score_interval(const BoardSubset& subset, double score, double level,
                                    NoiseCurves& curves);

// The paper's: Wilson for accuracy, Fisher z with n = items for everything else.
stats::IntervalScore paper_interval(const BoardSubset& subset, double score, double level);

// What a score can be, as a fraction: [-1, 1] for a correlation, [0, 1] for all else.
stats::Interval score_range(tasks::TaskType type);

// A human score by the mean of several annotators carries what separates them, too: widens
// `interval` around `score` by z * s / sqrt(annotators), in quadrature, and cuts it to `range`. One
// annotator leaves it as it is.
stats::Interval with_spread(stats::Interval interval, double score, std::span<const double> repeats,
                            stats::Interval range, double level);

}  // namespace plumb::gap
