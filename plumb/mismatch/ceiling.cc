#include "plumb/mismatch/ceiling.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "plumb/stats/equivalence.h"
#include "plumb/stats/few_prompts.h"
#include "plumb/stats/hierarchical.h"
#include "plumb/stats/intervals.h"

namespace plumb::mismatch {
namespace {

using stats::CurveForm;

constexpr double kSupport = 0.975;

CurveForm form_of(const Curve& curve, const FitOptions& options, CurveReport& report) {
  if (options.form) {
    report.choice_note = "The form was given.";
    return *options.form;
  }
  const auto choice = stats::choose_form(curve.data(), options.sampling);
  const auto extrapolation = stats::extrapolation_error(curve.data());
  if (extrapolation) report.extrapolation = *extrapolation;
  report.either_form = !choice || choice->support < kSupport;
  if (!choice) {
    report.choice_note = fmt::format("Which form it is cannot be told: {}.", choice.error().reason);
    return CurveForm::kBestOfN;
  }
  report.choice = *choice;
  report.choice_note = fmt::format("The form is the nearer one, as in {:.1f} % of the resamples.",
                                   100 * choice->support);
  return choice->form;
}

stats::Interval hull(const stats::Interval& a, const stats::Interval& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

// What holds under the other form as well.
void widen(const Curve& curve, const FitOptions& options, CurveReport& report) {
  stats::Ceiling& own = *report.ceiling;
  const CurveForm other_form = own.form == CurveForm::kRl ? CurveForm::kBestOfN : CurveForm::kRl;
  const auto other = stats::measure_ceiling(other_form, curve.data(), options.sampling);
  if (!other) return;
  own.d_star_ci = hull(own.d_star_ci, other->d_star_ci);
  own.r_star_ci = hull(own.r_star_ci, other->r_star_ci);
  own.slope_end_ci = hull(own.slope_end_ci, other->slope_end_ci);
  own.slope_deviation = std::max(own.slope_deviation, other->slope_deviation);
  own.detected = own.detected && other->detected;
  report.choice_note += fmt::format(
      " The forms cannot be told apart: intervals and verdict hold under both (under {} d* is {}).",
      stats::curve_form_name(other_form),
      other->d_star > other->d_max ? "beyond the end" : fmt::format("{:.2f}", other->d_star));
}

// Of the mean over prompts, each by the mean of its rows.
stats::IntervalScore mean_interval(const std::map<std::uint32_t, std::pair<double, double>>& sums,
                                   double level) {
  std::vector<double> means;
  for (const auto& [prompt, sum] : sums) means.push_back(sum.first / sum.second);
  const auto interval = stats::student_interval(means, level);
  if (!interval) return stats::undefined("there are not two prompts");
  return *interval;
}

std::vector<CurvePoint> points_of(const Curve& curve, double level) {
  struct Rows {
    double sum = 0, count = 0;
    std::map<std::uint32_t, std::pair<double, double>> prompts;
  };
  std::map<double, Rows> by_d;
  for (std::size_t i = 0; i < curve.d.size(); ++i) {
    Rows& rows = by_d[curve.d[i]];
    rows.sum += curve.reward[i];
    rows.count += 1;
    if (curve.cluster.empty()) continue;
    auto& [sum, count] = rows.prompts[curve.cluster[i]];
    sum += curve.reward[i];
    count += 1;
  }
  std::vector<CurvePoint> points;
  for (const auto& [d, rows] : by_d) {
    points.push_back({d, rows.sum / rows.count, mean_interval(rows.prompts, level),
                      static_cast<std::size_t>(rows.count), 0});
  }
  return points;
}

double default_resolution(std::span<const CurvePoint> points) {
  const auto [low, high] = std::ranges::minmax(points, {}, &CurvePoint::mean);
  const double range = std::max(high.mean, 0.0) - std::min(low.mean, 0.0);  // R(0) = 0 is one
  return 0.1 * range / points.back().d;
}

// The least slope that an interval of so many prompts would exclude from 0 with power 0.8.
double detectable_slope(const stats::Ceiling& ceiling, double level) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  return stats::detectable_difference(ceiling.slope_deviation, kInfinite,
                                      stats::expanded_level(level, ceiling.clusters));
}

// Figures stay, claims go. Single points have no prompts to be few.
void withhold_from_few(CurveReport& report) {
  const std::size_t prompts = report.ceiling->clusters;
  if (prompts == 0) return;
  report.few = stats::few_prompts(prompts);
  if (!stats::too_few_to_judge(prompts)) return;
  report.verdict = Verdict::kInsufficient;
  report.ceiling->detected = false;
}

CurveReport report_on(const Curve& curve, const FitOptions& options) {
  CurveReport report;
  report.name = curve.name;
  report.shifted = curve.shifted;
  report.points = points_of(curve, options.sampling.level);
  if (curve.d.empty()) {
    report.ceiling = stats::undefined("all points lie at the start");
    return report;
  }
  const CurveForm form = form_of(curve, options, report);
  report.ceiling = stats::measure_ceiling(form, curve.data(), options.sampling);
  if (!report.ceiling) return report;
  if (report.either_form) widen(curve, options, report);
  for (CurvePoint& point : report.points) {
    point.fitted = stats::curve_value(form, report.ceiling->fit.curve, point.d);
  }
  report.resolution = options.resolution.value_or(default_resolution(report.points));
  report.verdict = verdict_of(report.ceiling->slope_end_ci, report.resolution);
  report.detectable = detectable_slope(*report.ceiling, options.sampling.level);
  withhold_from_few(report);
  return report;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  constexpr std::string_view kNames[] = {"aligned", "decoupled", "inverted",
                                         "insufficient evidence"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Verdict verdict_of(const stats::Interval& slope, double resolution) {
  if (slope.low > 0) return Verdict::kAligned;
  if (slope.high < 0) return Verdict::kInverted;
  const bool narrow = -resolution < slope.low && slope.high < resolution;
  return narrow ? Verdict::kDecoupled : Verdict::kInsufficient;
}

std::vector<CurveReport> fit_curves(std::span<const Curve> curves, const FitOptions& options) {
  std::vector<CurveReport> reports;
  for (const Curve& curve : curves) {
    CurveReport report = report_on(curve, options);
    report.left_out = curve.left_out;
    report.notes = curve.notes;
    if (!curve.doubt.empty()) {
      report.ceiling = stats::undefined(curve.doubt);
      report.verdict = Verdict::kInsufficient;
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace plumb::mismatch
