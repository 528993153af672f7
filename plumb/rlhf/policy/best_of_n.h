// Best of n: nothing is trained; of n completions of the starting policy the one with the highest
// proxy reward is kept (Stiennon et al. 2020). All n are kept on file, for every smaller n and
// every other proxy can be read off them (stats/best_of_n.h).
//
//   manifest.json   as of a training (policy_run.h)
//   events.jsonl    a line a chunk of prompts: the meters of all its completions, and of the best
//   samples.jsonl   all completions, at step 0
//   best.jsonl      the best of each prompt; of equal ones the first
//
// A run that was killed goes on at the chunk it was in, and ends with the same bytes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include "plumb/base/result.h"
#include "plumb/rlhf/policy/policy_run.h"

namespace plumb::rlhf {

struct BestOfNOptions {
  std::filesystem::path run;
  std::size_t n = 16;
  std::size_t max_tokens = 64;
  std::size_t chunk = 16;  // prompts at a time
  std::uint64_t seed = 0;
  int threads = 0;
  std::size_t stop_after = 0;  // end without finishing after this many chunks in all; for tests
};

struct BestOfNReport {
  std::size_t prompts = 0, completions = 0, resumed_from = 0;  // chunks
  bool finished = false;
  // Means over prompts: of all completions and of the best; gold where it was given. With Student's
  // intervals over prompts, 95 %; nothing with one prompt.
  double proxy = 0, best_proxy = 0;
  std::optional<double> gold, best_gold;
  std::optional<stats::Interval> proxy_ci, best_proxy_ci, gold_ci, best_gold_ci;
  double kl = 0;      // log n - (n - 1) / n: an upper bound where a prompt has equal best ones
  bool ties = false;  // some prompt has two completions of one proxy reward
  SelfTest self_test;
  double seconds = 0;
};

// As train_policy; all prompts of both parts are used, in their order.
Result<BestOfNReport> best_of_n(const PolicyInputs& inputs, const BestOfNOptions& options,
                                const std::function<void(const PolicyStatus&)>& watch = {});

}  // namespace plumb::rlhf
