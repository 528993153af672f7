// The links of all runs of a chain with what was measured beside them: evaluations of their
// checkpoints, the population's reward models, pairs that evaluations give; and the swap tests of
// each run whose optimiser was also set on the gold.
//
//   PLUMB_TRY(links, measure_full_links(chain, {.population = "population/population.jsonl"}, {}));
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/mismatch/chain/chain.h"
#include "plumb/mismatch/links/links.h"

namespace plumb::mismatch {

struct BesideRuns {
  std::filesystem::path population, pairs;  // files; empty: none
};

struct RunSwap {
  std::string run;
  SwapReport swap;
};

struct FullLinks {
  LinkReport report;  // its sentence with the stages of all swap tests
  std::vector<EvalSeries> evaluations;
  std::vector<RunSwap> swaps;
  // What was read: "population", its path, its sha256.
  std::vector<std::array<std::string, 3>> inputs;
};

// Best of n of the swap tests is that of the chain's samples, by the reward model that its runs
// learnt from. The reward of a run of DPO is its implicit one. Errors are those of the readers.
Result<FullLinks> measure_full_links(const ChainReport& chain, const BesideRuns& beside,
                                     const LinkOptions& options);

}  // namespace plumb::mismatch
