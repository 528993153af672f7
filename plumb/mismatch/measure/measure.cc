#include "plumb/mismatch/measure/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "plumb/base/random.h"
#include "plumb/rlhf/sample_files.h"
#include "plumb/stats/few_prompts.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/sums.h"

namespace plumb::mismatch {
namespace {

// A curve starts at no reward and d = 0. A trainer's first step may be a little off the reference;
// one that is farther has gained what nobody measured.
constexpr double kFarStart = 0.1;  // of the farthest point

bool starts_far_off(const Trajectory& path) {
  double farthest = 0;
  for (const TrajectoryPoint& point : path.points)
    farthest = std::max(farthest, point.d.value_or(0));
  return path.start_d > kFarStart * farthest;
}

// Why nothing may be claimed of a quantity along a path; "": it may.
std::string_view doubt_of(const Trajectory& path, std::string_view field,
                          std::span<const MissingField> lacking) {
  if (path.kind == TrajectoryKind::kRun && starts_far_off(path))
    return "its start is far from the reference that d is measured from";
  const std::size_t first = path.start.step;
  const std::size_t last = path.kind == TrajectoryKind::kRun ? path.points.back().at : first;
  return too_much_missing(lacking, field, first, last) ? kTooMuchMissing : "";
}

// Proxy and gold of other prompts each are not compared.
void warn_of_gap(TrajectoryMeasure& measure) {
  const auto& points = measure.gap.points;
  const auto worst = std::ranges::max_element(points, {}, [](const GapPoint& point) {
    return std::max(point.with_proxy, point.with_gold) - point.with_both;
  });
  if (worst == points.end() || worst->with_both == 0) return;
  if (worst->with_both == std::max(worst->with_proxy, worst->with_gold)) return;
  const bool best = measure.trajectory.kind == TrajectoryKind::kBestOfN;
  measure.trajectory.warnings.push_back(fmt::format(
      "The gap and its parts are of the prompts that have both: at {} {} proxy stands in {}, gold "
      "in {}, both in {}{}.",
      best ? "n =" : "step",
      measure.trajectory.points[static_cast<std::size_t>(worst - points.begin())].at,
      worst->with_proxy, worst->with_gold, worst->with_both,
      best ? "; the gold of the best of n needs that of all samples of a prompt" : ""));
}

TrajectoryMeasure measure_trajectory(Trajectory trajectory, std::span<const MissingField> lacking,
                                     const MeasureOptions& options) {
  TrajectoryMeasure measure;
  measure.trajectory = std::move(trajectory);
  const Trajectory& path = measure.trajectory;
  const bool best = path.kind == TrajectoryKind::kBestOfN;
  const stats::CurveForm form = best ? stats::CurveForm::kBestOfN : stats::CurveForm::kRl;
  std::vector<Curve> curves;
  for (const auto& [quantity, name] :
       {std::pair(Quantity::kGold, "gold"), std::pair(Quantity::kProxy, "proxy")}) {
    Curve curve = curve_of(path, quantity, name);
    curve.doubt = doubt_of(path, name, lacking);
    if (!curve.d.empty()) curves.push_back(std::move(curve));
  }
  measure.curves = fit_curves(curves, {.form = options.form.value_or(form),
                                       .resolution = options.resolution,
                                       .sampling = options.sampling});
  if (measure.curves.empty()) {
    if (auto few = stats::few_prompts(path.prompts.size())) {
      measure.trajectory.warnings.push_back(std::move(*few));
    }
  }
  for (CurveReport& report : measure.curves) {
    report.choice_note = options.form ? "The form was given."
                         : best       ? "The form is that of best of n."
                                      : "The form is that of an optimiser.";
  }
  measure.gap = measure_gap(path, options.sampling);
  warn_of_gap(measure);
  if (best) return measure;
  const bool lacks = too_much_missing(lacking, "gold", path.start.step, path.points.back().at);
  if (lacks) {
    measure.rules.reason = "more than 5 % of the samples of a step lack gold";
  } else {
    measure.rules = compare_rules(path, options);
  }
  return measure;
}

// Checkpoints with a place on the axis, and their gold by prompt.
struct Checkpoints {
  std::vector<std::size_t> points;
  std::vector<double> gold;   // [checkpoints, prompts]
  std::vector<double> proxy;  // [checkpoints], means; empty where one is missing
};

tl::expected<Checkpoints, std::string> checkpoints_of(const Trajectory& run) {
  if (!run.complete) return tl::unexpected<std::string>("prompts differ between steps");
  if (run.prompts.size() < 4) {
    return tl::unexpected(fmt::format("{} prompts; four or more are needed", run.prompts.size()));
  }
  Checkpoints all;
  bool has_proxy = true;
  for (std::size_t k = 0; k < run.points.size(); ++k) {
    if (!run.points[k].d || *run.points[k].d == 0) continue;
    all.points.push_back(k);
    double proxy = 0;
    for (std::size_t p = 0; p < run.prompts.size(); ++p) {
      const Cell& cell = run.cells[k * run.prompts.size() + p];
      if (std::isnan(cell.gold)) {
        return tl::unexpected(
            fmt::format("the gold of a prompt is missing at step {}", run.points[k].at));
      }
      all.gold.push_back(cell.gold);
      proxy += cell.proxy / static_cast<double>(run.prompts.size());
    }
    has_proxy = has_proxy && !std::isnan(proxy);
    all.proxy.push_back(proxy);
  }
  if (all.points.size() < 2) {
    return tl::unexpected<std::string>("fewer than two checkpoints have a distance above 0");
  }
  if (!has_proxy) return tl::unexpected<std::string>("the proxy is not measured at every step");
  return all;
}

// The columns of `prompts` in a matrix of `width` prompts a row.
std::vector<double> columns_of(const std::vector<double>& matrix, std::size_t width,
                               std::span<const std::size_t> prompts) {
  std::vector<double> part;
  for (std::size_t row = 0; row < matrix.size(); row += width) {
    for (const std::size_t p : prompts) part.push_back(matrix[row + p]);
  }
  return part;
}

stats::IntervalScore mean_interval(std::span<const double> values, double level) {
  const auto interval = stats::student_interval(values, level);
  if (!interval) return stats::undefined("there are not two prompts");
  return *interval;
}

}  // namespace

RuleReport compare_rules(const Trajectory& run, const MeasureOptions& options) {
  RuleReport report;
  const auto all = checkpoints_of(run);
  if (!all) {
    report.reason = all.error();
    return report;
  }
  const std::size_t prompts = run.prompts.size();
  std::vector<std::size_t> order(prompts);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Stream stream(options.sampling.seed, "held-out prompts", 0);
  shuffle(std::span(order), stream);
  const auto choosing = std::span(order).first(prompts / 2);
  const auto reporting = std::span(order).subspan(prompts / 2);
  report.choosing = choosing.size();
  report.reporting = reporting.size();

  MeasuredRun seen{{}, columns_of(all->gold, prompts, choosing), all->proxy, choosing.size()};
  for (const std::size_t k : all->points) seen.d.push_back(*run.points[k].d);
  RuleOptions rules = options.rules;
  rules.stop.looks = std::max<std::size_t>(seen.d.size(), 1);
  if (options.form) rules.stop.form = options.form;
  const auto stop = stats::ceiling_stop(seen.curves(), rules.stop);
  if (stop.stopped_at) report.stopped_at = run.points[all->points[*stop.stopped_at]].at;

  const std::vector<double> held_out = columns_of(all->gold, prompts, reporting);
  const auto row = [&](std::size_t c) {
    return std::span(held_out).subspan(c * reporting.size(), reporting.size());
  };
  std::vector<double> means;
  for (std::size_t c = 0; c < seen.d.size(); ++c) means.push_back(stats::mean(row(c)));
  for (const RuleChoice& choice : choose_checkpoints(seen, rules)) {
    const std::size_t c = choice.checkpoint;
    report.rules.push_back({choice.name, run.points[all->points[c]].at, seen.d[c], means[c],
                            mean_interval(row(c), options.sampling.level), regret(means, c)});
  }
  return report;
}

Result<std::vector<Curve>> curves_of_samples(const SampleTable& table,
                                             std::span<const std::string> quantities) {
  for (const std::string& name : quantities) {
    if (name == "gold" || name == "proxy") continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: samples have no curve of \"{}\"; there are gold and proxy",
                            table.file, name));
  }
  const std::size_t pool = table.steps.size() == 1 ? table.steps[0] : 0;
  const Result<Trajectory> trajectories[] = {best_of_n_trajectory(table, pool),
                                             run_trajectory(table, 0)};
  constexpr const char* kNames[] = {"best of n", "run"};
  const std::vector<MissingField> lacking = missing_fields(table, 0);
  std::vector<Curve> curves;
  std::string reasons;
  for (std::size_t i = 0; i < 2; ++i) {
    if (!trajectories[i]) {
      reasons += fmt::format(" {}: {}.", kNames[i], trajectories[i].error().message);
      continue;
    }
    for (const std::string& name : quantities) {
      const Quantity quantity = name == "gold" ? Quantity::kGold : Quantity::kProxy;
      Curve curve = curve_of(*trajectories[i], quantity, fmt::format("{}/{}", kNames[i], name));
      curve.doubt = doubt_of(*trajectories[i], name, lacking);
      curve.notes = missing_sentences(lacking);
      if (!curve.d.empty()) curves.push_back(std::move(curve));
    }
  }
  if (!curves.empty()) return curves;
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: no curve of {}: not measured, or without a distance.{}", table.file,
                          fmt::join(quantities, ", "), reasons));
}

