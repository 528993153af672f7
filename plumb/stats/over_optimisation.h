// Where more optimisation stops helping: the gold score R as a function of d = sqrt(KL), in the two
// forms of Gao, Schulman and Hilton 2023,
//
//   best of n   R(d) = d (a - b d)        highest at a / (2 b),       R* = a^2 / (4 b)
//   rl          R(d) = d (a - b log d)    highest at e^(a / b - 1),   R* = b d*
//
// with R(0) = 0. Both are linear in a and b, so least squares is exact and there is nothing to
// start or to converge. Rows of several prompts are resampled by prompts, the whole curve of each
// at once, for the points of one prompt or one pool of samples are far from independent.
//
//   const CurveData data{.d = d, .reward = gold, .cluster = prompt};
//   auto ceiling = measure_ceiling(CurveForm::kRl, data, {.resamples = 1000});
//   if (ceiling->detected) ceiling->d_star, ceiling->d_star_ci;
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "plumb/stats/bootstrap.h"
#include "plumb/stats/score.h"

namespace plumb::stats {

enum class CurveForm { kBestOfN, kRl };

std::string_view curve_form_name(CurveForm form);  // "bon", "rl"

struct CurveCoefficients {
  double a, b;
};

double curve_value(CurveForm form, const CurveCoefficients& curve, double d);  // 0 at d = 0
double curve_slope(CurveForm form, const CurveCoefficients& curve, double d);  // REQUIRES: d > 0

// The d at which R is highest on [0, infinity): infinity where it rises without end, 0 where it
// falls from the start.
double curve_peak(CurveForm form, const CurveCoefficients& curve);

// Rows of d and reward. cluster: the prompt of each, numbered from 0 without gaps; empty: rows are
// single points with errors of their own.
struct CurveData {
  std::span<const double> d, reward;
  std::span<const std::uint32_t> cluster = {};
};

struct CurveFit {
  CurveCoefficients curve;
  double rss;          // over the rows
  std::size_t points;  // rows with d > 0
};

// Ordinary least squares through the origin. Undefined: fewer than two different d above 0; a value
// is not finite; a negative d.
tl::expected<CurveFit, Undefined> fit_curve(CurveForm form, const CurveData& data);

// A bound may be infinite: the data do not exclude that R rises without end.
struct Ceiling {
  CurveForm form;
  CurveFit fit;
  double d_max;      // the largest d of the rows
  double d_star;     // curve_peak of the fit; infinite where there is none
  double slope_end;  // R'(d_max) of the fit
  Interval a_ci, b_ci, d_star_ci, slope_end_ci;
  Interval r_star_ci;      // of R at the peak, at d_max in resamples whose peak lies beyond
  double r_star;           // the same of the fit
  double slope_deviation;  // standard deviation of slope_end over the resamples
  bool detected;           // turns_below_end(), unless who judges the curve withholds it
  std::size_t clusters;    // 0: single points
  std::size_t resamples;

  // The whole interval of d_star lies below d_max: no part of it is extrapolated.
  bool turns_below_end() const { return d_star_ci.high < d_max; }
};

// With two clusters or more, percentile intervals over resampled clusters, at the expanded level of
// so many (stats/hierarchical.h); resample r takes Stream(seed, "ceiling", r). Single points: a and
// b drawn from the t distribution with points - 2 degrees of freedom that their fit implies, which
// takes errors as independent and of one size. Undefined: no fit; every reward is 0; one cluster;
// single points fewer than four; more than options.undefined_share of the resamples without a fit.
// One that does not move has no peak.
tl::expected<Ceiling, Undefined> measure_ceiling(CurveForm form, const CurveData& data,
                                                 const BootstrapOptions& options);

// Which form is nearer to the rows. Both have two coefficients, so the smaller residuals decide,
// and how sure that is shows in resamples of the clusters. (Extrapolation alone chose the wrong
// form of best-of-n curves more often than not where noise was as usual; it is reported beside.)
struct FormChoice {
  CurveForm form;
  std::array<double, 2> residual;  // mean squared over rows, by form
  double support;                  // share of resamples in which the same form is nearer
};

// Single points are resampled as clusters of one. Resample r takes Stream(seed, "curve-form", r).
// Undefined: fewer than three different d above 0, which both forms meet alike; a value is not
// finite; a negative d.
tl::expected<FormChoice, Undefined> choose_form(const CurveData& data,
                                                const BootstrapOptions& options);

// Mean squared error, by form, of rows beyond share * d_max as predicted from the rows up to there,
// of clusters that took no part in the fit (five folds). Single points: all of them.
// Undefined: fewer than three different d above 0 in the lower part, or none beyond; one cluster.
tl::expected<std::array<double, 2>, Undefined> extrapolation_error(const CurveData& data,
                                                                   double share = 0.6);

}  // namespace plumb::stats
