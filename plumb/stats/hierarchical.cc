#include "plumb/stats/hierarchical.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/stats/equivalence.h"
#include "plumb/stats/intervals.h"

namespace plumb::stats {
namespace {

// The mean of what `of` gives for each chosen unit, or the first reason against it.
template <typename Of>
Score mean_over(std::span<const std::size_t> chosen, Of of) {
  double sum = 0;
  for (const std::size_t unit : chosen) {
    const Score& value = of(unit);
    if (!value) return value;
    sum += *value;
  }
  return sum / static_cast<double>(chosen.size());
}

double variance(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  return squares / (n - 1);
}

// Over the resamples on which both are defined.
tl::expected<double, Undefined> covariance_of(const Draws& a, const Draws& b, std::size_t column) {
  double count = 0, sum_a = 0, sum_b = 0, products = 0;
  const auto each = [&](auto use) {
    for (std::size_t r = 0; r < a.resamples(); ++r) {
      const Score& of_a = a.values[r * a.columns + column];
      const Score& of_b = b.values[r * b.columns + column];
      if (of_a && of_b) use(*of_a, *of_b);
    }
  };
  each([&](double of_a, double of_b) { count += 1, sum_a += of_a, sum_b += of_b; });
  if (count < 2) return undefined("fewer than two resamples are defined");
  each([&](double of_a, double of_b) {
    products += (of_a - sum_a / count) * (of_b - sum_b / count);
  });
  return products / (count - 1);
}

}  // namespace

Draws pool_draws(std::span<const Draws> units, const BootstrapOptions& options) {
  if (units.size() == 1) return units[0];
  Draws pooled;
  pooled.columns = units[0].columns;
  std::vector<std::size_t> chosen(units.size());
  for (std::size_t u = 0; u < units.size(); ++u) chosen[u] = u;
  for (std::size_t c = 0; c < pooled.columns; ++c) {
    pooled.points.push_back(
        mean_over(chosen, [&](std::size_t u) -> const Score& { return units[u].points[c]; }));
  }
  for (std::size_t r = 0; r < units[0].resamples(); ++r) {
    Stream stream(options.seed, "seeds", r);
    for (std::size_t& unit : chosen) unit = stream.below(units.size());
    for (std::size_t c = 0; c < pooled.columns; ++c) {
      pooled.values.push_back(mean_over(chosen, [&](std::size_t u) -> const Score& {
        return units[u].values[r * pooled.columns + c];
      }));
    }
  }
  return pooled;
}

double expanded_level(double level, std::size_t units) {
  if (units < 2) return level;
  const auto n = static_cast<double>(units);
  const double t = student_quantile((1 + level) / 2, n - 1);
  return std::min(1 - 1e-9, 1 - 2 * normal_cdf(-std::sqrt(n / (n - 1)) * t));
}

BootstrapOptions expanded(BootstrapOptions options, std::size_t units) {
  options.level = expanded_level(options.level, units);
  return options;
}

tl::expected<Deviation, Undefined> deviation_of(const Draws& draws, std::size_t column) {
  const auto squares = covariance_of(draws, draws, column);
  if (!squares) return tl::unexpected(squares.error());
  return Deviation{std::sqrt(*squares), std::numeric_limits<double>::infinity()};
}

tl::expected<Deviation, Undefined> pooled_deviation(std::span<const Draws> units,
                                                    std::size_t column, bool shared) {
  std::vector<double> points;
  for (const Draws& unit : units) {
    if (!unit.points[column]) return tl::unexpected(unit.points[column].error());
    points.push_back(*unit.points[column]);
  }
  const auto k = static_cast<double>(units.size());
  double own = 0, common = 0;  // sums over units, and over pairs of them
  for (std::size_t i = 0; i < units.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const auto moved = covariance_of(units[i], units[j], column);
      if (!moved) return tl::unexpected(moved.error());
      (i == j ? own : common) += *moved;
    }
  }
  const double between = variance(points) / k;
  const double rest = shared ? std::max(0.0, common / (k * (k - 1) / 2)) : own / k;
  const double all = between + rest;
  const double freedom = between > 0 ? (k - 1) * (all / between) * (all / between)
                                     : std::numeric_limits<double>::infinity();
  return Deviation{std::sqrt(all), freedom};
}

Interval student_interval(double point, const Deviation& deviation, double level) {
  const double reach = student_quantile((1 + level) / 2, deviation.freedom) * deviation.value;
  return {point - reach, point + reach};
}

}  // namespace plumb::stats
