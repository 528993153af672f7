// What the gap instrument found, in the forms in which it leaves the program: JSON with a named
// schema (docs/formats.md), records for CSV, tables for people, and one self-contained HTML page.
#pragma once

#include <string>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/gap/audit.h"
#include "plumb/gap/gap.h"
#include "plumb/gap/leaderboard.h"
#include "plumb/report/table.h"

namespace plumb::report {

// What every result names beside its numbers.
struct Context {
  const gap::Figures* figures;
  std::string human_rule;  // "published"
  double level = 0.95;
};

// plumb.leaderboard/1
Json leaderboard_json(const gap::Leaderboard& table, const std::string& aggregate,
                      const Context& context);
Table leaderboard_table(const gap::Leaderboard& table, double level);  // for people
Table leaderboard_records(const gap::Leaderboard& table);  // every digit, one value a column
std::string leaderboard_heading(const gap::Leaderboard& table, const Context& context);
std::string leaderboard_notes(const gap::Leaderboard& table);

// plumb.gap/1
Json gap_json(const std::vector<gap::SubsetGap>& gaps, const gap::GapOptions& options,
              const Context& context);
Table gap_table(const std::vector<gap::SubsetGap>& gaps, double level);
Table gap_records(const std::vector<gap::SubsetGap>& gaps);
std::string gap_warnings(const std::vector<gap::SubsetGap>& gaps);  // one a line; "" for none
std::string gap_notes(const std::vector<gap::SubsetGap>& gaps, const gap::GapOptions& options,
                      const Context& context);

// plumb.gap-audit/1
Json audit_json(const gap::Audit& audit, const Context& context);
Table audit_table(const gap::Audit& audit, double level);
Table audit_records(const gap::Audit& audit);
std::string findings_text(const gap::Audit& audit, bool markdown);

// The page: `leaderboard`, `gap` and `audit` as made above. No network access, light and dark.
std::string gap_page(const std::string& title, const std::string& command, const Json& leaderboard,
                     const Json& gap, const Json& audit, const Context& context);

// The same page about single answers: `results` as items_json() makes them, `items` as
// listed_items_json() does.
std::string items_page(const std::string& title, const std::string& command, const Json& inputs,
                       const Json& results, const Json& items);

}  // namespace plumb::report
