// The page of `plumb report mismatch`: measures, meters and completions of runs in one
// self-contained HTML file.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plumb/mismatch/measure/run_details.h"
#include "plumb/report/mismatch/measure_report.h"

namespace plumb::report {

struct RunDetails {
  std::vector<mismatch::MeterSeries> meters;
  mismatch::Examples examples;
};

// details: one a run, in their order. The data inside are plumb.mismatch-report/1.
std::string mismatch_page(const std::string& title, RunMeasures runs,
                          std::span<const RunDetails> details, const MeasureContext& context);

}  // namespace plumb::report
