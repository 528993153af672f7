// The median with an interval that assumes nothing about the distribution.
#pragma once

#include <span>

#include "plumb/stats/score.h"

namespace plumb::stats {

struct MedianScore {
  double value;
  IntervalScore ci;
};

// The interval lies between two order statistics: from the l-th smallest value to the l-th largest,
// with the largest l for which a binomial(n, 1/2) variable is below l with probability at most
// (1 - level) / 2 (Conover 1999, section 3.2). It covers the median at least as often as `level`
// says. Undefined: no values; the interval where n is too small (below 6 for 0.95).
// REQUIRES: values sorted ascending; 0 < level < 1.
tl::expected<MedianScore, Undefined> median(std::span<const double> sorted, double level);

}  // namespace plumb::stats
