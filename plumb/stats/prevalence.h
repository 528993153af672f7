// How common something is, from a test that errs: the share that it finds, corrected for a
// sensitivity and a specificity that were themselves measured on a sample.
//
// Who uses it: shares of refusals found by matching strings.
// Guarantees: a value in [0, 1] with 0 <= low <= value <= high <= 1, or the reason why there is
// none.
//
//   auto prevalence = corrected_prevalence({121, 250}, {148, 150}, {89, 100}, 0.95);
#pragma once

#include <tl/expected.hpp>

#include "plumb/stats/score.h"

namespace plumb::stats {

struct Successes {
  double successes, trials;
};

struct Prevalence {
  double value;
  Interval ci;
  double sensitivity, specificity;  // as measured
};

// (found + specificity - 1) / (sensitivity + specificity - 1), cut to [0, 1] (Rogan and Gladen
// 1978), with the interval of Lang and Reiczigel 2014, which carries the sampling errors of all
// three shares; widened to hold the value where that is cut.
// found: positives of the test; sensitive: positives among those that have it; specific: negatives
// among those that have it not. Undefined: no trials somewhere; a test that is no better than
// chance, adjusted or not; an interval that lies wholly outside [0, 1], which says that the test
// errs differently on these items than where its errors were measured. REQUIRES: 0 <= successes <=
// trials; 0 < level < 1.
tl::expected<Prevalence, Undefined> corrected_prevalence(Successes found, Successes sensitive,
                                                         Successes specific, double level);

}  // namespace plumb::stats
