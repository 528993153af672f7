// Remedies against over-optimisation on one small model, in one folder, compared at equal compute.
//
//   manifest.json                     what the study is; another configuration is refused
//   texts.txt, comparisons.jsonl, preferences.jsonl
//                                     prompts, completions, comparisons with errors
//   rewards/NAME/, policies/NAME/     run folders of reward models and of policies
//   drawn.jsonl, pool.jsonl           for best of n; draws/, relabelled.jsonl: of relabelling
//   guided.jsonl                      value-guided: step 0 without guidance, step 1 with it
//
// A study that was killed goes on where it was. Which remedies are measured is no part of what it
// is: more can be asked for later.
//
//   PLUMB_TRY(found, run_remedies({.base = {"stories260K.bin"}, .folder = "remedies"}, {}));
#pragma once

#include <vector>

#include "plumb/mismatch/remedies/compare.h"
#include "plumb/mismatch/remedies/remedy.h"

namespace plumb::mismatch {

struct RemedyReport {
  RemedyComparison comparison;
  std::vector<RemedyPath> paths;
};

// Baselines of what was asked for are measured too. kUsage: an unknown remedy, with those there
// are; ensembles of fewer than two members.
Result<RemedyReport> run_remedies(const RemedyOptions& options, const ChainWatch& watch);

std::string remedy_names();  // "none, kl-budget, ..."

}  // namespace plumb::mismatch
