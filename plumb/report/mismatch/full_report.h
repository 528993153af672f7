// Everything that was measured on one model (mismatch/full) in the forms in which it leaves the
// program.
//
//   full_json(report, context);
//   for (const FullPart& part : full_parts(report)) part.heading, part.tables, part.notes;
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/full/full.h"
#include "plumb/mismatch/measure/run_details.h"
#include "plumb/report/table.h"

namespace plumb::report {

struct FullContext {
  std::string command, run;
};

// plumb.mismatch-full/1
Json full_json(const mismatch::FullReport& report, const FullContext& context);

// plumb.full-report/1: what the page shows. examples: one a run of report.links. Nothing in it
// depends on how long anything took.
Json full_page_data(const std::string& title, const mismatch::FullReport& report,
                    std::span<const mismatch::Examples> examples, const FullContext& context);

// For people: links, swap tests, population, remedies, rounds.
struct FullPart {
  std::string heading;
  std::vector<Table> tables;
  std::vector<std::string> notes;  // paragraphs
};
std::vector<FullPart> full_parts(const mismatch::FullReport& report);

// Seconds by part, and how much of the processors was used.
Table full_times_table(const mismatch::FullReport& report);

}  // namespace plumb::report
