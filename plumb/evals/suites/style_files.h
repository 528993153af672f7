// Drift of style from files: outputs against others, or the samples of a run against its first
// step. Used by published.cc.
#pragma once

#include <string>

#include "plumb/evals/suites/suite.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::evals {

// Rows "style" a meter: the paired difference; "style-before" and "style-after": the means; "style"
// "longer": the share of prompts with the longer completion after. Of a run: the difference of each
// step ("model" says which), and slopes. kUsage: neither --against nor steps.
Result<SuiteRun> score_style(const std::string& file, const std::string& against,
                             const stats::BootstrapOptions& sampling);

}  // namespace plumb::evals
