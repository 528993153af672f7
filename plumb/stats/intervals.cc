#include "plumb/stats/intervals.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

namespace plumb::stats {
namespace {

// The two-sided critical value: 1.96 for level 0.95.
double critical(double level) {
  assert(0 < level && level < 1);
  return normal_quantile((1 + level) / 2);
}

IntervalScore transformed(double r, std::size_t n, double variance_factor, double level) {
  assert(-1 <= r && r <= 1);
  if (n < 4) return undefined("fewer than four pairs");
  if (std::abs(r) == 1) return undefined("the correlation is perfect, its z-transform infinite");
  const double error = std::sqrt(variance_factor / static_cast<double>(n - 3));
  const double centre = std::atanh(r), reach = critical(level) * error;
  return Interval{std::tanh(centre - reach), std::tanh(centre + reach)};
}

}  // namespace

double normal_quantile(double p) {
  assert(0 < p && p < 1);
  return boost::math::quantile(boost::math::normal(), p);
}

double normal_cdf(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

Interval wilson(double successes, double trials, double level) {
  assert(0 < trials && 0 <= successes && successes <= trials);
  const double z = critical(level), z2 = z * z;
  const double failures = trials - successes;
  const double centre = successes + z2 / 2;
  const double reach = z * std::sqrt(successes * failures / trials + z2 / 4);
  const double low = successes == 0 ? 0 : (centre - reach) / (trials + z2);
  const double high = failures == 0 ? 1 : (centre + reach) / (trials + z2);
  return {std::max(low, 0.0), std::min(high, 1.0)};
}

tl::expected<ClusteredShare, Undefined> clustered_wilson(
    std::span<const double> values, std::span<const std::uint32_t> cluster_of_item, double level) {
  assert(values.size() == cluster_of_item.size());
  if (values.empty()) return undefined("there are no items");
  const auto n = static_cast<double>(values.size());
  const double share = std::accumulate(values.begin(), values.end(), 0.0) / n;
  const std::size_t clusters = std::ranges::max(cluster_of_item) + std::size_t{1};
  std::vector<double> residuals(clusters);
  for (std::size_t i = 0; i < values.size(); ++i)
    residuals[cluster_of_item[i]] += values[i] - share;
  double between = 0;
  for (const double residual : residuals) between += residual * residual;
  const double single = share * (1 - share) * n;
  const auto count = static_cast<double>(clusters);
  // All values alike say nothing about clusters; then a cluster counts as one trial.
  double effect = n / count;
  if (clusters > 1 && single > 0) effect = between / single * count / (count - 1);
  // With as many clusters as items the correction for their number is no design effect.
  effect = clusters == values.size() ? 1 : std::max(effect, 1.0);
  const double trials = n / effect;
  return ClusteredShare{share, wilson(std::clamp(share, 0.0, 1.0) * trials, trials, level), effect};
}

IntervalScore fisher_z(double r, std::size_t n, double level) {
  return transformed(r, n, 1, level);
}

IntervalScore spearman_interval(double r, std::size_t n, double level) {
  return transformed(r, n, 1 + r * r / 2, level);
}

Interval difference_interval(double a, Interval interval_a, double b, Interval interval_b) {
  const double below = std::hypot(a - interval_a.low, interval_b.high - b);
  const double above = std::hypot(interval_a.high - a, b - interval_b.low);
  return {a - b - below, a - b + above};
}

std::optional<Interval> student_interval(std::span<const double> values, double level) {
  if (values.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const boost::math::students_t distribution(n - 1);
  const double reach =
      boost::math::quantile(distribution, (1 + level) / 2) * std::sqrt(squares / (n - 1) / n);
  return Interval{mean - reach, mean + reach};
}

Interval bounded_mean_interval(double mean, std::size_t n, double low, double high, double level) {
  assert(low < high && low <= mean && mean <= high && 0 < n);
  const auto trials = static_cast<double>(n);
  const double range = high - low;
  const double share = std::clamp((mean - low) / range, 0.0, 1.0);
  const Interval scaled = wilson(share * trials, trials, level);
  return {low + range * scaled.low, std::min(high, low + range * scaled.high)};
}

}  // namespace plumb::stats
