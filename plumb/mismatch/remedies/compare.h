// Remedies compared at equal compute: each at the last of its points that costs no more than the
// plain run does in all, prompt by prompt against its baseline.
//
//   RemedyComparison found = compare_remedies(paths, {.level = 0.95});
//   found.rows[1].difference, found.rows[1].words
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/stats/score.h"
#include "plumb/stats/standings.h"

namespace plumb::mismatch {

struct RemedyRow {
  std::string name, baseline, note;
  std::string missing;  // "": it was measured
  // At equal compute.
  std::size_t step = 0;
  double tokens = 0, kl = 0, gold = 0;
  std::optional<stats::Interval> gold_ci;  // over prompts
  // Gold less that of the path's first point, before anything is optimised, paired over prompts.
  double gain = 0;
  std::optional<stats::Interval> gain_ci;
  int group = 0;  // of remedies that cannot be told apart from the first of their group; from 1
  // Gold less the baseline's, paired over prompts.
  std::optional<double> difference;
  std::optional<stats::Interval> difference_ci;
  double p = 1, adjusted_p = 1;  // by exchange of signs; Holm's over all that have a baseline
  std::string words;             // "more gold", "less gold", "not separable"; "baseline"
  double detectable = 0;         // the difference that would have been found with power 0.8
  // Where the run ended, whatever it cost.
  double end_gold = 0, end_tokens = 0, scored = 0;
};

struct RemedyComparison {
  double budget = 0;  // tokens
  std::size_t prompts = 0;
  std::vector<RemedyRow> rows;  // in the order of the paths
};

struct RemedyCompareOptions {
  double level = 0.95;
  stats::ResampleOptions sampling = {.resamples = 2000};  // of groups
};

// The budget is what "none" cost, or without it the least that any path cost. A path that spends it
// before its first step is at its start. A difference has words only where its interval excludes 0
// and its adjusted p is 1 - level or less. REQUIRES: all points have one number of prompts.
RemedyComparison compare_remedies(std::span<const RemedyPath> paths,
                                  const RemedyCompareOptions& options);

}  // namespace plumb::mismatch
