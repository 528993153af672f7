// Whether a difference is small enough not to matter, which a test that finds no difference does
// not show.
//
//   Equivalence tax = equivalence_test(-0.004, 0.006, 199, 0.02, 0.95);
//   if (tax.equivalent) ...
#pragma once

#include "plumb/stats/score.h"

namespace plumb::stats {

struct Equivalence {
  double p_value;   // the larger of the two one-sided p-values
  bool equivalent;  // p_value < 1 - level: the interval of level 1 - 2 (1 - level) lies within
  Interval ci;      // that interval
};

// Two one-sided t tests (Schuirmann 1987): that the difference is above -margin and below margin.
// freedom: of the deviation of the estimate; infinity: the normal distribution.
// REQUIRES: deviation >= 0; freedom > 0; margin > 0; 0.5 < level < 1.
Equivalence equivalence_test(double difference, double deviation, double freedom, double margin,
                             double level);

// The t below which a share p of Student's distribution lies; infinite freedom: the normal one.
// REQUIRES: 0 < p < 1; freedom > 0.
double student_quantile(double p, double freedom);

// What a two-sided test at 1 - level finds with this power, in the unit of the deviation: the sum
// of both quantiles times the deviation (Lachin 1981).
double detectable_difference(double deviation, double freedom, double level, double power = 0.8);

}  // namespace plumb::stats
