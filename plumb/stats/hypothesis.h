// Tests of a difference, and p-values of many tests together. All tests are two-sided.
//
// Who uses it: comparisons of two raters or two groups; families of comparisons on a leaderboard.
// Guarantees: a p-value in (0, 1] or the reason why there is none; results depend on the seed,
// never on the number of threads.
//
//   PermutationResult result = paired_permutation_test(human, model, {.seed = 7});
//   std::vector<double> adjusted = holm(p_values);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tl/expected.hpp>
#include <vector>

#include "plumb/stats/score.h"

namespace plumb::stats {

struct PermutationOptions {
  std::size_t resamples = 10000;
  std::uint64_t seed = 0;
  int threads = 0;               // 0: as many as the machine has
  std::size_t exact_up_to = 20;  // with so many values or fewer, enumerate; at most 24
};

struct Permutation {
  double difference;  // mean of the first less mean of the second
  double p_value;     // share of permutations with a difference at least as large in size
  bool exact;         // every permutation was enumerated
  std::size_t permutations;
};

using PermutationResult = tl::expected<Permutation, Undefined>;

// Exact: b / R over all R permutations. Else b of R drawn permutations and p = (b + 1) / (R + 1),
// which is valid for any R (Phipson and Smyth 2010). Differences that agree to rounding count as
// equal. Undefined: a value is not finite; no values on a side.

// Whether the mean of x - y is 0 under exchange of x[i] and y[i] (Fisher 1935). Exact by the number
// of pairs. REQUIRES: x.size() == y.size().
PermutationResult paired_permutation_test(std::span<const double> x, std::span<const double> y,
                                          const PermutationOptions& options = {});

// Whether two independent groups have one mean under exchange of labels (Pitman 1937). Exact by the
// size of both groups together.
PermutationResult label_permutation_test(std::span<const double> x, std::span<const double> y,
                                         const PermutationOptions& options = {});

// McNemar's test (1947) of two raters on the same items, from the items that only the first and
// that only the second got right.
struct McNemar {
  double exact_p;     // binomial
  double mid_p;       // binomial less half the probability of the table itself (Fagerland 2013)
  double chi_square;  // (b - c)^2 / (b + c), one degree of freedom
  double chi_square_p;
  double corrected;  // with continuity: max(|b - c| - 1, 0)^2 / (b + c) (Edwards 1948)
  double corrected_p;
};

// Undefined: the two are right on the same items.
tl::expected<McNemar, Undefined> mcnemar(std::uint64_t only_first, std::uint64_t only_second);

// Adjusted p-values in the order of the input, at most 1, as monotone as the raw ones.
// REQUIRES: each in [0, 1].
std::vector<double> holm(std::span<const double> p_values);  // family-wise error, 1979
std::vector<double> benjamini_hochberg(
    std::span<const double> p_values);  // false discoveries, 1995

}  // namespace plumb::stats
