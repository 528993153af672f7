// Intervals in closed form, for figures of which only a value and a count are known.
//
// Who uses it: published scores, answers of single annotators, anything without items to resample.
// Guarantees: low <= high; an interval of a proportion, correlation or bounded mean stays inside
// its range; an estimate at the edge of its range never gets an interval of width 0.
//
//   Interval accuracy = wilson(37, 48, 0.95);
//   Interval gap = difference_interval(0.77, accuracy, 0.85, wilson(0.85 * 48, 48, 0.95));
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "plumb/stats/score.h"

namespace plumb::stats {

// Everywhere: REQUIRES 0 < level < 1.

// The z below which a share p of the standard normal distribution lies, and that share.
// REQUIRES: 0 < p < 1.
double normal_quantile(double p);
double normal_cdf(double z);

// A proportion (Wilson 1927). Successes may be fractional: an expectation over tied labels.
// REQUIRES: 0 < trials; 0 <= successes <= trials.
Interval wilson(double successes, double trials, double level);

// A mean of values in [0, 1], most of them 0 or 1, of which those of one cluster (answers to one
// prompt) are alike: Wilson's interval with n / deff trials, where the design effect deff compares
// the variance between clusters (linearised, clusters / (clusters - 1)) with that of single trials
// (Dean and Pagano 2015). Never below 1, so it is Wilson's own where clusters are single items;
// where all values are 0 or all are 1, which hides it, each cluster is one trial.
// cluster_of_item: numbered from 0. Undefined: no values.
// REQUIRES: both spans of one length; values in [0, 1].
struct ClusteredShare {
  double value;
  Interval ci;
  double design_effect;
};
tl::expected<ClusteredShare, Undefined> clustered_wilson(
    std::span<const double> values, std::span<const std::uint32_t> cluster_of_item, double level);

// Pearson's correlation r of n pairs: tanh(atanh(r) +- z / sqrt(n - 3)) (Fisher 1921).
// Undefined: fewer than four pairs; r is 1 or -1, whose transform is infinite.
// REQUIRES: -1 <= r <= 1.
IntervalScore fisher_z(double r, std::size_t n, double level);

// Spearman's correlation: the same with variance (1 + r^2 / 2) / (n - 3) (Bonett and Wright 2000).
IntervalScore spearman_interval(double r, std::size_t n, double level);

// a less b, from the intervals of two independent estimates (MOVER: Zou and Donner 2008, eq. 4 and
// 5). Of two Wilson intervals: Newcombe 1998, method 10. For estimates that share items it is too
// wide where they agree: resample pairs instead.
Interval difference_interval(double a, Interval interval_a, double b, Interval interval_b);

// Student's interval of the mean of values with errors of their own. Nothing for fewer than two.
std::optional<Interval> student_interval(std::span<const double> values, double level);

// A mean of n values, each in [low, high], of which nothing else is known. The variance of the mean
// is at most (high - m)(m - low) / n for a true mean m (Bhatia and Davis 2000); the interval holds
// every m that is within z standard errors of the mean, with that variance at m. So it is Wilson's,
// scaled. REQUIRES: low < high; low <= mean <= high; 0 < n.
Interval bounded_mean_interval(double mean, std::size_t n, double low, double high, double level);

}  // namespace plumb::stats
