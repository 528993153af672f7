#include "plumb/report/items_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/report/diagnostics_report.h"
#include "plumb/stats/metrics.h"

namespace plumb::report {
namespace {

using gap::ItemComparison;
using gap::RaterRow;
using gap::RowRole;

bool has_people(const ItemComparison& comparison) {
  return !comparison.rows.empty() && comparison.rows.front().role == RowRole::kHuman;
}

std::optional<double> value_of(const stats::Score& score) {
  return score ? std::optional(*score) : std::nullopt;
}

// "human", "consensus", "annotator", or what kind of rater it is.
std::string_view kind_of(const RaterRow& row) {
  switch (row.role) {
    case RowRole::kHuman:
      return "human";
    case RowRole::kConsensus:
      return "consensus";
    case RowRole::kAnnotator:
      return "annotator";
    case RowRole::kRater:
      break;
  }
  return tasks::rater_kind_name(row.kind);
}

// A score with the reason why it is not one.
void put(Json& json, const char* name, const stats::Score& score) {
  json[name] = or_null(value_of(score));
  if (!score) json[std::string(name) + "_reason"] = score.error().reason;
}

Json row_json(const RaterRow& row) {
  Json json = {
      {"name", row.name}, {"kind", kind_of(row)}, {"sheets", row.sheets}, {"n", row.items}};
  if (row.refused > 0) json["refused"] = row.refused;
  put(json, "score", row.score);
  json["ci"] = or_null(row.ci);
  if (row.score && !row.ci) json["ci_reason"] = row.ci.error().reason;
  json["spread"] = or_null(row.spread);
  json["chance"] = or_null(value_of(row.chance));
  json["normalised"] = or_null(value_of(row.normalised));
  if (!row.gap) return json;
  json["gap"] = *row.gap;
  json["gap_items"] = row.gap_items;
  json["gap_ci"] = or_null(row.gap_ci);
  json["detectable"] = or_null(row.detectable);
  if (row.verdict) json["verdict"] = verdict_name(*row.verdict);
  return json;
}

std::string level_words(const ItemComparison& comparison, const gap::ItemGapOptions& options) {
  const double level = comparison.gap_level;
  if (level == options.level) return "";
  return fmt::format("Intervals of differences are {:.4g} % (Bonferroni, {} models). ", 100 * level,
                     std::lround((1 - options.level) / (1 - level)));
}

std::string title_of(const ItemComparison& comparison) {
  const stats::Metric* metric = stats::find_metric(comparison.metric);
  return std::string(metric->title);
}

std::string agreement_words(const gap::AgreementScore& agreement) {
  return fmt::format("Agreement of the annotators: {} {} {}. ", agreement.metric,
                     fixed(agreement.value, 3), interval(to_optional(agreement.ci), 3));
}

std::string calibration_words(const gap::Calibration& calibration) {
  return fmt::format(
      "{}: bias {:+.2f}, slope {}, mean squared error {:.2f}. ", calibration.name, calibration.bias,
      std::isnan(calibration.slope) ? "-" : fixed(calibration.slope, 2), calibration.mse);
}

}  // namespace

Json items_json(const ItemComparison& comparison, const gap::ItemGapOptions& options,
                const gap::ItemDiagnostics& diagnostics, const tasks::Task& task) {
  Json json = {{"schema", has_people(comparison) ? "plumb.item-gap/1" : "plumb.score/1"},
               {"version", kVersion},
               {"task", comparison.task},
               {"items", comparison.hash},
               {"kind", kind_name(comparison.kind)},
               {"metric", comparison.metric},
               {"level", options.level},
               {"resamples", options.sampling.resamples},
               {"seed", options.sampling.seed}};
  if (has_people(comparison)) {
    json["human"] = options.published ? "published" : "expected";
    json["corrected"] = options.corrected;
    json["gap_level"] = comparison.gap_level;
    put(json, "human_ceiling", comparison.human_ceiling);
    put(json, "noise_ceiling", comparison.noise_ceiling);
    json["agreement"] = nullptr;
    if (const auto& agreement = comparison.agreement) {
      json["agreement"] = {{"metric", agreement->metric},
                           {"value", agreement->value},
                           {"ci", or_null(agreement->ci)}};
    }
  }
  json["rows"] = Json::array();
  for (const RaterRow& row : comparison.rows) json["rows"].push_back(row_json(row));
  json["calibration"] = Json::array();
  for (const auto& each : comparison.calibrations) {
    json["calibration"].push_back(
        {{"name", each.name}, {"bias", each.bias}, {"slope", each.slope}, {"mse", each.mse}});
  }
  json["warnings"] = comparison.warnings;
  if (has_people(comparison)) json["diagnostics"] = diagnostics_json(diagnostics, task);
  return json;
}

Table items_table(const ItemComparison& comparison, const gap::ItemGapOptions& options) {
  const std::string ci = fmt::format("{:g} % interval", 100 * options.level);
  const std::string gap_ci = fmt::format("{:.4g} % interval", 100 * comparison.gap_level);
  const bool people = has_people(comparison);
  Table table{{{"rater"},
               {"kind", Align::kLeft, 2},
               {"n", Align::kRight, 3},
               {"score", Align::kRight},
               {ci, Align::kRight},
               {"spread", Align::kRight, 4},
               {"chance", Align::kRight, 3},
               {"above chance", Align::kRight, 2}},
              {}};
  if (people) {
    table.columns.insert(
        table.columns.end(),
        {{"human - rater", Align::kRight, 1}, {gap_ci, Align::kRight, 1}, {"verdict"}});
  }
  for (const RaterRow& row : comparison.rows) {
    std::vector<std::string> cells = {
        row.name,
        std::string(kind_of(row)),
        fmt::format("{}", row.items),
        row.score ? fixed(*row.score, 3) : "-",
        row.score ? interval(to_optional(row.ci), 3) : std::string(row.score.error().reason),
        fixed(row.spread, 3),
        fixed(value_of(row.chance), 3),
        fixed(value_of(row.normalised), 3)};
    if (people) {
      cells.push_back(with_sign(row.gap, 3));
      cells.push_back(signed_interval(row.gap_ci, 3));
      cells.push_back(row.verdict ? std::string(verdict_name(*row.verdict)) : "");
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Table items_records(const ItemComparison& comparison) {
  Table table{columns({"task", "metric", "rater", "kind", "sheets", "n", "refused", "score",
                       "ci_low", "ci_high", "spread", "chance", "normalised", "gap", "gap_low",
                       "gap_high", "detectable", "verdict", "reason"}),
              {}};
  for (const RaterRow& row : comparison.rows) {
    table.rows.push_back({comparison.task, comparison.metric, row.name, std::string(kind_of(row)),
                          fmt::format("{}", row.sheets), fmt::format("{}", row.items),
                          fmt::format("{}", row.refused), exact(value_of(row.score)),
                          low(to_optional(row.ci)), high(to_optional(row.ci)), exact(row.spread),
                          exact(value_of(row.chance)), exact(value_of(row.normalised)),
                          exact(row.gap), low(row.gap_ci), high(row.gap_ci), exact(row.detectable),
                          row.verdict ? std::string(verdict_name(*row.verdict)) : "",
                          row.score ? "" : std::string(row.score.error().reason)});
  }
  return table;
}

std::string items_heading(const ItemComparison& comparison) {
  return fmt::format("{} ({}), {}\n", comparison.task, kind_name(comparison.kind),
                     title_of(comparison));
}

std::string items_notes(const ItemComparison& comparison, const gap::ItemGapOptions& options) {
  std::string notes = fmt::format("Intervals are {:g} %, from {} resamples of the items",
                                  100 * options.level, options.sampling.resamples);
  if (!has_people(comparison)) {
    return notes + ". Chance is what the same answers earn when they are dealt at random.";
  }
  notes += options.published
               ? ". Human is scored by the rules of the published HUME scores. "
               : " and of the annotators. Human is the expected score of one annotator. ";
  notes += level_words(comparison, options);
  if (comparison.agreement) notes += agreement_words(*comparison.agreement);
  if (comparison.human_ceiling) {
    notes +=
        fmt::format("Annotators against the others: {}. ", fixed(*comparison.human_ceiling, 3));
  }
  if (comparison.noise_ceiling) {
    notes +=
        fmt::format("No rater can correlate with their mean by more than {} (Spearman-Brown). ",
                    fixed(*comparison.noise_ceiling, 3));
  }
  for (const auto& each : comparison.calibrations) notes += calibration_words(each);
  for (const std::string& warning : comparison.warnings) notes += "Note: " + warning + ". ";
  notes.pop_back();
  return notes;
}

}  // namespace plumb::report
