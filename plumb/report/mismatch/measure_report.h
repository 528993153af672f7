// Measured runs (mismatch/measure) in the forms in which they leave the program.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/measure/measure.h"
#include "plumb/report/table.h"

namespace plumb::report {

struct MeasureContext {
  mismatch::MeasureOptions options;
  std::string command;
};

using RunMeasures = std::span<const mismatch::RunMeasure>;

// "missing_values" of plumb.mismatch-measure/1 and plumb.links/1
Json missing_values_json(std::span<const mismatch::MissingField> fields);

// plumb.mismatch-measure/1
Json mismatch_measure_json(RunMeasures runs, const MeasureContext& context);

// A row a prompt and point, relative to the start: what `plumb mismatch fit` reads.
Table mismatch_measure_records(RunMeasures runs);

// All that people read: a heading a trajectory, its points, its ceilings, its rules, notes.
struct MeasurePart {
  std::string heading;  // "" for none
  Table table;
};
std::vector<MeasurePart> mismatch_measure_parts(RunMeasures runs, const MeasureContext& context);
// Paragraphs: how to read the figures, then one a trajectory.
std::vector<std::string> mismatch_measure_notes(RunMeasures runs, const MeasureContext& context);

}  // namespace plumb::report
