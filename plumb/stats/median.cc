#include "plumb/stats/median.h"

#include <cmath>
#include <cstddef>

#include "plumb/stats/bootstrap.h"

namespace plumb::stats {
namespace {

// The largest l with P(binomial(n, 1/2) < l) <= tail.
std::size_t rank_of(std::size_t n, double tail) {
  const double log_half = static_cast<double>(n) * std::log(0.5);
  double log_choose = 0, below = 0;
  for (std::size_t l = 0;; ++l) {
    below += std::exp(log_choose + log_half);  // P(binomial <= l)
    if (below > tail || 2 * l >= n) return l;
    log_choose += std::log(static_cast<double>(n - l)) - std::log(static_cast<double>(l + 1));
  }
}

}  // namespace

tl::expected<MedianScore, Undefined> median(std::span<const double> sorted, double level) {
  if (sorted.empty()) return tl::unexpected(Undefined{"there are no values"});
  const std::size_t n = sorted.size(), l = rank_of(n, (1 - level) / 2);
  MedianScore score{sorted_quantile(sorted, 0.5), undefined("too few values for an interval")};
  if (l > 0) score.ci = Interval{sorted[l - 1], sorted[n - l]};
  return score;
}

}  // namespace plumb::stats
