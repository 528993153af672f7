// Results of lm-evaluation-harness: results.json, and samples_TASK_DATE.jsonl with every item.
//
//   PLUMB_TRY(rows, read_harness_results("results_2024-10-28T10-53-43.json", 0.95));
//   PLUMB_TRY(rows, read_harness_samples("samples_arc_easy_2024-10-28T10-53-43.jsonl", 0.95));
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/evals/row.h"

namespace plumb::evals {

// A row a task and metric ("acc", or "exact_match,strict-match" where a filter has a name), with
// the interval of its standard error. Chance is that of tasks that plumb knows by name. Rows of
// groups carry the note "group". kNotFound; kBadInput: no such file, a metric that is no number.
Result<std::vector<EvalRow>> read_harness_results(const std::string& file, double level);

// The metrics that every line states, over lines, shares with Wilson's interval. Where lines have
// log-likelihoods of choices, acc, acc_norm, acc_bytes and brier are computed anew (choice.h), with
// chance 1 / choices, and must be what the file states: kBadInput with file and line where acc
// differs, which no tie explains. Lines of filters are kept apart. kBadInput also: no doc_id, a
// document twice under one filter, two tasks in one file.
Result<std::vector<EvalRow>> read_harness_samples(const std::string& file, double level);

// "arc_easy" of "samples_arc_easy_2024-10-28T10-53-43.470604.jsonl".
std::string harness_task(const std::filesystem::path& file);

// What guessing gets in a task of this name. Nothing: plumb does not know it.
std::optional<double> harness_chance(std::string_view task);

}  // namespace plumb::evals
