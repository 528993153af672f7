// Results of lm-evaluation-harness: results.json, and samples_TASK_DATE.jsonl with every item.
//
//   PLUMB_TRY(rows, read_harness_results("results_2024-10-28T10-53-43.json", 0.95));
//   PLUMB_TRY(read, read_harness_samples("samples_arc_easy_2024-10-28T10-53-43.jsonl", 0.95));
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/evals/row.h"

namespace plumb::evals {

// A row a task and metric ("acc", or "exact_match,strict-match" where a filter has a name). A
// share of n items (lm_eval_metrics.h) has Wilson's interval, others, and shares whose standard
// error is not that of zeros and ones, that of their standard error; none where that is 0. n of a
// group is that of its tasks. Chance is that of tasks that plumb knows by name. Notes say "group",
// "n is not stated" (then n is 0), "its standard error is 0". A metric that is NaN is undefined.
// kNotFound; kBadInput: no such file, no metric in it.
Result<std::vector<EvalRow>> read_harness_results(const std::string& file, double level);

struct HarnessSamples {
  std::vector<EvalRow> rows;
  std::vector<std::string> notes;  // what is left out, and why: a sentence each
};

// The metrics that a file's lines state ("metrics"; in older files every field that is none of the
// harness' own). A number or a truth a line is taken as stated: the mean over lines, of 0s and 1s
// with Wilson's interval, of others with Student's. "perplexity" is exp(-mean) as the harness has
// it; lists of truths under "inst_level_" (IFEval) count each truth, the lines as clusters. What
// holds pairs (f1, bleu, brier_score: the harness makes one figure of all pairs) or stands on some
// of the lines is left out with a note that names it.
//
// Lines whose requests are the choices of a multiple choice have acc, acc_norm, acc_bytes and brier
// computed anew (choice.h), with chance 1 / choices; with acc_mutual_info there are twice as many
// requests, the second half after no context. That rule is the task's own unless a line says
// otherwise: an accuracy that is neither 0 nor 1, a metric that the rule does not have (then all is
// as stated). Where it is, acc and acc_mutual_info must agree: kBadInput with file and line where
// one differs, which no tie explains. The length that acc_norm and acc_bytes divide by is the
// task's affair: where they differ they are as stated.
//
// Lines of filters are kept apart. kBadInput also: no doc_id, a document twice under one filter,
// two tasks in one file, no metric at all.
Result<HarnessSamples> read_harness_samples(const std::string& file, double level);

// "arc_easy" of "samples_arc_easy_2024-10-28T10-53-43.470604.jsonl".
std::string harness_task(const std::filesystem::path& file);

// What guessing gets in a task of this name. Nothing: plumb does not know it.
std::optional<double> harness_chance(std::string_view task);

}  // namespace plumb::evals
