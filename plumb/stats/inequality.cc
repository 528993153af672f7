#include "plumb/stats/inequality.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace plumb::stats {

Score gini(std::span<const double> values, std::span<const std::uint32_t> counts) {
  if (!std::ranges::all_of(values, [](double value) { return std::isfinite(value); })) {
    return undefined("a value is not finite");
  }
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  // With w values below and counting c of its own, x_i is added c w times and taken off c (n - w -
  // c) times.
  double total = 0, size = 0, below = 0, spread = 0;
  const auto count = [&](std::size_t i) { return counts.empty() ? 1.0 : counts[i]; };
  for (std::size_t i = 0; i < values.size(); ++i) {
    total += count(i);
    size += count(i) * std::abs(values[i]);
  }
  if (total == 0) return undefined("no values");
  if (size == 0) return undefined("all values are 0");
  for (const std::size_t i : order) {
    spread += count(i) * values[i] * (2 * below + count(i) - total);
    below += count(i);
  }
  return spread / (total * size);
}

}  // namespace plumb::stats
