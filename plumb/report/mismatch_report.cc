#include "plumb/report/mismatch_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <set>

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/stats/few_prompts.h"

namespace plumb::report {
namespace {

using mismatch::CurveReport;
using stats::Ceiling;
using stats::Interval;

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

Json bounds(const Interval& ci) { return Json{or_null(finite(ci.low)), or_null(finite(ci.high))}; }

// Bounds of a distance: beyond what was measured a curve is extrapolated, and no figure is shown.
std::string distance_interval(const Interval& ci, double d_max) {
  if (ci.low > d_max) return fmt::format("beyond {}", fixed(d_max, 2));
  return fmt::format("[{}, {}]", fixed(ci.low, 2),
                     ci.high > d_max ? "> " + fixed(d_max, 2) : fixed(ci.high, 2));
}

}  // namespace

Json mismatch_curve_json(const CurveReport& report) {
  Json json = {{"name", report.name}};
  if (report.left_out > 0) json["left_out"] = report.left_out;
  if (!report.notes.empty()) json["notes"] = report.notes;
  if (!report.ceiling) {
    json["reason"] = report.ceiling.error().reason;
    json["verdict"] = mismatch::verdict_name(report.verdict);
    return json;
  }
  const Ceiling& ceiling = *report.ceiling;
  const bool shown = ceiling.turns_below_end();
  const auto if_shown = [&](double value) { return shown ? Json(value) : Json(nullptr); };
  json["form"] = stats::curve_form_name(ceiling.form);
  json["a"] = ceiling.fit.curve.a;
  json["a_ci"] = bounds(ceiling.a_ci);
  json["b"] = ceiling.fit.curve.b;
  json["b_ci"] = bounds(ceiling.b_ci);
  json["d_star"] = if_shown(ceiling.d_star);
  json["d_star_ci"] = bounds(ceiling.d_star_ci);
  json["r_star"] = if_shown(ceiling.r_star);
  json["r_star_ci"] = shown ? bounds(ceiling.r_star_ci) : Json(nullptr);
  json["detected"] = ceiling.detected;
  json["d_max"] = ceiling.d_max;
  json["verdict"] = mismatch::verdict_name(report.verdict);
  json["slope_end"] = ceiling.slope_end;
  json["slope_end_ci"] = bounds(ceiling.slope_end_ci);
  json["resolution"] = report.resolution;
  json["detectable"] = report.detectable;
  json["rss"] = ceiling.fit.rss;
  json["rows"] = ceiling.fit.points;
  json["prompts"] = ceiling.clusters;
  if (report.few) json["note"] = *report.few;
  json["shifted"] = report.shifted;
  json["either_form"] = report.either_form;
  if (report.choice) json["form_support"] = report.choice->support;
  if (report.extrapolation) {
    json["extrapolation_error"] = {{"bon", (*report.extrapolation)[0]},
                                   {"rl", (*report.extrapolation)[1]}};
  }
  return json;
}

namespace {

std::string peak_sentence(const std::string& name, const Ceiling& ceiling) {
  if (!ceiling.turns_below_end()) {
    return fmt::format("{}: no turn-over below d = {:.2f} is shown.", name, ceiling.d_max);
  }
  const std::string peak =
      fmt::format("at d = {:.2f} (KL {:.1f} nats), reward {:.3g}", ceiling.d_star,
                  ceiling.d_star * ceiling.d_star, ceiling.r_star);
  return ceiling.detected
             ? fmt::format("{}: the ceiling is {}.", name, peak)
             : fmt::format("{}: the fit is highest {}; no ceiling is claimed.", name, peak);
}

}  // namespace

std::string mismatch_fit_sentence(const CurveReport& report) {
  const std::string name = printable(report.name);
  std::string notes;
  for (const std::string& note : report.notes) notes += " " + printable(note);
  if (!report.ceiling) return fmt::format("{}: {}.{}", name, report.ceiling.error().reason, notes);
  const Ceiling& ceiling = *report.ceiling;
  std::string text = peak_sentence(name, ceiling);
  text += fmt::format(
      " Slope at the end {:+.3g} {}; {}; slopes under {:.2g} do not matter, of {:.2g} or more "
      "would "
      "be found.",
      ceiling.slope_end, signed_interval(ceiling.slope_end_ci, 3),
      mismatch::verdict_name(report.verdict), report.resolution, report.detectable);
  text += " " + report.choice_note;
  if (ceiling.clusters == 0) {
    text +=
        " Without prompts, intervals take the points as independent, which points from one pool of "
        "samples are not: the intervals are too short then.";
  } else if (report.few) {
    text += " " + *report.few;
  }
  return text + notes;
}

Json mismatch_fit_json(CurveReports curves, const MismatchFitContext& context) {
  Json json = {{"schema", "plumb.mismatch-fit/1"},
               {"version", kVersion},
               {"file", context.file},
               {"level", context.options.sampling.level},
               {"resamples", context.options.sampling.resamples},
               {"seed", context.options.sampling.seed},
               {"curves", Json::array()},
               {"points", Json::array()}};
  for (const CurveReport& report : curves) {
    json["curves"].push_back(mismatch_curve_json(report));
    for (const mismatch::CurvePoint& point : report.points) {
      json["points"].push_back({{"curve", report.name},
                                {"d", point.d},
                                {"mean", point.mean},
                                {"ci", or_null(point.ci)},
                                {"rows", point.rows},
                                {"fitted", report.ceiling ? Json(point.fitted) : Json(nullptr)}});
    }
  }
  return json;
}

Table mismatch_fit_table(CurveReports curves, const MismatchFitContext& context) {
  const std::string level = fmt::format("{:g} %", 100 * context.options.sampling.level);
  Table table{{{"curve"},
               {"form"},
               {"a", Align::kRight},
               {level, Align::kRight, 2},
               {"b", Align::kRight},
               {level, Align::kRight, 2},
               {"d*", Align::kRight},
               {level, Align::kRight},
               {"R*", Align::kRight},
               {level, Align::kRight, 1},
               {"at the end"}},
              {}};
  for (const CurveReport& report : curves) {
    if (!report.ceiling) {
      table.rows.push_back({printable(report.name), "-", "-", "-", "-", "-", "-", "-", "-", "-",
                            std::string(mismatch::verdict_name(report.verdict))});
      continue;
    }
    const Ceiling& ceiling = *report.ceiling;
    const auto shown = [&](double value) {
      return ceiling.turns_below_end() ? fixed(value, 2) : std::string("-");
    };
    table.rows.push_back(
        {printable(report.name), std::string(stats::curve_form_name(ceiling.form)),
         fixed(ceiling.fit.curve.a, 3), interval(ceiling.a_ci, 3), fixed(ceiling.fit.curve.b, 4),
         interval(ceiling.b_ci, 4), shown(ceiling.d_star),
         distance_interval(ceiling.d_star_ci, ceiling.d_max), shown(ceiling.r_star),
         ceiling.turns_below_end() ? interval(ceiling.r_star_ci, 2) : "-",
         std::string(mismatch::verdict_name(report.verdict))});
  }
  return table;
}

Table mismatch_fit_records(CurveReports curves) {
  Table table{columns({"name",           "form",        "a",
                       "a_low",          "a_high",      "b",
                       "b_low",          "b_high",      "d_star",
                       "d_star_low",     "d_star_high", "r_star",
                       "r_star_low",     "r_star_high", "detected",
                       "d_max",          "slope_end",   "slope_end_low",
                       "slope_end_high", "prompts",     "verdict",
                       "reason",         "left_out",    "note"}),
              {}};
  for (const CurveReport& report : curves) {
    std::vector<std::string> row = {report.name};
    if (report.ceiling) {
      const Ceiling& ceiling = *report.ceiling;
      const bool found = ceiling.turns_below_end();
      row.emplace_back(stats::curve_form_name(ceiling.form));
      for (const auto& value :
           {finite(ceiling.fit.curve.a), finite(ceiling.a_ci.low), finite(ceiling.a_ci.high),
            finite(ceiling.fit.curve.b), finite(ceiling.b_ci.low), finite(ceiling.b_ci.high),
            found ? finite(ceiling.d_star) : std::nullopt, finite(ceiling.d_star_ci.low),
            finite(ceiling.d_star_ci.high), found ? finite(ceiling.r_star) : std::nullopt,
            found ? finite(ceiling.r_star_ci.low) : std::nullopt,
            found ? finite(ceiling.r_star_ci.high) : std::nullopt}) {
        row.push_back(exact(value));
      }
      row.emplace_back(ceiling.detected ? "true" : "false");
      for (const double value : {ceiling.d_max, ceiling.slope_end, ceiling.slope_end_ci.low,
                                 ceiling.slope_end_ci.high}) {
        row.push_back(exact(finite(value)));
      }
      row.push_back(fmt::format("{}", ceiling.clusters));
    } else {
      row.resize(20);
    }
    row.emplace_back(mismatch::verdict_name(report.verdict));
    row.emplace_back(report.ceiling ? "" : report.ceiling.error().reason);
    row.push_back(fmt::format("{}", report.left_out));
    std::vector<std::string> notes = report.notes;
    if (report.few) notes.push_back(*report.few);
    row.push_back(fmt::format("{}", fmt::join(notes, " ")));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string mismatch_fit_heading(CurveReports curves, const MismatchFitContext& context) {
  return fmt::format("{}: {} curve{}, reward against d = sqrt(KL)\n", printable(context.file),
                     curves.size(), curves.size() == 1 ? "" : "s");
}

std::string few_prompts_notes(CurveReports curves) {
  std::set<std::string> notes;
  for (const CurveReport& report : curves) {
    if (report.few) notes.insert(*report.few);
  }
  return fmt::format("{}", fmt::join(notes, " "));
}

std::string mismatch_fit_notes(CurveReports curves, const MismatchFitContext& context) {
  std::string notes = fmt::format(
      "Forms: bon R = d (a - b d), rl R = d (a - b log d). Intervals are {:g} %, from {} draws: "
      "the "
      "whole curves of resampled prompts, where there are prompts. A ceiling is detected where the "
      "whole interval of d* lies below the largest d, of {} prompts or more.",
      100 * context.options.sampling.level, context.options.sampling.resamples,
      stats::kFewestJudged);
  for (const CurveReport& report : curves) notes += " " + mismatch_fit_sentence(report);
  return notes;
}

}  // namespace plumb::report
