#include "plumb/mismatch/links/link_a.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace plumb::mismatch {
namespace {

LinkRow ceiling_row(const RunDraws& run, const CurveReport& curve) {
  LinkRow row{.link = Link::kA, .run = run.name, .measure = "slope of the gold at the end"};
  row.n = run.prompts;
  row.of = "prompts";
  if (!curve.ceiling) {
    row.reason = curve.ceiling.error().reason;
    return row;
  }
  const stats::Ceiling& ceiling = *curve.ceiling;
  row.estimate = ceiling.slope_end;
  row.ci = ceiling.slope_end_ci;
  row.deviation = ceiling.slope_deviation;
  row.resolution = curve.resolution;
  row.note = ceiling.detected
                 ? fmt::format("the gold is highest at d = {:.2f} [{:.2f}, {:.2f}]: the ceiling",
                               ceiling.d_star, ceiling.d_star_ci.low, ceiling.d_star_ci.high)
                 : fmt::format("no ceiling is shown below d = {:.2f}", ceiling.d_max);
  return row;
}

LinkRow ceiling_place(const RunDraws& run, const CurveReport& curve) {
  LinkRow row{.link = Link::kA, .run = run.name, .measure = "ceiling d*"};
  row.n = run.prompts;
  row.of = "prompts";
  if (!curve.ceiling || !curve.ceiling->detected) {
    row.reason = curve.ceiling ? "no turn-over is shown below the largest d"
                               : std::string(curve.ceiling.error().reason);
    return row;
  }
  row.estimate = curve.ceiling->d_star;
  row.ci = curve.ceiling->d_star_ci;
  return row;
}

std::string without_gold(const RunDraws& run) {
  if (!run.has_gold) return "no sample has a \"gold\"";
  return "";
}

// A prompt that stands where it stood has not fallen.
std::string unmoved_prompts(const RunDraws& run) {
  const std::size_t last = run.path.points.size() - 1;
  const auto unmoved = std::ranges::count_if(
      run.path.cells, [&](const Cell& cell) { return cell.point == last && cell.gold == 0; });
  if (unmoved == 0) return "";
  return fmt::format("{} prompt{}{} stayed as {} at the start, which counts as not fallen", unmoved,
                     unmoved == 1 ? "" : "s", run.seeds > 1 ? " of the first seed" : "",
                     unmoved == 1 ? "it was" : "they were");
}

}  // namespace

std::vector<CurveReport> gold_curve(const RunDraws& run, const stats::BootstrapOptions& sampling) {
  const Curve curve = curve_of(run.path, Quantity::kGold, "gold");
  if (curve.d.empty() || run.seeds > 1) return {};
  const bool best = run.path.kind == TrajectoryKind::kBestOfN;
  return fit_curves(
      std::vector{curve},
      {.form = best ? stats::CurveForm::kBestOfN : stats::CurveForm::kRl, .sampling = sampling});
}

std::vector<LinkRow> link_a(const RunDraws& run, const LinkAOptions& options) {
  std::vector<LinkRow> rows;
  const std::string missing = without_gold(run);
  const auto add = [&](std::string measure, std::size_t column) -> LinkRow& {
    rows.push_back(run.row(Link::kA, std::move(measure), column, options.sampling));
    if (!missing.empty()) rows.back().reason = missing;
    return rows.back();
  };
  LinkRow& later = add("gold per proxy, later half", run.column(RunColumn::kLaterEfficiency));
  later.resolution = options.efficiency;
  later.headline = true;
  const bool halved = later.ci.has_value();
  LinkRow& whole = add("gold per proxy", run.column(RunColumn::kEfficiency));
  whole.resolution = options.efficiency;
  whole.headline = !halved;
  const auto curves = gold_curve(run, options.sampling);
  if (!curves.empty()) {
    rows.push_back(ceiling_row(run, curves[0]));
    rows.push_back(ceiling_place(run, curves[0]));
  } else if (missing.empty()) {
    rows.push_back(missing_row(Link::kA, "slope of the gold at the end",
                               run.seeds > 1 ? "fitted to single runs, not to pooled seeds"
                                             : "no checkpoint has a distance"));
    rows.back().run = run.name;
  }
  add("gap at the end", run.column(RunColumn::kGap));
  LinkRow& falls = add("share of prompts whose gold falls", run.column(RunColumn::kFalls));
  as_share(falls, options.sampling.level);
  if (falls.estimate) falls.note = unmoved_prompts(run);
  add("Gini of the gold gains", run.column(RunColumn::kGini));
  if (run.path.kind == TrajectoryKind::kBestOfN) return rows;
  const std::size_t end = run.points.size() - 1;
  LinkRow& accuracy =
      add("pairs ordered right at the end", run.column(end, PointColumn::kAccuracy));
  as_share(accuracy, options.sampling.level);
  accuracy.null = 0.5;
  accuracy.resolution = options.accuracy;
  LinkRow& change =
      add("pairs ordered right, since the start", run.column(RunColumn::kAccuracyChange));
  as_bounded(change, -1, 1, options.sampling.level);
  if (missing.empty() && run.flat_start) {
    take_away(change, "samples of a prompt do not differ in the proxy at the start");
  }
  LinkRow& tau = add("tau within prompts at the end", run.column(end, PointColumn::kTau));
  as_bounded(tau, -1, 1, options.sampling.level);
  tau.resolution = options.tau;
  LinkRow& sure =
      add("overconfidence, since the start", run.column(RunColumn::kOverconfidenceChange));
  if (missing.empty() && !run.no_temperature.empty()) sure.reason = run.no_temperature;
  return rows;
}

}  // namespace plumb::mismatch
