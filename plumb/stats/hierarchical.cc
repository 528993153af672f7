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

tl::expected<Deviation, Undefined> deviation_of(const Draws& pooled, std::size_t column,
                                                std::size_t units) {
  double sum = 0, count = 0, squares = 0;
  const auto each = [&](auto use) {
    for (std::size_t r = 0; r < pooled.resamples(); ++r) {
      const Score& value = pooled.values[r * pooled.columns + column];
      if (value) use(*value);
    }
  };
  each([&](double value) { sum += value, count += 1; });
  if (count < 2) return undefined("fewer than two resamples are defined");
  each([&](double value) { squares += (value - sum / count) * (value - sum / count); });
  const double deviation = std::sqrt(squares / (count - 1));
  if (units < 2) return Deviation{deviation, std::numeric_limits<double>::infinity()};
  const auto k = static_cast<double>(units);
  return Deviation{deviation * std::sqrt(k / (k - 1)), k - 1};
}

BootstrapResult summarize_pooled(const Draws& pooled, std::size_t column, std::size_t units,
                                 const BootstrapOptions& options) {
  BootstrapResult result = summarize(pooled, column, options);
  if (units < 2 || !result.interval) return result;
  const auto deviation = deviation_of(pooled, column, units);
  const double reach =
      student_quantile((1 + options.level) / 2, deviation->freedom) * deviation->value;
  result.interval = Interval{*result.point - reach, *result.point + reach};
  return result;
}

}  // namespace plumb::stats
