// The sums from which much else is made, each taken from the first value to the last.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

namespace plumb::stats {

// REQUIRES: not empty.
inline double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// REQUIRES: both of one length.
inline double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The values less their mean. REQUIRES: not empty.
inline std::vector<double> centred(std::span<const double> values) {
  std::vector<double> all(values.begin(), values.end());
  const double middle = mean(values);
  for (double& value : all) value -= middle;
  return all;
}

// Whether all are one value. Squares about the mean do not tell: it is rounded.
inline bool is_constant(std::span<const double> values) {
  return std::ranges::adjacent_find(values, std::ranges::not_equal_to{}) == values.end();
}

}  // namespace plumb::stats
