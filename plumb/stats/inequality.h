// How unequally a total is spread.
//
//   Score gini_of_gains = gini(gains);
#pragma once

#include <cstdint>
#include <span>

#include "plumb/stats/score.h"

namespace plumb::stats {

// Gini's coefficient where values may be negative: the mean difference of two values over twice the
// mean size, sum |x_i - x_j| / (2 n sum |x|) (Raffinetti, Siletti and Vernizzi 2015), in [0, 1];
// Gini's own where none is negative. counts: how often each value stands; empty: once.
// Undefined: no values; all are 0; a value is not finite.
// REQUIRES: counts is empty or as long as values.
Score gini(std::span<const double> values, std::span<const std::uint32_t> counts = {});

}  // namespace plumb::stats
