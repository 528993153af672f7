// A population of reward models (mismatch/population) in the forms in which it leaves the program.
#pragma once

#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/population/population.h"
#include "plumb/report/table.h"

namespace plumb::report {

// plumb.mismatch-population/1
Json mismatch_population_json(const mismatch::PopulationReport& report, const std::string& run);

// A row a reward model: its configuration, gold, metrics.
Table mismatch_population_records(const mismatch::PopulationReport& report);

// For people: which metric foretells the gold; the reward models by their gold, ruined heads after
// them.
Table population_correlation_table(const mismatch::PopulationReport& report);
Table population_member_table(const mismatch::PopulationReport& report);

// Paragraphs: how to read the tables, what they come to.
std::vector<std::string> mismatch_population_notes(const mismatch::PopulationReport& report);

}  // namespace plumb::report
