// The page of `plumb report links`: three cards, each opening into its curves, samples and tables.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/links/inputs/eval_log.h"
#include "plumb/mismatch/measure/run_details.h"
#include "plumb/report/mismatch/links_report.h"

namespace plumb::report {

// A run in the words of read_examples (run_details.h), which chooses what to show by them.
mismatch::RunMeasure measure_of(const mismatch::RunLinks& run);

// plumb.links-report/1, the data of the page (html_page()) and of the studio's view. examples: one
// a run that was read; a pooled run, which comes first, has none.
Json links_report_json(const std::string& title, const mismatch::LinkReport& report,
                       std::span<const mismatch::Examples> examples,
                       std::span<const mismatch::EvalSeries> evaluations,
                       const LinksContext& context);

}  // namespace plumb::report
