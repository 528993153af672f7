#include "plumb/stats/equivalence.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>

#include "plumb/stats/intervals.h"

namespace plumb::stats {
namespace {

double above(double t, double freedom) {
  if (std::isinf(t)) return t > 0 ? 0 : 1;
  if (std::isinf(freedom)) return normal_cdf(-t);
  return boost::math::cdf(boost::math::complement(boost::math::students_t(freedom), t));
}

}  // namespace

double student_quantile(double p, double freedom) {
  assert(0 < p && p < 1 && freedom > 0);
  if (std::isinf(freedom)) return normal_quantile(p);
  return boost::math::quantile(boost::math::students_t(freedom), p);
}

Equivalence equivalence_test(double difference, double deviation, double freedom, double margin,
                             double level) {
  assert(deviation >= 0 && margin > 0 && 0.5 < level && level < 1);
  const double reach = student_quantile(level, freedom) * deviation;
  const auto p_of = [&](double distance) {
    if (deviation == 0) return distance > 0 ? 0.0 : 1.0;
    return above(distance / deviation, freedom);
  };
  const double p = std::max(p_of(difference + margin), p_of(margin - difference));
  return {p, p < 1 - level, {difference - reach, difference + reach}};
}

double detectable_difference(double deviation, double freedom, double level, double power) {
  return (student_quantile((1 + level) / 2, freedom) + student_quantile(power, freedom)) *
         deviation;
}

}  // namespace plumb::stats
