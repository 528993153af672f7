// How well people answer a task: their agreement, and the ceilings that it sets.
#pragma once

#include <span>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/item_gap.h"

namespace plumb::gap {

using SheetPointers = std::vector<const tasks::AnswerSheet*>;

// The mean of the sheets that have a score; weights: [sheets] or empty.
stats::Score mean_score(std::span<const tasks::Scorer> scorers, stats::Counts items,
                        stats::Counts weights);

// Fills the agreement and the ceilings of the result. kBadInput: see Scorer::make().
Result<void> measure_people(const tasks::Task& task, const SheetPointers& people,
                            const ItemGapOptions& options, ItemComparison& result);

}  // namespace plumb::gap
