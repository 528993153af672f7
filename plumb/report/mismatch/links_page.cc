#include "plumb/report/mismatch/links_page.h"

#include <utility>

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/report/mismatch/examples_json.h"

namespace plumb::report {
namespace {

using mismatch::EvalSeries;
using mismatch::LinkReport;
using mismatch::PointColumn;
using mismatch::RunColumn;
using mismatch::RunDraws;
using mismatch::RunLinks;

Json or_null(const stats::Score& score) { return score ? Json(*score) : Json(nullptr); }
using report::or_null;

Json points_json(const RunDraws& run, const stats::BootstrapOptions& sampling) {
  constexpr std::pair<const char*, PointColumn> kColumns[] = {
      {"proxy", PointColumn::kProxy},
      {"gold", PointColumn::kGold},
      {"accuracy", PointColumn::kAccuracy},
      {"overconfidence", PointColumn::kOverconfidence}};
  Json points = Json::array();
  for (std::size_t k = 0; k < run.points.size(); ++k) {
    Json point = {{"at", run.points[k].at}, {"d", or_null(run.points[k].d)}};
    for (const auto& [name, column] : kColumns) {
      const auto result = run.summary(run.column(k, column), sampling);
      point[name] = or_null(result.point);
      point[std::string(name) + "_ci"] = or_null(result.interval);
    }
    points.push_back(point);
  }
  return points;
}

Json evaluations_json(const std::string& run, std::span<const EvalSeries> evaluations) {
  Json all = Json::array();
  for (const EvalSeries& series : evaluations) {
    if (!series.run.empty() && series.run != run) continue;
    Json one = {{"name", series.name}, {"points", Json::array()}};
    for (const mismatch::EvalPoint& point : series.points) {
      one["points"].push_back(
          {{"step", point.step}, {"score", point.score}, {"ci", or_null(point.ci)}});
    }
    all.push_back(std::move(one));
  }
  return all;
}

Json ceiling_json(const RunLinks& run) {
  if (run.curves.empty() || !run.curves[0].ceiling || !run.curves[0].ceiling->detected) {
    return nullptr;
  }
  const stats::Ceiling& ceiling = *run.curves[0].ceiling;
  return {{"d_star", ceiling.d_star}, {"ci", or_null(std::optional(ceiling.d_star_ci))}};
}

}  // namespace

mismatch::RunMeasure measure_of(const RunLinks& run) {
  mismatch::RunMeasure measure;
  measure.name = run.draws.name;
  mismatch::TrajectoryMeasure trajectory;
  trajectory.trajectory = run.draws.path;
  trajectory.curves = run.curves;
  for (std::size_t k = 1; k < run.draws.points.size(); ++k) {
    mismatch::GapPoint point;
    point.gold.value = run.draws.draws.points[run.draws.column(k, PointColumn::kGold)];
    trajectory.gap.points.push_back(point);
  }
  measure.trajectories.push_back(std::move(trajectory));
  return measure;
}

Json links_report_json(const std::string& title, const LinkReport& report,
                       std::span<const mismatch::Examples> examples,
                       std::span<const EvalSeries> evaluations, const LinksContext& context) {
  Json data = {{"schema", "plumb.links-report/1"},     {"title", title},
               {"command", context.command},           {"version", kVersion},
               {"links", links_json(report, context)}, {"details", Json::array()},
               {"notes", links_notes(report)}};
  const std::size_t pooled = report.runs.size() - examples.size();
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunLinks& run = report.runs[i];
    const auto deviation = [&](RunColumn column) {
      return or_null(run.draws.draws.points[run.draws.column(column)]);
    };
    const bool is_run = run.draws.path.kind == mismatch::TrajectoryKind::kRun;
    data["details"].push_back(
        {{"name", run.draws.name},
         {"kind", is_run ? "run" : "best of n"},
         {"proxy_deviation", deviation(RunColumn::kProxyDeviation)},
         {"gold_deviation", deviation(RunColumn::kGoldDeviation)},
         {"points", points_json(run.draws, report.options.sampling)},
         {"ceiling", ceiling_json(run)},
         {"evaluations", evaluations_json(run.draws.name, evaluations)},
         {"examples", examples_json(i < pooled ? mismatch::Examples{} : examples[i - pooled])}});
  }
  return data;
}

}  // namespace plumb::report
