// People, models and baselines on the items of one task (gap/item_gap.h), in the forms in which it
// leaves the program.
#pragma once

#include <string>

#include "plumb/base/json.h"
#include "plumb/gap/item_diagnostics.h"
#include "plumb/gap/item_gap.h"
#include "plumb/report/table.h"

namespace plumb::report {

// plumb.item-gap/1 with people, who have diagnostics; plumb.score/1 without.
Json items_json(const gap::ItemComparison& comparison, const gap::ItemGapOptions& options,
                const gap::ItemDiagnostics& diagnostics, const tasks::Task& task);
Table items_table(const gap::ItemComparison& comparison,
                  const gap::ItemGapOptions& options);             // for people
Table items_records(const gap::ItemComparison& comparison);        // every digit
std::string items_heading(const gap::ItemComparison& comparison);  // one line
std::string items_notes(const gap::ItemComparison& comparison, const gap::ItemGapOptions& options);

}  // namespace plumb::report
