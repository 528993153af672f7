// Normal draws, and the normal errors behind intervals.
//
//   Stream stream(seed, "errors", resample);
//   const double error = deviation * normal_draw(stream);
#pragma once

#include "plumb/base/random.h"
#include "plumb/stats/score.h"

namespace plumb::stats {

// Of mean 0 and deviation 1: the quantile of one uniform draw, never infinite.
double normal_draw(Stream& stream);

// The standard error whose normal interval of this level is as long. REQUIRES: 0 < level < 1.
double normal_error(const Interval& ci, double level);

}  // namespace plumb::stats
