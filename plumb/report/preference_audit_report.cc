#include "plumb/report/preference_audit_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/version.h"
#include "plumb/report/common.h"

namespace plumb::report {
namespace {

constexpr std::size_t kShownPlaces = 3;

std::optional<double> value_of(const stats::Score& score) {
  return score ? std::optional(*score) : std::nullopt;
}

std::optional<double> percent(const stats::Score& score) {
  return score ? std::optional(100 * *score) : std::nullopt;
}

std::optional<stats::Interval> percent(const stats::IntervalScore& ci) {
  if (!ci) return std::nullopt;
  return stats::Interval{100 * ci->low, 100 * ci->high};
}

// Whether the interval leaves out what there would be without a preference.
std::string reading_of(const rlhf::AuditRow& row) {
  if (!row.value) return std::string(row.value.error().reason);
  if (!row.ci || row.reference < 0) return "";
  if (row.ci->low > row.reference) return "more than chance";
  return row.ci->high < row.reference ? "less than chance" : "not separable from chance";
}

}  // namespace

Json preference_audit_json(const PreferenceAuditContext& context) {
  const rlhf::PreferenceAudit& audit = *context.audit;
  Json json = {{"schema", "plumb.reward-audit/1"},
               {"version", kVersion},
               {"file", context.data->file},
               {"level", context.options.level},
               {"resamples", context.options.sampling.resamples},
               {"seed", context.options.sampling.seed},
               {"pairs", audit.pairs},
               {"decided", audit.decided},
               {"prompts", audit.prompts},
               {"votes", audit.votes},
               {"annotators", audit.annotators}};
  for (const rlhf::AuditRow& row : audit.rows) {
    json[row.id] = or_null(value_of(row.value));
    json[row.id + "_ci"] = or_null(row.ci);
    if (!row.value) json[row.id + "_reason"] = row.value.error().reason;
  }
  json["equal_length"] = audit.equal_length;
  json["equal_words"] = audit.equal_words;
  json["defects"] = Json::array();
  for (const rlhf::Defect& defect : context.data->defects) {
    json["defects"].push_back({{"id", defect.id},
                               {"meaning", defect.meaning},
                               {"count", defect.where.size()},
                               {"where", defect.where}});
  }
  json["notes"] = audit.notes;
  return json;
}

Table preference_audit_table(const PreferenceAuditContext& context) {
  Table table{{{"share, %"},
               {"value", Align::kRight},
               {fmt::format("{:g} % interval", 100 * context.options.level), Align::kRight},
               {"n", Align::kRight},
               {"reading", Align::kLeft, 1}},
              {}};
  for (const rlhf::AuditRow& row : context.audit->rows) {
    table.rows.push_back({row.title, fixed(percent(row.value), 2), interval(percent(row.ci), 2),
                          fmt::format("{}", row.n), reading_of(row)});
  }
  return table;
}

Table preference_audit_records(const PreferenceAuditContext& context) {
  Table table{columns({"id", "value", "ci_low", "ci_high", "n", "reason"}), {}};
  for (const rlhf::AuditRow& row : context.audit->rows) {
    table.rows.push_back({row.id, exact(value_of(row.value)), low(to_optional(row.ci)),
                          high(to_optional(row.ci)), fmt::format("{}", row.n),
                          row.value ? "" : std::string(row.value.error().reason)});
  }
  return table;
}

std::string preference_audit_heading(const PreferenceAuditContext& context) {
  const rlhf::PreferenceAudit& audit = *context.audit;
  const std::string who =
      audit.annotators > 1 ? fmt::format(" by {} annotators", audit.annotators) : std::string();
  return fmt::format("{}: {} pairs of {} prompts, {} decided; {} votes{}\n",
                     printable(context.data->file), audit.pairs, audit.prompts, audit.decided,
                     audit.votes, who);
}

std::string preference_audit_notes(const PreferenceAuditContext& context) {
  const rlhf::PreferenceAudit& audit = *context.audit;
  std::string notes = fmt::format(
      "Equal last turns: {} pairs by characters, {} by words. Intervals are {:g} %, Wilson's with "
      "the design effect of prompts that occur again; of differences and of agreement from {} "
      "resamples. Refusals are known by their first words alone, so the rows compare data; they do "
      "not count refusals.",
      audit.equal_length, audit.equal_words, 100 * context.options.level,
      context.options.sampling.resamples);
  for (const std::string& note : audit.notes) notes += " " + note;
  for (const rlhf::Defect& defect : context.data->defects) {
    const std::size_t shown = std::min(kShownPlaces, defect.where.size());
    std::vector<std::string> places;
    for (std::size_t i = 0; i < shown; ++i) places.push_back(printable(defect.where[i]));
    notes += fmt::format(" Defect, {} times: {} ({}{}).", defect.where.size(), defect.meaning,
                         fmt::join(places, ", "), shown < defect.where.size() ? ", ..." : "");
  }
  return notes;
}

}  // namespace plumb::report
