// What evaluations say of a policy at every checkpoint that its run kept, as link C reads it; and
// pairs of right and wrong answers as a reward model scores them, as link B does.
//
//   evals/STEP.json   plumb.eval/1 with "step": the rows of one checkpoint
//   evals.jsonl       all of them, a line a checkpoint
//
// A file that is there is left as it is, so that evaluating goes on where it was killed.
//
//   PLUMB_TRY(done, evaluate_checkpoints("policies/rloo", {.suites = {"cloze"}}));
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"

namespace plumb::mismatch {

struct CheckpointEvalOptions {
  std::vector<std::string> suites = {"cloze", "stories", "arithmetic"};  // built in, all of them
  std::size_t items = 0;  // of each suite, the first; 0: all
  // Of the run's checkpoints, every so manyth, and the last.
  std::size_t every = 1;
  double level = 0.95;
  int threads = 0;         // never changes a result
  Progress progress = {};  // checkpoints
};

// Suites that need no data, so that they can be asked of any model.
std::vector<std::string> suites_built_in();

// Rows of log-likelihood keep the accuracy alone: acc_norm and acc_bytes are the same choice
// weighed otherwise, and would be the same evaluation thrice. kNotFound: no such suite, a run that
// kept no checkpoints.
Result<void> evaluate_checkpoints(const std::filesystem::path& run,
                                  const CheckpointEvalOptions& options);

// pairs.jsonl of link B: the right answer of each item against each wrong one, both scored as
// completions of the item's context. Suites without choices have none. Written once.
Result<void> write_choice_pairs(const std::filesystem::path& reward_model,
                                const CheckpointEvalOptions& options,
                                const std::filesystem::path& file);

}  // namespace plumb::mismatch
