// The items behind a gap (gap/item_diagnostics.h), in the forms in which they leave the program.
#pragma once

#include <string>

#include "plumb/base/json.h"
#include "plumb/gap/item_diagnostics.h"
#include "plumb/report/table.h"

namespace plumb::report {

// The block "diagnostics" of plumb.item-gap/1.
Json diagnostics_json(const gap::ItemDiagnostics& found, const tasks::Task& task);

// A row a list: how many items, and its clearest cases.
Table diagnostics_table(const gap::ItemDiagnostics& found, const tasks::Task& task);

// The items that stand first in a list, with their texts and what everyone answered: what the page
// shows. At most `most` of each list; each item once, in the task's order.
Json listed_items_json(const tasks::Task& task, std::span<const tasks::AnswerSheet> sheets,
                       const gap::ItemDiagnostics& found, std::size_t most);

// One JSON line an item: id, texts, gold, every answer as an answer file has it, its score where
// the metric is a mean over items, and what was found: all that it takes to compute the results
// again.
std::string items_lines(const tasks::Task& task, std::span<const tasks::AnswerSheet> sheets,
                        const gap::ItemComparison& comparison, const gap::ItemDiagnostics& found);

}  // namespace plumb::report
