// The page of `plumb report links`: three cards, each opening into its curves, samples and tables,
// in one self-contained HTML file.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plumb/mismatch/links/inputs/eval_log.h"
#include "plumb/mismatch/measure/run_details.h"
#include "plumb/report/mismatch/links_report.h"

namespace plumb::report {

// A run in the words of read_examples (run_details.h), which chooses what to show by them.
mismatch::RunMeasure measure_of(const mismatch::RunLinks& run);

// examples: one a run that was read; a pooled run, which comes first, has none. The data inside are
// plumb.links-report/1.
Json links_page_data(const std::string& title, const mismatch::LinkReport& report,
                     std::span<const mismatch::Examples> examples,
                     std::span<const mismatch::EvalSeries> evaluations,
                     const LinksContext& context);
std::string links_page(const std::string& title, const mismatch::LinkReport& report,
                       std::span<const mismatch::Examples> examples,
                       std::span<const mismatch::EvalSeries> evaluations,
                       const LinksContext& context);

}  // namespace plumb::report
