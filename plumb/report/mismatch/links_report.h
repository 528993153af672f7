// The table of links for people and programs: `plumb mismatch links`.
//
//   links_json(report, context);
//   for (const LinksPart& part : links_parts(report)) part.heading, part.table;
#pragma once

#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/links/links.h"
#include "plumb/report/table.h"

namespace plumb::report {

struct LinksContext {
  std::string command;
  // Of what was read beside the runs: "population", its path, its sha256 as written into "inputs".
  std::vector<std::array<std::string, 3>> inputs = {};
};

// plumb.links/1
Json links_json(const mismatch::LinkReport& report, const LinksContext& context);

// Every row with every digit.
Table links_records(const mismatch::LinkReport& report);

// A card a link, then the swap tests.
struct LinksPart {
  std::string heading;
  Table table;
};
std::vector<LinksPart> links_parts(const mismatch::LinkReport& report);

// One run's swap tests. JSON: "swap", "swap_at", "swap_notes", "swap_reason" where there are none.
LinksPart swap_part(const mismatch::SwapReport& swap, double level);
Json swap_json(const mismatch::SwapReport& swap);

// How to read the tables; what is missing; the sentence last.
std::vector<std::string> links_notes(const mismatch::LinkReport& report);

}  // namespace plumb::report