RunMeasure measure_run(std::string name, const SampleTable& table, const MeasureOptions& options) {
  RunMeasure run;
  run.name = std::move(name);
  run.file = table.file;
  run.sha256 = table.sha256;
  run.samples = table.samples();
  run.prompts = table.prompts.size();
  run.steps = table.steps.size();
  if (!any_measured(table.proxy)) {
    run.missing.push_back(
        fmt::format("No sample has a \"proxy\": what was optimised is not known; {}.",
                    rlhf::how_to_give("proxy", table.file)));
  }
  if (!any_measured(table.gold)) {
    run.missing.push_back(
        fmt::format("No sample has a \"gold\": no ceiling, no gap and no stopping rule can be "
                    "measured; {}.",
                    rlhf::how_to_give("gold", table.file)));
  }
  const bool one_step = table.steps.size() == 1;
  const std::size_t pool =
      options.best_of_n_step.value_or(one_step ? table.steps[0] : options.start);
  const std::size_t first = std::min(pool, options.start);
  run.lacking = missing_fields(table, first);
  run.warnings = sample_warnings(table, first);
  for (std::string& sentence : missing_sentences(run.lacking)) {
    run.missing.push_back(std::move(sentence));
  }
  auto best = best_of_n_trajectory(table, pool);
  if (best) {
    run.trajectories.push_back(measure_trajectory(std::move(*best), run.lacking, options));
  } else {
    run.missing.push_back(fmt::format("Best of n: {}.", best.error().message));
  }
  auto optimiser = run_trajectory(table, options.start);
  if (optimiser) {
    run.trajectories.push_back(measure_trajectory(std::move(*optimiser), run.lacking, options));
  } else if (!one_step || !best) {
    run.missing.push_back(fmt::format("The run: {}.", optimiser.error().message));
  }
  return run;
}

}  // namespace plumb::mismatch
