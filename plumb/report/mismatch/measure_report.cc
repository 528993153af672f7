#include "plumb/report/mismatch/measure_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/report/mismatch_report.h"

namespace plumb::report {
namespace {

using mismatch::Cell;
using mismatch::Estimate;
using mismatch::GapPoint;
using mismatch::GapReport;
using mismatch::KlSource;
using mismatch::RuleReport;
using mismatch::RunMeasure;
using mismatch::Trajectory;
using mismatch::TrajectoryKind;
using mismatch::TrajectoryMeasure;
using mismatch::TrajectoryPoint;

// Points of a table for people; JSON and CSV hold all.
constexpr std::size_t kShownPoints = 16;

std::optional<double> value_of(const Estimate& estimate) {
  return estimate.value ? std::optional(*estimate.value) : std::nullopt;
}

void set(Json& json, const std::string& name, const Estimate& estimate) {
  json[name] = or_null(value_of(estimate));
  json[name + "_ci"] = or_null(estimate.ci);
  if (!estimate.value) json[name + "_reason"] = estimate.value.error().reason;
}

std::string_view kind_name(TrajectoryKind kind) {
  return kind == TrajectoryKind::kRun ? "run" : "best of n";
}

Json point_json(const TrajectoryPoint& point, const GapPoint& gap, TrajectoryKind kind) {
  Json json = {{kind == TrajectoryKind::kRun ? "step" : "n", point.at},
               {"d", or_null(point.d)},
               {"kl", or_null(point.kl)},
               {"kl_is", kl_source_name(point.source)}};
  if (kind == TrajectoryKind::kRun) {
    json["kl_error"] = or_null(point.kl_error);
    json["samples"] = point.samples;
    json["tokens"] = or_null(point.tokens);
    json["ended"] = or_null(point.ended);
  }
  const std::pair<const char*, const Estimate*> estimates[] = {
      {"proxy", &gap.proxy},       {"gold", &gap.gold},
      {"gap", &gap.gap},           {"regressional", &gap.regressional},
      {"length", &gap.length},     {"rest", &gap.rest},
      {"accuracy", &gap.accuracy}, {"falls", &gap.falls}};
  for (const auto& [name, estimate] : estimates) set(json, name, *estimate);
  json["prompts"] = {{"proxy", gap.with_proxy}, {"gold", gap.with_gold}, {"gap", gap.with_both}};
  return json;
}

Json rules_json(const RuleReport& report) {
  if (report.rules.empty()) return {{"reason", report.reason}};
  Json json = {{"stopped_at", or_null(report.stopped_at)},
               {"prompts_choosing", report.choosing},
               {"prompts_reporting", report.reporting},
               {"rules", Json::array()}};
  for (const mismatch::RuleMeasure& rule : report.rules) {
    json["rules"].push_back({{"name", rule.name},
                             {"step", rule.at},
                             {"d", rule.d},
                             {"gold", rule.gold},
                             {"gold_ci", or_null(rule.gold_ci)},
                             {"regret", rule.regret}});
  }
  return json;
}

Json start_json(const TrajectoryMeasure& measure) {
  const mismatch::Start& start = measure.trajectory.start;
  Json json = {{"step", start.step},
               {"samples", start.samples},
               {"proxy", or_null(start.proxy)},
               {"gold", or_null(start.gold)},
               {"tokens", or_null(start.tokens)},
               {"ended", or_null(start.ended)},
               {"accuracy", or_null(start.accuracy)},
               {"deviations", measure.gap.within_prompts ? "within prompts" : "over all samples"}};
  const auto deviation = [](double value) { return value > 0 ? Json(value) : Json(nullptr); };
  json["proxy_deviation"] = deviation(measure.gap.proxy_deviation);
  json["gold_deviation"] = deviation(measure.gap.gold_deviation);
  set(json, "correlation", measure.gap.correlation);
  set(json, "proxy_per_token", measure.gap.proxy_per_token);
  set(json, "gold_per_token", measure.gap.gold_per_token);
  return json;
}

Json trajectory_json(const TrajectoryMeasure& measure) {
  const Trajectory& path = measure.trajectory;
  Json json = {{"kind", kind_name(path.kind)},
               {"prompts", path.prompts.size()},
               {"start", start_json(measure)},
               {"curves", Json::array()},
               {"points", Json::array()}};
  for (const mismatch::CurveReport& curve : measure.curves) {
    json["curves"].push_back(mismatch_curve_json(curve));
    json["curves"].back()["points"] = Json::array();
    for (const mismatch::CurvePoint& point : curve.points) {
      json["curves"].back()["points"].push_back(
          {{"d", point.d},
           {"mean", point.mean},
           {"ci", or_null(point.ci)},
           {"fitted", curve.ceiling ? Json(point.fitted) : Json(nullptr)}});
    }
  }
  for (std::size_t k = 0; k < path.points.size(); ++k) {
    json["points"].push_back(point_json(path.points[k], measure.gap.points[k], path.kind));
  }
  if (path.kind == TrajectoryKind::kRun) json["stopping"] = rules_json(measure.rules);
  json["warnings"] = path.warnings;
  return json;
}

// Which points of many to show: the first, the last and some between, evenly.
std::vector<std::size_t> shown_points(std::size_t count) {
  std::vector<std::size_t> shown;
  const std::size_t rows = std::min(count, kShownPoints);
  for (std::size_t i = 0; i < rows; ++i) {
    shown.push_back(rows == 1 ? 0 : i * (count - 1) / (rows - 1));
  }
  return shown;
}

std::string heading_of(const RunMeasure& run, const TrajectoryMeasure& measure) {
  const Trajectory& path = measure.trajectory;
  if (path.kind == TrajectoryKind::kBestOfN) {
    const bool bound = path.points[0].source == KlSource::kBound;
    return fmt::format("{}, best of n: {} samples of {} prompts at step {}{}", printable(run.name),
                       path.start.samples, path.prompts.size(), path.start.step,
                       bound ? "; rewards are tied, so d is an upper bound" : "");
  }
  return fmt::format("{}, {} steps after step {}, {} prompts", printable(run.name),
                     path.points.size(), path.start.step, path.prompts.size());
}

Table points_table(const TrajectoryMeasure& measure, const std::string& level) {
  const Trajectory& path = measure.trajectory;
  Table table{{{path.kind == TrajectoryKind::kRun ? "step" : "n", Align::kRight},
               {"d", Align::kRight},
               {"proxy", Align::kRight},
               {level, Align::kRight, 2},
               {"gold", Align::kRight},
               {level, Align::kRight},
               {"gap", Align::kRight},
               {level, Align::kRight, 1},
               {"regressional", Align::kRight, 3},
               {"length", Align::kRight, 3},
               {"rest", Align::kRight, 3}},
              {}};
  for (const std::size_t k : shown_points(path.points.size())) {
    const TrajectoryPoint& point = path.points[k];
    const GapPoint& gap = measure.gap.points[k];
    const auto number = [](const Estimate& estimate) { return with_sign(value_of(estimate), 2); };
    const auto range = [](const Estimate& estimate) {
      return signed_interval(to_optional(estimate.ci), 2);
    };
    table.rows.push_back({fmt::format("{}", point.at), fixed(point.d, 2), number(gap.proxy),
                          range(gap.proxy), number(gap.gold), range(gap.gold), number(gap.gap),
                          range(gap.gap), number(gap.regressional), number(gap.length),
                          number(gap.rest)});
  }
  return table;
}

Table rules_table(const RuleReport& report, const std::string& level) {
  Table table{{{"rule"},
               {"keeps step", Align::kRight},
               {"d", Align::kRight},
               {"held-out gold", Align::kRight},
               {level, Align::kRight},
               {"regret", Align::kRight}},
              {}};
  for (const mismatch::RuleMeasure& rule : report.rules) {
    table.rows.push_back({rule.name, fmt::format("{}", rule.at), fixed(rule.d, 2),
                          with_sign(rule.gold, 2), signed_interval(to_optional(rule.gold_ci), 2),
                          fixed(rule.regret, 2)});
  }
  return table;
}

// What the start says, the same for all trajectories of a run.
std::string start_sentences(const GapReport& gap) {
  std::string text;
  if (gap.correlation.value) {
    text +=
        fmt::format(" Within prompts of the start proxy and gold correlate by {} {}.",
                    fixed(*gap.correlation.value, 2), interval(to_optional(gap.correlation.ci), 2));
  }
  if (gap.proxy_per_token.value) {
    text += fmt::format(" At equal gold a token adds {} {} to the proxy.",
                        with_sign(*gap.proxy_per_token.value, 4),
                        signed_interval(to_optional(gap.proxy_per_token.ci), 4));
  }
  return text;
}

std::string rule_sentences(const RuleReport& rules) {
  if (!rules.reason.empty()) return fmt::format(" Rules were not compared: {}.", rules.reason);
  return (rules.stopped_at ? fmt::format(" The stopping rule stops at step {}.", *rules.stopped_at)
                           : std::string(" The stopping rule does not stop the run.")) +
         fmt::format(
             " Rules choose on one half of the prompts ({}) and are reported on the other ({}); "
             "regret is against the highest held-out mean, which noise makes too high for all "
             "alike.",
             rules.choosing, rules.reporting);
}

// Why a column of the table has no figure, at the first point without one; "": all have.
std::string why_unmeasured(const TrajectoryMeasure& measure, Estimate GapPoint::*column) {
  std::size_t without = 0;
  std::string reason;
  for (const GapPoint& point : measure.gap.points) {
    if ((point.*column).value || without++ > 0) continue;
    reason = (point.*column).value.error().reason;
    if (column == &GapPoint::length && point.rest.value) {
      reason += "; the rest holds what length takes or gives";
    }
  }
  return reason;
}

// Each reason once, with its columns.
std::string unmeasured_sentences(const TrajectoryMeasure& measure) {
  const std::pair<const char*, Estimate GapPoint::*> shown[] = {
      {"proxy", &GapPoint::proxy},   {"gold", &GapPoint::gold},
      {"gap", &GapPoint::gap},       {"regressional", &GapPoint::regressional},
      {"length", &GapPoint::length}, {"rest", &GapPoint::rest}};
  std::string text, columns, last;
  const auto close = [&] {
    if (!last.empty()) text += fmt::format(" No figure for {}: {}.", columns, last);
  };
  for (const auto& [name, column] : shown) {
    const std::string reason = why_unmeasured(measure, column);
    if (reason == last) {
      columns += std::string(", ") + name;
      continue;
    }
    close();
    last = reason;
    columns = name;
  }
  close();
  return text;
}

std::string trajectory_note(const RunMeasure& run, const TrajectoryMeasure& measure) {
  const Trajectory& path = measure.trajectory;
  std::string note = fmt::format("{}, {}.", printable(run.name), kind_name(path.kind));
  for (const mismatch::CurveReport& curve : measure.curves) {
    note += " " + mismatch_fit_sentence(curve);
  }
  note += unmeasured_sentences(measure);
  note += start_sentences(measure.gap);
  if (path.kind == TrajectoryKind::kRun) note += rule_sentences(measure.rules);
  for (const std::string& warning : path.warnings) note += " " + printable(warning);
  return note;
}

}  // namespace

Json missing_values_json(std::span<const mismatch::MissingField> fields) {
  Json json = Json::array();
  for (const mismatch::MissingField& field : fields) {
    Json one = {{"field", field.field},
                {"missing", field.missing},
                {"samples", field.samples},
                {"steps_measured", field.steps - field.bare_steps},
                {"prompts_measured", field.prompts - field.bare_prompts},
                {"steps", Json::array()}};
    for (const mismatch::MissingStep& step : field.lacking) {
      one["steps"].push_back(
          {{"step", step.step}, {"missing", step.missing}, {"samples", step.samples}});
    }
    json.push_back(std::move(one));
  }
  return json;
}

Json mismatch_measure_json(RunMeasures runs, const MeasureContext& context) {
  Json json = {{"schema", "plumb.mismatch-measure/1"},
               {"version", kVersion},
               {"command", context.command},
               {"level", context.options.sampling.level},
               {"resamples", context.options.sampling.resamples},
               {"seed", context.options.sampling.seed},
               {"runs", Json::array()}};
  for (const RunMeasure& run : runs) {
    Json one = {{"name", run.name},         {"file", run.file},
                {"sha256", run.sha256},     {"samples", run.samples},
                {"prompts", run.prompts},   {"steps", run.steps},
                {"missing", run.missing},   {"missing_values", missing_values_json(run.lacking)},
                {"warnings", run.warnings}, {"trajectories", Json::array()}};
    for (const TrajectoryMeasure& measure : run.trajectories) {
      one["trajectories"].push_back(trajectory_json(measure));
    }
    json["runs"].push_back(std::move(one));
  }
  return json;
}

Table mismatch_measure_records(RunMeasures runs) {
  Table table{columns({"run", "kind", "at", "prompt", "d", "kl", "kl_is", "proxy", "gold", "tokens",
                       "without_proxy", "without_gold"}),
              {}};
  const auto measured = [](double value) {
    return exact(std::isnan(value) ? std::nullopt : std::optional(value));
  };
  for (const RunMeasure& run : runs) {
    for (const TrajectoryMeasure& measure : run.trajectories) {
      const Trajectory& path = measure.trajectory;
      const std::string name =
          path.kind == TrajectoryKind::kRun ? run.name : run.name + " best of n";
      for (const Cell& cell : path.cells) {
        const TrajectoryPoint& point = path.points[cell.point];
        if (!point.d) continue;
        table.rows.push_back({name, std::string(kind_name(path.kind)), fmt::format("{}", point.at),
                              fmt::format("{}", path.prompts[cell.prompt] + 1), exact(point.d),
                              exact(point.kl), std::string(kl_source_name(point.source)),
                              measured(cell.proxy), measured(cell.gold), measured(cell.tokens),
                              fmt::format("{}", cell.without_proxy),
                              fmt::format("{}", cell.without_gold)});
      }
    }
  }
  return table;
}

std::vector<MeasurePart> mismatch_measure_parts(RunMeasures runs, const MeasureContext& context) {
  const std::string level = fmt::format("{:g} %", 100 * context.options.sampling.level);
  std::vector<MeasurePart> parts;
  for (const RunMeasure& run : runs) {
    for (const TrajectoryMeasure& measure : run.trajectories) {
      parts.push_back({heading_of(run, measure), points_table(measure, level)});
      mismatch::FitOptions fit{.sampling = context.options.sampling};
      if (!measure.curves.empty()) {
        parts.push_back({"", mismatch_fit_table(measure.curves, {run.file, fit})});
      }
      if (!measure.rules.rules.empty()) parts.push_back({"", rules_table(measure.rules, level)});
    }
  }
  return parts;
}

std::vector<std::string> mismatch_measure_notes(RunMeasures runs, const MeasureContext& context) {
  std::vector<std::string> notes = {fmt::format(
      "Rewards are gains over the start. Gap: the proxy's gain less the gold's, each in deviations "
      "of the start within prompts; regressional: what the start's correlation predicts lost; "
      "length: what lines through the start say that the change of length takes or gives; rest: "
      "extremal, causal and adversarial. Intervals are {:g} %, from {} resamples of the prompts.",
      100 * context.options.sampling.level, context.options.sampling.resamples)};
  for (const RunMeasure& run : runs) {
    for (const auto* sentences : {&run.missing, &run.warnings}) {
      for (const std::string& sentence : *sentences) {
        notes.push_back(fmt::format("{}. {}", printable(run.name), printable(sentence)));
      }
    }
    for (const TrajectoryMeasure& measure : run.trajectories) {
      notes.push_back(trajectory_note(run, measure));
    }
  }
  return notes;
}

}  // namespace plumb::report
