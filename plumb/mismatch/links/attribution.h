// How much of a reward model's score is style: its score of each completion regressed on length,
// refusal, hedging, lists and repetition, at equal gold where the gold is known, within the samples
// of one prompt and checkpoint (a column of its own for each such group, by least squares).
//
//   Attribution found = attribute_score(table, prompts, {.resamples = 1000});
//   for (const StyleEffect& effect : found.effects) effect.per, effect.result;
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/mismatch/links/inputs/style.h"
#include "plumb/mismatch/links/rows.h"
#include "plumb/mismatch/measure/sample_table.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::mismatch {

struct StyleEffect {
  Style style;
  std::string per;                // "token", "refusal", "hedge", ...
  stats::BootstrapResult result;  // score a unit
  double deviation = 0;           // of the draws
};

struct Attribution {
  bool at_equal_gold = false;
  std::size_t samples = 0, prompts = 0;
  std::vector<StyleEffect> effects;
  // Of the score's variance within groups that the gold leaves, the share that all styles take.
  stats::BootstrapResult share = {stats::undefined(""), stats::undefined(""), 0, 0};
  double share_deviation = 0;
  std::vector<std::string>
      left_out;        // sentences: a style that samples differ in within too few prompts
  std::string reason;  // why nothing was attributed; "": it was
};

// Length is in tokens where every sample has them, else in characters. Intervals are percentiles
// over resampled prompts. REQUIRES: the table's extras are those of describe_style.
Attribution attribute_score(const SampleTable& table, std::span<const std::uint32_t> prompts,
                            const stats::BootstrapOptions& options);

std::vector<LinkRow> attribution_rows(const Attribution& attribution, const std::string& run);

}  // namespace plumb::mismatch
