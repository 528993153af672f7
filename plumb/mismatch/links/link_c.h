// Link C, policy and evaluation: does an evaluation move with the reward over the checkpoints,
// where does it bend, how far apart are the checkpoints that are best by each, and what did the
// alignment cost it?
//
//   std::vector<LinkRow> rows = link_c(run, evaluations, {});
#pragma once

#include <vector>

#include "plumb/mismatch/links/inputs/eval_log.h"
#include "plumb/mismatch/links/rows.h"
#include "plumb/mismatch/links/run_draws.h"

namespace plumb::mismatch {

struct LinkCOptions {
  stats::BootstrapOptions sampling = {.resamples = 1000};
  double correlation = 0.3;  // a correlation over checkpoints that does not matter
  double margin = 0.02;      // a change of an evaluation that does not matter, in its own unit
  double gold_margin = 0.1;  // of the gold, in deviations of the start
};

// Of the gold, where it is measured, and of each evaluation: the correlation with the reward over
// the checkpoints (the headline; stats/series.h), the slope in deviations of the reward, the change
// from start to end with an equivalence test, the change point, and by how many steps the best
// checkpoint comes before that of the reward; the last of the reward model's accuracy too.
// Evaluations at their floor or ceiling are left out and said to be. What is not measured is a row
// with its reason.
std::vector<LinkRow> link_c(const RunDraws& run, const std::vector<EvalSeries>& evaluations,
                            const LinkCOptions& options);

}  // namespace plumb::mismatch
