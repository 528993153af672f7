#include <fmt/format.h>

#include "plumb/report/common.h"
#include "plumb/report/gap_report.h"

namespace plumb::report {
namespace {

using gap::Audit;
using gap::AuditRow;
using gap::Finding;

}  // namespace

Json audit_json(const Audit& audit, const Context& context) {
  Json json;
  json["schema"] = "plumb.gap-audit/1";
  add_provenance(json, context);
  json["level"] = context.level;
  json["rows"] = Json::array();
  for (const AuditRow& row : audit.rows) {
    json["rows"].push_back({{"group", row.group},
                            {"view", row.view},
                            {"human", row.human},
                            {"human_ci", or_null(row.human_ci)},
                            {"best", row.best},
                            {"best_name", row.best_name},
                            {"human_rank", row.human_rank},
                            {"rank_ci", or_null(row.rank_ci)},
                            {"of", row.of},
                            {"subsets", row.subsets},
                            {"leader", or_null(row.leader)},
                            {"trivial", or_null(row.trivial)}});
  }
  json["findings"] = Json::array();
  for (const Finding& finding : audit.findings) {
    json["findings"].push_back({{"id", finding.id},
                                {"title", finding.title},
                                {"holds", finding.holds},
                                {"evidence", finding.evidence}});
  }
  return json;
}

Table audit_table(const Audit& audit, double level) {
  Table table{
      {{"view"},
       {"subsets", Align::kRight, 2},
       {"human", Align::kRight},
       {fmt::format("{:g} % interval", 100 * level), Align::kRight},
       {"rank", Align::kRight},
       {"interval", Align::kRight},
       {"best model", Align::kRight, 1},
       {"name", Align::kLeft, 1},
       {audit.rows.empty() ? "" : short_name(audit.rows.front().best_name), Align::kRight, 3},
       {"trivial", Align::kRight, 3}},
      {}};
  for (const AuditRow& row : audit.rows) {
    table.rows.push_back({row.group + ": " + row.view, fmt::format("{}", row.subsets),
                          fixed(row.human), interval(row.human_ci),
                          fmt::format("{} of {}", row.human_rank, row.of), rank_range(row.rank_ci),
                          fixed(row.best), short_name(row.best_name), fixed(row.leader),
                          fixed(row.trivial)});
  }
  return table;
}

Table audit_records(const Audit& audit) {
  Table table{columns({"group", "view", "subsets", "human", "human_low", "human_high", "human_rank",
                       "rank_low", "rank_high", "of", "best", "best_name", "leader", "trivial"}),
              {}};
  for (const AuditRow& row : audit.rows) {
    table.rows.push_back({row.group, row.view, fmt::format("{}", row.subsets), exact(row.human),
                          low(row.human_ci), high(row.human_ci), fmt::format("{}", row.human_rank),
                          rank_low(row.rank_ci), rank_high(row.rank_ci), fmt::format("{}", row.of),
                          exact(row.best), row.best_name, exact(row.leader), exact(row.trivial)});
  }
  return table;
}

std::string findings_text(const Audit& audit, bool markdown) {
  std::string text;
  for (const Finding& finding : audit.findings) {
    const std::string_view mark = finding.holds ? "yes" : "no";
    text += markdown ? fmt::format("- **{}** ({}): {}\n", finding.title, mark, finding.evidence)
                     : wrapped(fmt::format("{:>3}  {}", mark, finding.title), kProseWidth, 5) +
                           "\n" + wrapped("     " + finding.evidence, kProseWidth, 5) + "\n";
  }
  return text;
}

}  // namespace plumb::report
