// How the style of a policy drifts: each meter (style.h) against the starting policy on the same
// prompts, and its slope over checkpoints against d = sqrt(KL).
//
//   auto drift = style_drift(before, after, {});                // one against the other
//   auto slopes = style_slopes({{0, before}, {1.2, mid}, {2.5, after}}, {});
//
// Prompts are what is resampled; completions of one prompt are first averaged. Percentiles are
// taken at the level that covers with so many prompts (stats::expanded_level). From fewer than
// kFewestJudged prompts (stats/few_prompts.h) nothing is claimed: there is neither an interval nor
// a test, and a note says why.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/evals/row.h"
#include "plumb/evals/style/style.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::evals {

// Completions of one policy, any number a prompt.
struct StyleSample {
  std::vector<StyleText> texts;
};

struct DriftRow {
  const StyleMeter* meter;
  std::size_t prompts = 0;  // on which both have a value
  double before = 0, after = 0;
  // Metric: the meter's id; after less before, paired by prompt. Where all prompts change alike, as
  // where none does, what was never seen is not excluded: of meters between 0 and 1 Wilson's share
  // of none of n may change otherwise; others have no interval. The note says so.
  EvalRow difference;
  double rises = 0;  // the share of prompts whose mean rises
  // Two-sided, where there is an interval: p_value <= 1 - level where it excludes 0, and the sign
  // test where all prompts change alike; adjusted over all tested meters (Benjamini and Hochberg).
  bool tested = false;
  double p_value = 1, adjusted_p = 1;
};

// Both must answer the same prompts; kBadInput names one that the other lacks. Meters that are not
// known for both are left out.
Result<std::vector<DriftRow>> style_drift(const StyleSample& before, const StyleSample& after,
                                          const stats::BootstrapOptions& options);

struct Checkpoint {
  double d = 0;  // sqrt(KL from the starting policy), nats^(1/2)
  StyleSample sample;
};

// A row a meter, "slope_<id>": the least squares slope of its mean over checkpoints against d,
// units per nat^(1/2), resampling prompts of all checkpoints together. kBadInput: fewer than three
// checkpoints, or all at one d; other prompts in one than in the first.
Result<std::vector<EvalRow>> style_slopes(std::span<const Checkpoint> checkpoints,
                                          const stats::BootstrapOptions& options);

// The means of one policy alone, a row a meter: shares with Wilson's interval and the design effect
// of prompts, others with Student's over the means of prompts.
std::vector<EvalRow> style_rows(const StyleSample& sample, double level);

}  // namespace plumb::evals
