// What is known of lm-evaluation-harness' metrics by their names, for both of its files
// (lm_eval.h).
#pragma once

#include <string>
#include <string_view>

#include "plumb/evals/row.h"

namespace plumb::evals {

// Whether a metric of this name is a mean of values from 0 to 1, a line each: "acc_norm",
// "prompt_level_strict_acc", "exact_match", "pass@1". Not F1, which is one figure of all lines.
bool is_harness_share(std::string_view metric);

// Where a metric of this name stops telling models apart; chance only for "acc" and its like.
Scale harness_scale(std::string_view task, std::string_view metric);

// "acc"; "exact_match,strict-match" where the filter has a name.
std::string joined_metric(const std::string& metric, const std::string& filter);

}  // namespace plumb::evals
