#include "plumb/stats/hypothesis.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cassert>
#include <cmath>
#include <numeric>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

constexpr std::size_t kMostExact = 24;
constexpr std::size_t kGrain = 64;

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

double sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

bool enumerable(std::size_t values, const PermutationOptions& options) {
  return values <= std::min(options.exact_up_to, kMostExact);
}

// The size from which a permuted sum is as extreme as the observed one, short of it by rounding.
double threshold(double observed, std::span<const double> values) {
  double size = 0;
  for (const double value : values) size += std::abs(value);
  return std::abs(observed) - 1e-13 * size;
}

// How many of `resamples` drawn sums reach the threshold in size.
template <typename DrawSum>
std::size_t count_extreme(const PermutationOptions& options, double at_least, DrawSum draw_sum) {
  std::vector<char> extreme(options.resamples);
  parallel_for(options.resamples, kGrain, options.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      Stream stream(options.seed, "permutation", i);
      extreme[i] = std::abs(draw_sum(stream)) >= at_least;
    }
  });
  return static_cast<std::size_t>(std::ranges::count(extreme, 1));
}

Permutation drawn(double difference, std::size_t extreme, std::size_t resamples) {
  const double p = static_cast<double>(extreme + 1) / static_cast<double>(resamples + 1);
  return {.difference = difference, .p_value = p, .exact = false, .permutations = resamples};
}

Permutation enumerated(double difference, std::span<const double> sums, double at_least) {
  const auto extreme =
      std::ranges::count_if(sums, [&](double value) { return std::abs(value) >= at_least; });
  const double p = static_cast<double>(extreme) / static_cast<double>(sums.size());
  return {.difference = difference, .p_value = p, .exact = true, .permutations = sums.size()};
}

// The sums of all 2^n choices of signs.
std::vector<double> signed_sums(std::span<const double> values) {
  std::vector<double> sums = {0.0};
  for (const double value : values) {
    const std::size_t half = sums.size();
    sums.resize(2 * half);
    for (std::size_t i = 0; i < half; ++i) {
      sums[half + i] = sums[i] - value;
      sums[i] += value;
    }
  }
  return sums;
}

// Appends the sums of all choices of `chosen` of the values, each added to `start`.
void add_subset_sums(std::span<const double> values, std::size_t chosen, double start,
                     std::vector<double>& sums) {
  if (chosen == 0) return sums.push_back(start);
  for (std::size_t i = 0; i + chosen <= values.size(); ++i) {
    add_subset_sums(values.subspan(i + 1), chosen - 1, start + values[i], sums);
  }
}

double sum_with_random_signs(std::span<const double> values, Stream& stream) {
  double total = 0;
  for (std::size_t i = 0; i < values.size(); i += 64) {
    std::uint64_t signs = stream.next();
    for (std::size_t j = i; j < std::min(i + 64, values.size()); ++j, signs >>= 1) {
      total += (signs & 1) != 0 ? values[j] : -values[j];
    }
  }
  return total;
}

// Fisher-Yates, stopped after `chosen` places.
double sum_of_random_subset(std::vector<double> values, std::size_t chosen, Stream& stream) {
  for (std::size_t i = 0; i < chosen; ++i) {
    std::swap(values[i], values[i + stream.below(values.size() - i)]);
  }
  return sum(std::span(values).first(chosen));
}

double chi_square_tail(double value) { return std::erfc(std::sqrt(value / 2)); }

std::vector<std::size_t> ascending(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  return order;
}

}  // namespace

PermutationResult paired_permutation_test(std::span<const double> x, std::span<const double> y,
                                          const PermutationOptions& options) {
  assert(x.size() == y.size());
  if (x.empty()) return undefined("there are no pairs");
  std::vector<double> differences(x.size());
  std::ranges::transform(x, y, differences.begin(), std::minus{});
  if (!all_finite(differences)) return undefined("a value is not finite");

  const double observed = sum(differences);
  const double difference = observed / static_cast<double>(x.size());
  const double at_least = threshold(observed, differences);
  if (enumerable(x.size(), options)) {
    return enumerated(difference, signed_sums(differences), at_least);
  }
  const auto draw = [&](Stream& stream) { return sum_with_random_signs(differences, stream); };
  return drawn(difference, count_extreme(options, at_least, draw), options.resamples);
}

PermutationResult label_permutation_test(std::span<const double> x, std::span<const double> y,
                                         const PermutationOptions& options) {
  if (x.empty() || y.empty()) return undefined("a group is empty");
  std::vector<double> pooled(x.begin(), x.end());
  pooled.insert(pooled.end(), y.begin(), y.end());
  if (!all_finite(pooled)) return undefined("a value is not finite");

  const double difference =
      sum(x) / static_cast<double>(x.size()) - sum(y) / static_cast<double>(y.size());
  // With the grand mean taken off, the difference of means is proportional to the first group's
  // sum.
  const double centre = sum(pooled) / static_cast<double>(pooled.size());
  for (double& value : pooled) value -= centre;
  const double at_least = threshold(sum(std::span(pooled).first(x.size())), pooled);
  if (enumerable(pooled.size(), options)) {
    std::vector<double> sums;
    add_subset_sums(pooled, x.size(), 0, sums);
    return enumerated(difference, sums, at_least);
  }
  const auto draw = [&](Stream& stream) { return sum_of_random_subset(pooled, x.size(), stream); };
  return drawn(difference, count_extreme(options, at_least, draw), options.resamples);
}

tl::expected<McNemar, Undefined> mcnemar(std::uint64_t only_first, std::uint64_t only_second) {
  if (only_first + only_second == 0) return undefined("the two are right on the same items");
  const auto b = static_cast<double>(only_first), c = static_cast<double>(only_second);
  const boost::math::binomial fair(b + c, 0.5);
  const double smaller = std::min(b, c);
  const double both_tails = 2 * boost::math::cdf(fair, smaller);
  const double table = boost::math::pdf(fair, smaller);
  const double gap = std::abs(b - c), corrected_gap = std::max(gap - 1, 0.0);
  const double chi_square = gap * gap / (b + c);
  const double corrected = corrected_gap * corrected_gap / (b + c);
  return McNemar{.exact_p = std::min(1.0, both_tails),
                 .mid_p = std::min(1.0, both_tails - table),
                 .chi_square = chi_square,
                 .chi_square_p = chi_square_tail(chi_square),
                 .corrected = corrected,
                 .corrected_p = chi_square_tail(corrected)};
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  std::size_t left = p_values.size();
  for (const std::size_t i : ascending(p_values)) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(left--) * p_values[i]));
    adjusted[i] = largest;
  }
  return adjusted;
}

std::vector<double> benjamini_hochberg(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.size());
  const std::vector<std::size_t> order = ascending(p_values);
  const auto tests = static_cast<double>(p_values.size());
  double smallest = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    smallest = std::min(smallest, p_values[i] * (tests / static_cast<double>(rank)));
    adjusted[i] = smallest;
  }
  return adjusted;
}

}  // namespace plumb::stats
