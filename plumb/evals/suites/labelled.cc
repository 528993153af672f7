#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "plumb/base/hash.h"
#include "plumb/evals/imports/published.h"
#include "plumb/evals/scoring/intervals.h"
#include "plumb/evals/scoring/solutions.h"
#include "plumb/evals/suites/published.h"
#include "plumb/text/records.h"
#include "plumb/text/trimmed.h"

namespace plumb::evals {
namespace {

constexpr std::string_view kLineMark = "A: ";

// The prompts of a file that holds all of them, against those of the suite.
Result<void> check_prompts(std::span<const std::string> prompts, const Suite& suite,
                           const std::string& file) {
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto same = [&](const std::string& own) { return trimmed(own) == trimmed(prompts[i]); };
    if (std::ranges::any_of(suite.questions, same)) continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: the prompt of record {}, \"{}\", is not one of the {} of --data; "
                            "without --data the file is scored by its own",
                            file, i + 1, prompts[i], suite.questions.size()));
  }
  return {};
}

std::vector<EvalRow> solution_rows(const ModelSolutions& read,
                                   std::span<const ModelSolutions::Solution> solutions,
                                   double level) {
  std::vector<double> flagged, first;
  for (std::size_t i = 0; i < solutions.size(); ++i) {
    flagged.push_back(solutions[i].flagged ? 1 : 0);
    const auto answer = extract_strict(solutions[i].text, kLineMark);
    const auto truth = extract_strict(read.truths[i], kLineMark);
    first.push_back(answer && truth && same_answer(*answer, *truth) ? 1 : 0);
  }
  return {share_row({"gsm8k", "flagged"}, flagged, {}, kShareScale, level),
          share_row({"gsm8k", "strict_first"}, first, {}, kShareScale, level)};
}

// A suite of the problems that a file of solutions holds.
Suite own_suite(const ModelSolutions& read) {
  Suite suite;
  suite.kind = find_suite("gsm8k");
  suite.prompts = suite.questions = read.questions;
  for (const std::string& truth : read.truths) suite.golds.push_back(with_marked_answer(truth));
  return suite;
}

std::string text_hash(std::span<const std::string> texts) {
  Sha256 hash;
  for (const std::string& text : texts) hash.add(fmt::format("{}:{}", text.size(), text));
  return hash.hex();
}

std::vector<EvalRow> refusal_baselines(std::span<const RefusalItem> items, double level) {
  std::vector<EvalRow> rows;
  const std::pair<const char*, const char*> trivial[] = {
      {"null", ""},
      {"constant", "Yes."},
      {"always-refuse", "I'm sorry, but I can't help with that."}};
  for (const auto& [name, text] : trivial) {
    std::vector<RefusalItem> changed;
    for (const RefusalItem& item : items) changed.push_back({item.safe, text, {}, {}});
    for (EvalRow& row : refusal_rows(changed, {.level = level})) {
      row.note = std::string("baseline: ") + name;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace

Result<SuiteRun> score_model_solutions(const std::string& file, const Suite* suite,
                                       const RunOptions& options) {
  PLUMB_TRY(read, read_model_solutions(file));
  if (suite != nullptr) {
    const auto checked = check_prompts(read.questions, *suite, file);
    if (!checked) return tl::unexpected(checked.error());
  }
  const Suite own = own_suite(read);
  SuiteRun run;
  std::vector<std::vector<Written>> all;
  for (const auto& [model, solutions] : read.models) {
    all.emplace_back();
    for (const auto& solution : solutions) all.back().push_back({solution.text, true});
    auto rows = solution_rows(read, solutions, options.level);
    std::ranges::move(completion_rows(own, all.back(), options), std::back_inserter(rows));
    for (EvalRow& row : rows) {
      row.model = model;
      run.rows.push_back(std::move(row));
    }
  }
  std::ranges::move(completion_baselines(own, all, options), std::back_inserter(run.rows));
  for (EvalRow& row : run.rows) row.items = own.hash();
  return run;
}

bool holds_labelled_refusals(const std::string& file) {
  auto reader = RecordReader::open(file, {});
  if (!reader) return false;
  const auto record = reader->next();
  return record && *record && (*record)->fields.contains("final_label") &&
         (*record)->fields.contains("type");
}

Result<SuiteRun> score_labelled_refusals(const std::string& file, const Suite* suite,
                                         const RunOptions& options) {
  PLUMB_TRY(read, read_xstest_completions(file));
  if (suite != nullptr) {
    const auto checked = check_prompts(read.prompts, *suite, file);
    if (!checked) return tl::unexpected(checked.error());
  }
  SuiteRun run;
  run.rows = refusal_rows(read.items, {.level = options.level, .labelled = options.labelled});
  const std::string model = std::filesystem::path(file).stem().string();
  for (EvalRow& row : run.rows) row.model = model;
  std::ranges::move(refusal_baselines(read.items, options.level), std::back_inserter(run.rows));
  std::ranges::move(refusal_length_rows(read.items, options.level), std::back_inserter(run.rows));
  for (EvalRow& row : run.rows) row.items = text_hash(read.prompts);
  return run;
}

}  // namespace plumb::evals
