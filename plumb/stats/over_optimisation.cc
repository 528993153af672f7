#include "plumb/stats/over_optimisation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/stats/hierarchical.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/normal.h"

namespace plumb::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kFolds = 5;

// The second regressor: R = a d + b x.
double regressor(CurveForm form, double d) {
  if (d == 0) return 0;
  return form == CurveForm::kBestOfN ? -d * d : -d * std::log(d);
}

// Sums of products of d, x and R: all that least squares needs of some rows.
struct Moments {
  double dd = 0, dx = 0, xx = 0, dr = 0, xr = 0, rr = 0;

  void add(CurveForm form, double d, double reward) {
    const double x = regressor(form, d);
    dd += d * d, dx += d * x, xx += x * x;
    dr += d * reward, xr += x * reward, rr += reward * reward;
  }
  void add(const Moments& other, double times) {
    dd += times * other.dd, dx += times * other.dx, xx += times * other.xx;
    dr += times * other.dr, xr += times * other.xr, rr += times * other.rr;
  }
  double determinant() const { return dd * xx - dx * dx; }
  // One d alone, or none: a and b cannot be told apart.
  bool singular() const { return !(determinant() > 1e-12 * dd * xx); }
  CurveCoefficients solve() const {
    const double det = determinant();
    return {(xx * dr - dx * xr) / det, (dd * xr - dx * dr) / det};
  }
  double residual() const {
    const CurveCoefficients curve = solve();
    return rr - curve.a * dr - curve.b * xr;
  }
};

std::string_view fault_of(const CurveData& data) {
  for (std::size_t i = 0; i < data.d.size(); ++i) {
    if (!std::isfinite(data.d[i]) || !std::isfinite(data.reward[i])) return "a value is not finite";
    if (data.d[i] < 0) return "a distance d is negative";
  }
  return {};
}

std::vector<Moments> moments_by_cluster(CurveForm form, const CurveData& data) {
  std::vector<Moments> moments;
  for (std::size_t i = 0; i < data.d.size(); ++i) {
    const std::size_t cluster = data.cluster[i];
    if (cluster >= moments.size()) moments.resize(cluster + 1);
    moments[cluster].add(form, data.d[i], data.reward[i]);
  }
  return moments;
}

using Coefficients = std::vector<CurveCoefficients>;

Coefficients resampled(std::span<const Moments> clusters, const BootstrapOptions& options) {
  std::vector<CurveCoefficients> draws(options.resamples, {kInfinity, kInfinity});
  parallel_for(options.resamples, 64, options.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      Stream stream(options.seed, "ceiling", r);
      Moments sum;
      for (std::size_t i = 0; i < clusters.size(); ++i) {
        sum.add(clusters[stream.below(clusters.size())], 1);
      }
      if (!sum.singular()) draws[r] = sum.solve();
    }
  });
  std::erase_if(draws, [](const CurveCoefficients& draw) { return !std::isfinite(draw.a); });
  return draws;
}

// a and b from their t distribution: normal with the covariance of least squares, the error
// variance drawn from its inverse chi-square.
Coefficients implied_draws(const Moments& moments, const CurveFit& fit,
                           const BootstrapOptions& options) {
  const auto freedom = static_cast<double>(fit.points - 2);
  const double variance = fit.rss / freedom, det = moments.determinant();
  const double deviation_a = std::sqrt(variance * moments.xx / det);
  const double deviation_b = std::sqrt(variance * moments.dd / det);
  const double correlation = -moments.dx / std::sqrt(moments.dd * moments.xx);
  Coefficients draws;
  for (std::size_t r = 0; r < options.resamples; ++r) {
    Stream stream(options.seed, "ceiling", r);
    double chi_square = 0;
    for (std::size_t i = 2; i < fit.points; ++i) {
      const double z = normal_draw(stream);
      chi_square += z * z;
    }
    const double scale = std::sqrt(freedom / chi_square);
    const double u = normal_draw(stream), v = normal_draw(stream);
    const double w = correlation * u + std::sqrt(1 - correlation * correlation) * v;
    draws.push_back({fit.curve.a + scale * deviation_a * u, fit.curve.b + scale * deviation_b * w});
  }
  return draws;
}

// Quantiles of values of which some are infinite.
Interval quantiles(std::vector<double> values, double level) {
  std::ranges::sort(values);
  const auto at = [&](double p) {
    const double place = p * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double above = values[std::min(below + 1, values.size() - 1)];
    if (values[below] == above || place == static_cast<double>(below)) return values[below];
    return std::isinf(above) ? above
                             : std::lerp(values[below], above, place - static_cast<double>(below));
  };
  return {at((1 - level) / 2), at((1 + level) / 2)};
}

template <typename Value>
std::vector<double> each(const Coefficients& draws, Value value) {
  std::vector<double> result;
  for (const CurveCoefficients& draw : draws) result.push_back(value(draw));
  return result;
}

