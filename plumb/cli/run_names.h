// What runs are called on screen.
#pragma once

#include <string>
#include <vector>

namespace plumb::cli {

// "grpo" of "runs/grpo/", "runs/grpo/samples.jsonl" and "grpo.jsonl.gz", "beta0.05" of
// "beta0.05.jsonl"; the whole path where two runs would have one name.
std::vector<std::string> run_names(const std::vector<std::string>& runs);

}  // namespace plumb::cli
