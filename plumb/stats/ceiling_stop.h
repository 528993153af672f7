// When to stop optimising, decided while the run goes on: at each checkpoint the gold score of the
// same held-out prompts is known so far, and nothing later.
//
// The rule: fit the curve to what was seen (over_optimisation.h) and test whether its slope at the
// latest checkpoint is below 0, with a one-sided t test over prompts at level alpha / looks. Stop
// where two looks in a row reject. So the chance to stop a run whose gold still rises is at most
// alpha, however many of the planned looks are taken (Bonferroni; it assumes the form). The
// checkpoint that is kept is the one with the highest fitted gold, not the last: a late stop costs
// computation, not quality. Report its score on other prompts than those the rule has seen.
//
//   const RunCurves run{.d = d, .gold = gold, .prompts = 200};
//   StopDecision decision = ceiling_stop(run, {.looks = d.size()});
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "plumb/stats/over_optimisation.h"

namespace plumb::stats {

struct RunCurves {
  std::span<const double> d;     // [checkpoints], above 0
  std::span<const double> gold;  // [checkpoints, prompts], relative to the start of the run
  std::size_t prompts = 0;       // the same at every checkpoint, 2 or more
};

struct StopOptions {
  std::optional<CurveForm> form = {};  // none: whichever fits what was seen better
  double alpha = 0.05;
  std::size_t looks = 20;  // planned; more are not taken
  std::size_t in_a_row = 2;
  std::size_t first_look = 4;  // checkpoints seen before the first test; at least 3
};

struct StopDecision {
  std::optional<std::size_t> stopped_at;  // the checkpoint of the second rejection
  std::size_t chosen = 0;                 // among those up to it, or all
  std::vector<double> p_values;           // of each look: small says that gold falls
};

// REQUIRES: d.size() * prompts == gold.size(); at least one checkpoint; finite values.
StopDecision ceiling_stop(const RunCurves& run, const StopOptions& options);

}  // namespace plumb::stats