double deviation(std::span<const double> values) {
  double mean = 0, squares = 0;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) mean += value / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return n < 2 ? 0 : std::sqrt(squares / (n - 1));
}

Ceiling ceiling_of(CurveForm form, const CurveFit& fit, double d_max, const Coefficients& draws,
                   double level) {
  // Where nothing moves every d is as high as any: no peak is shown.
  const auto peak = [&](const CurveCoefficients& curve) {
    return curve.a == 0 && curve.b == 0 ? kInfinity : curve_peak(form, curve);
  };
  const auto best = [&](const CurveCoefficients& curve) {
    return curve_value(form, curve, std::min(peak(curve), d_max));
  };
  const auto slope = [&](const CurveCoefficients& curve) {
    return curve_slope(form, curve, d_max);
  };
  const std::vector<double> slopes = each(draws, slope);
  Ceiling ceiling{.form = form,
                  .fit = fit,
                  .d_max = d_max,
                  .d_star = peak(fit.curve),
                  .slope_end = slope(fit.curve),
                  .a_ci = quantiles(each(draws, [](const auto& c) { return c.a; }), level),
                  .b_ci = quantiles(each(draws, [](const auto& c) { return c.b; }), level),
                  .d_star_ci = quantiles(each(draws, peak), level),
                  .slope_end_ci = quantiles(slopes, level),
                  .r_star_ci = quantiles(each(draws, best), level),
                  .r_star = best(fit.curve),
                  .slope_deviation = deviation(slopes),
                  .detected = false,
                  .clusters = 0,
                  .resamples = draws.size()};
  ceiling.detected = ceiling.turns_below_end();
  return ceiling;
}

}  // namespace

std::string_view curve_form_name(CurveForm form) {
  return form == CurveForm::kBestOfN ? "bon" : "rl";
}

double curve_value(CurveForm form, const CurveCoefficients& curve, double d) {
  return curve.a * d + curve.b * regressor(form, d);
}

double curve_slope(CurveForm form, const CurveCoefficients& curve, double d) {
  assert(d > 0);
  if (form == CurveForm::kBestOfN) return curve.a - 2 * curve.b * d;
  return curve.a - curve.b * (1 + std::log(d));
}

double curve_peak(CurveForm form, const CurveCoefficients& curve) {
  if (curve.b > 0) {
    if (form == CurveForm::kRl) return std::exp(curve.a / curve.b - 1);
    return std::max(0.0, curve.a / (2 * curve.b));
  }
  return curve.b < 0 || curve.a > 0 ? kInfinity : 0;
}

tl::expected<CurveFit, Undefined> fit_curve(CurveForm form, const CurveData& data) {
  assert(data.d.size() == data.reward.size());
  if (const auto fault = fault_of(data); !fault.empty()) return undefined(fault);
  Moments moments;
  std::size_t points = 0;
  for (std::size_t i = 0; i < data.d.size(); ++i) {
    moments.add(form, data.d[i], data.reward[i]);
    points += data.d[i] > 0 ? 1 : 0;
  }
  if (moments.singular()) return undefined("a curve needs two different distances d above 0");
  CurveFit fit{moments.solve(), 0, points};
  for (std::size_t i = 0; i < data.d.size(); ++i) {
    const double residual = data.reward[i] - curve_value(form, fit.curve, data.d[i]);
    if (data.d[i] > 0) fit.rss += residual * residual;
  }
  return fit;
}

tl::expected<Ceiling, Undefined> measure_ceiling(CurveForm form, const CurveData& data,
                                                 const BootstrapOptions& options) {
  const auto fit = fit_curve(form, data);
  if (!fit) return tl::unexpected(fit.error());
  if (std::ranges::all_of(data.reward, [](double reward) { return reward == 0; })) {
    return undefined("the reward does not move: it is what it was at the start everywhere");
  }
  const double d_max = std::ranges::max(data.d);
  if (data.cluster.empty()) {
    if (fit->points < 4)
      return undefined("four points or more are needed where there are no prompts");
    Moments moments;
    for (std::size_t i = 0; i < data.d.size(); ++i) moments.add(form, data.d[i], data.reward[i]);
    return ceiling_of(form, *fit, d_max, implied_draws(moments, *fit, options), options.level);
  }
  const std::vector<Moments> clusters = moments_by_cluster(form, data);
  if (clusters.size() < 2) return undefined("one prompt shows no variation over prompts");
  const Coefficients draws = resampled(clusters, options);
  const auto missing = static_cast<double>(options.resamples - draws.size());
  if (missing > options.undefined_share * static_cast<double>(options.resamples)) {
    return undefined("too many resamples have fewer than two different distances d");
  }
  const double level = expanded_level(options.level, clusters.size());
  Ceiling ceiling = ceiling_of(form, *fit, d_max, draws, level);
  ceiling.clusters = clusters.size();
  return ceiling;
}

