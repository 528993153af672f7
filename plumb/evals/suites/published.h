// What is scored from files alone: judgements and labels that others published, and outputs that
// are compared with others. Suites that plumb can also ask itself: suite.h.
//
//   PLUMB_TRY(scored, score_published("style", "outputs_rlhf.json", {.against =
//   "outputs_sft.json"}));
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "plumb/base/result.h"
#include "plumb/evals/judges/judge.h"
#include "plumb/evals/suites/suite.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::evals {

struct PublishedKind {
  std::string_view id, title, metrics, file;
};
std::span<const PublishedKind> published_kinds();
bool is_published_kind(std::string_view id);

struct PublishedOptions {
  stats::BootstrapOptions sampling = {};
  std::string against = {};  // style: the starting policy; winrate: the reference
  Judge* judge = nullptr;    // winrate
  Progress progress = {};
};

// kUsage: an option that this kind needs is not there. Errors of the readers.
//   style        one output a prompt against another; or the samples of a run, each step against
//                its first, with slopes against sqrt(KL) where they have "kl"
//   winrate      outputs against others by a judge, trivial answers too
//   alpaca-eval  annotations.json: win rates, length controlled, ratings where there are several
//                models; a leaderboard CSV: what length has to do with winning
//   rewardbench  sections and total
//   lm-eval      results.json, samples_*.jsonl
Result<SuiteRun> score_published(std::string_view id, const std::string& file,
                                 const PublishedOptions& options);

// GSM8K's published model solutions: for each model the share flagged as right, by the strict and
// by the flexible filter, and "strict_first", by the first "A: number" of solution and of truth
// alike, which takes "Job A: 2000 hours" for an answer. `suite`: what the questions must be;
// nullptr: the file's own.
Result<SuiteRun> score_model_solutions(const std::string& file, const Suite* suite,
                                       const RunOptions& options);

// XSTest's published completions with people's labels. `suite`: the same.
Result<SuiteRun> score_labelled_refusals(const std::string& file, const Suite* suite,
                                         const RunOptions& options);
// Whether the table has labels of people.
bool holds_labelled_refusals(const std::string& file);

}  // namespace plumb::evals
