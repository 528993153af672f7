// What so many prompts are enough for.
//
//   if (auto few = few_prompts(run.prompts)) warnings.push_back(*few);
//   withhold_verdicts(rows, run.name, run.prompts);   // after judge()
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "plumb/mismatch/links/rows.h"

namespace plumb::mismatch {

// Of fewer prompts resamples say nothing: intervals of 2 to 5 hold the truth in 44 to 89 % of logs
// instead of 95 % (docs/links.md).
inline constexpr std::size_t kFewestJudged = 8;

// A warning, one sentence, where prompts are fewer than 20.
std::optional<std::string> few_prompts(std::size_t prompts);

// Rows of this run that rest on its prompts have insufficient evidence where these are fewer than
// kFewestJudged; their notes say so.
void withhold_verdicts(std::span<LinkRow> rows, const std::string& run, std::size_t prompts);

}  // namespace plumb::mismatch
