// Link A, reward model and policy: does what the optimiser takes out of the reward model arrive as
// gold, and does the reward model still know what is better among the samples that it has led to?
//
//   std::vector<LinkRow> rows = link_a(run, {});
#pragma once

#include <vector>

#include "plumb/mismatch/ceiling.h"
#include "plumb/mismatch/links/rows.h"
#include "plumb/mismatch/links/run_draws.h"

namespace plumb::mismatch {

struct LinkAOptions {
  stats::BootstrapOptions sampling = {.resamples = 1000};
  double efficiency = 0.1;  // gold per proxy, in deviations of the start, that does not matter
  double accuracy = 0.05;   // a difference from a half that does not matter
  double tau = 0.1;
};

// Gold per proxy over the later half (the headline; over the whole run where the half is not
// measured), over the whole run, the gold's slope at the end with its ceiling, the gap, the share
// of prompts whose gold falls, the Gini of the gains, accuracy, tau and overconfidence at the end
// and since the start. What is not measured is a row with its reason.
std::vector<LinkRow> link_a(const RunDraws& run, const LinkAOptions& options);

// The gold's curve with its ceiling; nothing where the run has no gold or no distances.
std::vector<CurveReport> gold_curve(const RunDraws& run, const stats::BootstrapOptions& sampling);

}  // namespace plumb::mismatch
