// Suites: what is asked of a model, how its answers are scored, and what guessing gets.
//
//   PLUMB_TRY(suite, load_suite("mmlu", {.data = "mmlu/"}));
//   PLUMB_TRY(run, run_suite(suite, writer, {}));
//   run.rows;       // figures, with those of trivial answers
//   run.answers;    // JSON lines that score_answers() takes
//
// Built-in suites are written by plumb itself, for models of any size; the items of a suite never
// depend on a seed, so that results of different runs can be compared. Others read their data from
// a folder or file that the user has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/evals/imports/outputs.h"
#include "plumb/evals/row.h"
#include "plumb/evals/scoring/choice.h"
#include "plumb/evals/scoring/refusals.h"
#include "plumb/evals/writers/writer.h"

namespace plumb::evals {

enum class Needs { kLogLikelihoods, kCompletions };

struct SuiteKind {
  std::string_view id, title;
  Needs needs;
  std::string_view metrics;      // "acc, acc_norm, ..."
  std::optional<double> chance;  // of the first metric
  std::string_view data;         // what --data names; "": built in
};
std::span<const SuiteKind> suite_kinds();
const SuiteKind* find_suite(std::string_view id);  // nullptr: there is none

struct SuiteOptions {
  std::filesystem::path data = {};
  std::size_t items = 0;  // the first so many of each part; 0: all
  std::size_t shots = 5;  // worked examples before the question, where the data have some
};

// One multiple choice: its choices follow the context behind a blank.
struct ChoicePrompt {
  std::string part;  // "mmlu_marketing"; the suite's id where it has no parts
  std::string context;
  ChoiceItem item;
};

struct Suite {
  const SuiteKind* kind = nullptr;
  std::vector<ChoicePrompt> choices;   // of suites that need log-likelihoods
  std::vector<std::string> prompts;    // of the others, as they are completed
  std::vector<std::string> questions;  // the same without examples: what outputs are matched by
  std::vector<std::string> golds;      // [prompts] of problems
  std::vector<bool> safe;              // [prompts] of refusals
  std::size_t max_tokens = 256;
  std::vector<std::string> stops;
  std::string note;  // what was left out of the published form

  std::size_t size() const { return choices.empty() ? prompts.size() : choices.size(); }
  std::string hash() const;  // of all that is asked
};

// kNotFound: no suite of that name (the nearest is named), no data; kUsage: a suite that needs data
// and was given none, or the other way round; errors of the readers of data.
Result<Suite> load_suite(std::string_view id, const SuiteOptions& options);

struct RunOptions {
  double level = 0.95;
  std::uint64_t seed = 0;
  std::optional<std::size_t> max_tokens = {};
  double temperature = 0;
  bool unconditional = false;  // asks for choices without a context too: acc_mutual_info
  std::vector<RefusalItem> labelled = {};  // by which string matches are corrected
  Progress progress = {};
};

struct SuiteRun {
  std::vector<EvalRow> rows;  // the model's, then those of trivial answers ("baseline: ...")
  std::vector<Json> answers;  // one an item: what the model said
  std::vector<std::string> notes;
};

// Asks the model and scores its answers. Errors of the writer.
Result<SuiteRun> run_suite(const Suite& suite, Writer& writer, const RunOptions& options);

// Scores answers that were written before: those of run_suite() and, for suites of completions, any
// outputs (imports/outputs.h). kBadInput with file and line: answers to other prompts, of other
// suites, or of two models; an item without an answer, unless partial.
struct ScoreOptions {
  RunOptions run = {};
  bool partial = false;
};
Result<SuiteRun> score_answers(const Suite& suite, const std::string& file,
                               const ScoreOptions& options);

// The rows of completions to the suite's prompts, [prompts]. REQUIRES: a suite of completions.
std::vector<EvalRow> completion_rows(const Suite& suite, std::span<const Written> written,
                                     const RunOptions& options);

// The rows that trivial completions get: "null" (nothing), "constant" (the same answer to all),
// "always-refuse"; and, where each prompt has several outputs, "longest" and "shortest" of them.
std::vector<EvalRow> completion_baselines(const Suite& suite,
                                          std::span<const std::vector<Written>> models,
                                          const RunOptions& options);

}  // namespace plumb::evals
