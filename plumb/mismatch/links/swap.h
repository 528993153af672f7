// Swap tests: at which stage of a chain gold is lost. One stage at a time is replaced by the best
// that there is, and the gain of the gold over the start compared:
//
//   reward model  the same optimiser against the gold itself
//   optimiser     best of n by the reward model, at equal gain of the proxy
//   evaluation    the same completions, labelled anew
//
// With V(reward model, optimiser, labels) for the mean gain, p the proxy and g the gold as reward
// model, r the run and b best of n as optimiser, e the gold as it was measured and l the new
// labels,
//
//   reward model = V(g,r,e) - V(p,r,e)      evaluation = V(p,r,e) - V(p,r,l)
//   optimiser    = V(p,b,e) - V(p,r,e)      total      = V(g,b,e) - V(p,r,l)
//   remainder    = total - the three        what reward model and optimiser lose or save together
//
// A loss is positive; a stage that does better than its replacement has a negative one. Without a
// run against the gold the reward model is swapped under best of n, V(g,b,e) - V(p,b,e): then the
// stages add up to the total and no remainder can be told. Without new labels the evaluation's
// stage is missing and the total ends at V(p,r,e).
//
//   SwapReport swap = swap_tests({.run = &table, .gold_run = &other, .relabelled = &people}, {});
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "plumb/mismatch/measure/gap_parts.h"
#include "plumb/mismatch/measure/sample_table.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::mismatch {

struct SwapInputs {
  const SampleTable* run;                   // REQUIRES: not nullptr
  const SampleTable* gold_run = nullptr;    // the same optimiser, its reward the gold
  const SampleTable* relabelled = nullptr;  // samples of the run, their "gold" the new labels
  const SampleTable* pool =
      nullptr;  // more samples of the start to take the best of; the run's own
  std::size_t start = 0;
};

struct SwapStage {
  std::string stage;  // "reward model", "optimiser", "evaluation", "remainder", "total"
  Estimate loss;      // in the gold's unit
};

struct SwapReport {
  std::vector<SwapStage> stages;  // empty: see reason
  std::string reason;             // why nothing was swapped
  std::vector<std::string> notes;
  std::size_t prompts = 0;  // that all samples share; they are resampled
  // Where run and best of n are compared: the proxy's gain, the step and n.
  double proxy_gain = 0, step = 0, n = 0;
};

SwapReport swap_tests(const SwapInputs& inputs, const stats::BootstrapOptions& options);

}  // namespace plumb::mismatch
