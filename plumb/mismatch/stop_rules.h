// Which checkpoint of a run to keep: the stopping rule of stats/ceiling_stop.h beside the rules
// that people use. Where the true gold is known, what each rule loses by its choice is its regret.
//
//   for (const RuleChoice& rule : choose_checkpoints(run, {})) rule.name, rule.checkpoint;
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "plumb/stats/ceiling_stop.h"

namespace plumb::mismatch {

struct MeasuredRun {
  std::vector<double> d;      // [checkpoints], ascending, above 0
  std::vector<double> gold;   // [checkpoints, prompts], relative to the start
  std::vector<double> proxy;  // [checkpoints], means
  std::size_t prompts = 0;

  stats::RunCurves curves() const { return {d, gold, prompts}; }
};

struct RuleOptions {
  stats::StopOptions stop = {};
  std::vector<double> kl_budgets = {10, 30, 100};  // nats
};

struct RuleChoice {
  std::string name;
  std::size_t checkpoint;
};

// "ceiling" (the stopping rule), "last", "highest proxy", "KL <= 10" and so on (the last checkpoint
// within; the first where none is), "highest measured gold".
std::vector<RuleChoice> choose_checkpoints(const MeasuredRun& run, const RuleOptions& options);

// The true gold of the best checkpoint less that of the chosen one; 0 or above.
double regret(std::span<const double> true_gold, std::size_t checkpoint);

}  // namespace plumb::mismatch
