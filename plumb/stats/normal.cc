#include "plumb/stats/normal.h"

#include <algorithm>

#include "plumb/stats/intervals.h"

namespace plumb::stats {

double normal_draw(Stream& stream) {
  return normal_quantile(std::clamp(stream.uniform(), 1e-15, 1 - 1e-15));
}

double normal_error(const Interval& ci, double level) {
  return (ci.high - ci.low) / (2 * normal_quantile((1 + level) / 2));
}

}  // namespace plumb::stats
