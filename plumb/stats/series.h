// How one series moves with another, both measured at the same checkpoints, whose errors hang
// together in time.
//
//   auto link = series_link(reward, accuracy, 0.95);
//   link->slope, link->slope_ci, link->correlation, link->correlation_ci, link->p_value;
//
// y = a + b x + e, where e is a normal autoregression of order one (autoregression.h). Were its
// autocorrelation r known, least squares of the whitened series would have Student's interval with
// two degrees of freedom fewer than there are checkpoints. It is averaged over: intervals are the
// quantiles of that mixture of Student's distributions, estimates its medians.
//
// The correlation is the one that so many checkpoints are expected to show,
// b sqrt(xx) / sqrt(b^2 xx + E ee), with the squares xx of x about its mean and those expected of
// the errors. Where errors do not hang together its quantiles are those of the classical interval
// by the noncentral t distribution. It has the sign of the slope, and excludes 0 where that does.
//
// Coverage of both at 95 % with 8 to 40 checkpoints and errors of autocorrelation 0, 0.3 and 0.6:
// docs/links.md.
#pragma once

#include <cstddef>
#include <span>
#include <tl/expected.hpp>

#include "plumb/stats/score.h"

namespace plumb::stats {

struct SeriesLink {
  double slope;  // of y on x
  Interval slope_ci;
  double correlation;
  Interval correlation_ci;
  double p_value;          // two-sided, that both are 0
  double autocorrelation;  // of the errors, averaged over
  double freedom;          // size - 2
  double pearson;          // as if errors did not hang together
};

// Undefined: fewer than six points; a side is constant; a value is not finite.
// REQUIRES: x.size() == y.size(); 0 < level < 1.
tl::expected<SeriesLink, Undefined> series_link(std::span<const double> x,
                                                std::span<const double> y, double level);

// Student's t with a noncentrality: (z + noncentrality) / sqrt(chi^2 / freedom).
class NoncentralT {
 public:
  explicit NoncentralT(double freedom);  // REQUIRES: freedom > 0
  // P(T > t) to 1e-6, also where both are large. REQUIRES: finite.
  double above(double t, double noncentrality) const;

 private:
  double freedom_, log_scale_;
  double low_, high_;  // sqrt(chi^2 / freedom) is hardly ever elsewhere
};

}  // namespace plumb::stats
