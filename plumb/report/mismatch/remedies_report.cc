#include "plumb/report/mismatch/remedies_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

#include "plumb/base/version.h"
#include "plumb/report/common.h"

namespace plumb::report {
namespace {

using mismatch::PathPoint;
using mismatch::RemedyPath;
using mismatch::RemedyReport;
using mismatch::RemedyRow;

double mean_gold(const PathPoint& point) {
  return std::accumulate(point.gold.begin(), point.gold.end(), 0.0) /
         static_cast<double>(point.gold.size());
}

Json row_json(const RemedyRow& row) {
  if (!row.missing.empty()) return {{"remedy", row.name}, {"reason", row.missing}};
  return {{"remedy", row.name},
          {"baseline", row.baseline},
          {"step", row.step},
          {"tokens", row.tokens},
          {"kl", row.kl},
          {"gold", row.gold},
          {"gold_ci", or_null(row.gold_ci)},
          {"gain", row.gain},
          {"gain_ci", or_null(row.gain_ci)},
          {"group", row.group},
          {"difference", or_null(row.difference)},
          {"difference_ci", or_null(row.difference_ci)},
          {"p", row.difference ? Json(row.p) : Json()},
          {"adjusted_p", row.difference ? Json(row.adjusted_p) : Json()},
          {"words", row.words},
          {"detectable", row.difference ? Json(row.detectable) : Json()},
          {"end_tokens", row.end_tokens},
          {"end_gold", row.end_gold},
          {"scored", row.scored},
          {"note", row.note}};
}

std::string list(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string summary_of(const RemedyReport& report) {
  std::vector<std::string> more, less, neither;
  for (const RemedyRow& row : report.comparison.rows) {
    if (row.words == "more gold") more.push_back(row.name);
    if (row.words == "less gold") less.push_back(row.name);
    if (row.words == "not separable") neither.push_back(row.name);
  }
  return fmt::format(
      "More gold than their baseline at equal compute: {}. Less: {}. Not separable from it, paired "
      "over {} prompts and corrected for {} comparisons (Holm): {}.",
      list(more), list(less), report.comparison.prompts, more.size() + less.size() + neither.size(),
      list(neither));
}

// Better than the baseline may still be worse than leaving the model as it is.
std::string gains_of(const RemedyReport& report) {
  std::vector<std::string> up, down;
  for (const RemedyRow& row : report.comparison.rows) {
    if (!row.gain_ci || (row.gain_ci->low <= 0 && row.gain_ci->high >= 0)) continue;
    (row.gain > 0 ? up : down)
        .push_back(fmt::format("{} ({} {})", row.name, with_sign(row.gain, 2),
                               signed_interval(row.gain_ci, 2)));
  }
  return fmt::format(
      "Against the model as it was, before anything is optimised, each by its own interval: more "
      "gold with {}; less with {}.",
      list(up), list(down));
}

}  // namespace

Json mismatch_remedies_json(const RemedyReport& report, const std::string& run) {
  Json json = {{"schema", "plumb.mismatch-remedies/1"},
               {"version", kVersion},
               {"run", run},
               {"budget_tokens", report.comparison.budget},
               {"prompts", report.comparison.prompts},
               {"remedies", Json::array()},
               {"paths", Json::array()}};
  for (const RemedyRow& row : report.comparison.rows) json["remedies"].push_back(row_json(row));
  for (const RemedyPath& path : report.paths) {
    Json points = Json::array();
    for (const PathPoint& point : path.points) {
      points.push_back({{"step", point.step},
                        {"tokens", point.tokens},
                        {"kl", point.kl},
                        {"gold", mean_gold(point)},
                        {"prompt_gold", point.gold}});
    }
    json["paths"].push_back({{"remedy", path.name}, {"points", std::move(points)}});
  }
  return json;
}

Table mismatch_remedies_records(const RemedyReport& report) {
  Table table{columns({"remedy", "step", "tokens", "kl", "gold"}), {}};
  for (const RemedyPath& path : report.paths) {
    for (const PathPoint& point : path.points) {
      table.rows.push_back({path.name, fmt::format("{}", point.step), exact(point.tokens),
                            exact(point.kl), exact(mean_gold(point))});
    }
  }
  return table;
}

Table mismatch_remedies_table(const RemedyReport& report) {
  Table table{{{"remedy"},
               {"tokens", Align::kRight, 1},
               {"step", Align::kRight, 2},
               {"KL", Align::kRight, 1},
               {"gold", Align::kRight},
               {"group", Align::kRight, 2},
               {"difference", Align::kRight},
               {"interval", Align::kRight},
               {"p, Holm", Align::kRight, 2},
               {""},
               {"gold at the end", Align::kRight, 1}},
              {}};
  for (const RemedyRow& row : report.comparison.rows) {
    if (!row.missing.empty()) {
      table.rows.push_back({row.name, "-", "-", "-", "-", "-", "-", "-", "-", "not measured", "-"});
      continue;
    }
    table.rows.push_back({row.name, fixed(row.tokens / 1000, 0) + "k", fmt::format("{}", row.step),
                          fixed(row.kl, 2), fixed(row.gold, 2), fmt::format("{}", row.group),
                          with_sign(row.difference, 2), signed_interval(row.difference_ci, 2),
                          row.difference ? fixed(row.adjusted_p, 3) : "-", row.words,
                          fixed(row.end_gold, 2)});
  }
  return table;
}

std::vector<std::string> mismatch_remedies_notes(const RemedyReport& report) {
  std::vector<std::string> notes = {
      fmt::format(
          "Every remedy stands at the last checkpoint that cost no more than the plain run, "
          "{:.0f} tokens: generated and trained, each counted once, of reward models and "
          "policy; what reward models read to score is not counted. A remedy that spends "
          "more before its policy begins stands at the start (step 0). Differences are paired "
          "over prompts: against none, of soft-best-of-n against best-of-n. Remedies of one "
          "group cannot be told apart from its first.",
          report.comparison.budget),
      summary_of(report), gains_of(report)};
  for (const RemedyRow& row : report.comparison.rows) {
    if (!row.missing.empty()) notes.push_back(fmt::format("{}: {}.", row.name, row.missing));
    if (!row.note.empty()) notes.push_back(fmt::format("{}: {}.", row.name, row.note));
  }
  return notes;
}

}  // namespace plumb::report