namespace {

struct SquaredErrors {
  double total = 0, rows = 0;
};

// Fitted on the lower part of some clusters, judged on the upper part of the others.
struct Extrapolation {
  const CurveData& data;
  double limit;  // the largest d of the lower part

  std::size_t cluster(std::size_t row) const {
    return data.cluster.empty() ? 0 : data.cluster[row];
  }

  // Adds the errors of one fold; false where no curve can be fitted.
  bool judge(CurveForm form, std::size_t fold, std::size_t folds, SquaredErrors& sum) const {
    const auto held_out = [&](std::size_t i) { return cluster(i) % folds == fold; };
    Moments moments;
    for (std::size_t i = 0; i < data.d.size(); ++i) {
      if (data.d[i] <= limit && (folds == 1 || !held_out(i))) {
        moments.add(form, data.d[i], data.reward[i]);
      }
    }
    if (moments.singular()) return false;
    const CurveCoefficients curve = moments.solve();
    for (std::size_t i = 0; i < data.d.size(); ++i) {
      if (data.d[i] <= limit || !held_out(i)) continue;
      const double error = data.reward[i] - curve_value(form, curve, data.d[i]);
      sum.total += error * error;
      sum.rows += 1;
    }
    return true;
  }
};

}  // namespace

tl::expected<FormChoice, Undefined> choose_form(const CurveData& data,
                                                const BootstrapOptions& options) {
  if (const auto fault = fault_of(data); !fault.empty()) return undefined(fault);
  std::set<double> distances;
  for (const double d : data.d) {
    if (d > 0) distances.insert(d);
  }
  if (distances.size() < 3) return undefined("both forms meet fewer than three distances d alike");
  std::vector<std::uint32_t> points(data.d.size());
  std::iota(points.begin(), points.end(), 0);
  const CurveData clustered{data.d, data.reward, data.cluster.empty() ? points : data.cluster};
  const std::array clusters = {moments_by_cluster(CurveForm::kBestOfN, clustered),
                               moments_by_cluster(CurveForm::kRl, clustered)};
  std::array<Moments, 2> all;
  for (std::size_t f = 0; f < 2; ++f) {
    for (const Moments& one : clusters[f]) all[f].add(one, 1);
  }
  const auto nearer = [](const std::array<Moments, 2>& sums) {
    return sums[0].residual() <= sums[1].residual() ? CurveForm::kBestOfN : CurveForm::kRl;
  };
  const auto rows = static_cast<double>(data.d.size());
  FormChoice choice{nearer(all), {all[0].residual() / rows, all[1].residual() / rows}, 0};
  double drawn = 0;
  for (std::size_t r = 0; r < options.resamples; ++r) {
    Stream stream(options.seed, "curve-form", r);
    std::array<Moments, 2> sums;
    for (std::size_t i = 0; i < clusters[0].size(); ++i) {
      const std::uint32_t cluster = stream.below(clusters[0].size());
      for (std::size_t f = 0; f < 2; ++f) sums[f].add(clusters[f][cluster], 1);
    }
    if (sums[0].singular() || sums[1].singular()) continue;
    drawn += 1;
    choice.support += nearer(sums) == choice.form ? 1 : 0;
  }
  choice.support = drawn == 0 ? 0 : choice.support / drawn;
  return choice;
}

tl::expected<std::array<double, 2>, Undefined> extrapolation_error(const CurveData& data,
                                                                   double share) {
  assert(0 < share && share < 1);
  if (const auto fault = fault_of(data); !fault.empty()) return undefined(fault);
  if (data.d.empty()) return undefined("there are no points");
  constexpr std::string_view kTooFew = "too few distances d to hold the largest out";
  const Extrapolation test{data, share * std::ranges::max(data.d)};
  std::set<double> lower, upper;
  for (const double d : data.d) {
    if (d > 0) (d <= test.limit ? lower : upper).insert(d);
  }
  if (lower.size() < 3 || upper.empty()) return undefined(kTooFew);
  const std::size_t clusters =
      data.cluster.empty() ? 1 : std::ranges::max(data.cluster) + std::size_t{1};
  if (!data.cluster.empty() && clusters < 2) return undefined("one prompt cannot be held out");
  const std::size_t folds = data.cluster.empty() ? 1 : std::min(kFolds, clusters);
  std::array<double, 2> errors{};
  for (const CurveForm form : {CurveForm::kBestOfN, CurveForm::kRl}) {
    SquaredErrors sum;
    for (std::size_t fold = 0; fold < folds; ++fold) {
      if (!test.judge(form, fold, folds, sum)) return undefined(kTooFew);
    }
    errors[static_cast<std::size_t>(form)] = sum.total / sum.rows;
  }
  return errors;
}

}  // namespace plumb::stats
