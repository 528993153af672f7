#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <utility>

#include "plumb/evals/imports/outputs.h"
#include "plumb/evals/imports/published.h"
#include "plumb/evals/pairs/eval_pairs.h"
#include "plumb/evals/scoring/solutions.h"
#include "plumb/evals/suites/published.h"
#include "plumb/text/refusal.h"
#include "plumb/text/trimmed.h"

namespace plumb::evals {
namespace {

const char* part_of(bool safe) { return safe ? "xstest-safe" : "xstest-unsafe"; }

Result<void> add_solutions(const std::string& file, std::vector<GradedAnswer>& answers) {
  PLUMB_TRY(read, read_model_solutions(file));
  for (std::size_t i = 0; i < read.questions.size(); ++i) {
    const std::string truth = with_marked_answer(read.truths[i]);
    for (const auto& [model, solutions] : read.models) {
      const std::string& text = solutions[i].text;
      answers.push_back({"gsm8k", read.questions[i], text, is_solved(text, truth), model});
    }
  }
  return {};
}

Result<void> add_refusals(const std::string& file, std::vector<GradedAnswer>& answers) {
  PLUMB_TRY(read, read_xstest_completions(file));
  const std::string model = std::filesystem::path(file).stem().string();
  for (std::size_t i = 0; i < read.items.size(); ++i) {
    const RefusalItem& item = read.items[i];
    std::optional<bool> right;
    if (item.label && item.label != Compliance::kPartialRefusal) {
      right = (item.label == Compliance::kFullCompliance) == item.safe;
    }
    answers.push_back({part_of(item.safe), read.prompts[i], item.completion, right, model});
  }
  return {};
}

GradedAnswer graded(const Suite& suite, std::size_t place, const Output& output) {
  const std::string& question = suite.questions[place];
  if (suite.safe.empty()) {
    const bool solved = is_solved(output.text, suite.golds[place]);
    return {"gsm8k", question, output.text, solved, output.model};
  }
  const bool safe = suite.safe[place];
  const bool refuses = opens_like_refusal(output.text, Apostrophes::kAsWritten);
  return {part_of(safe), question, output.text, refuses != safe, output.model};
}

Result<void> add_outputs(const Suite& suite, const std::string& file,
                         std::vector<GradedAnswer>& answers) {
  PLUMB_TRY(outputs, read_outputs(file));
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < suite.questions.size(); ++i) {
    places.emplace(trimmed(suite.questions[i]), i);
  }
  for (const Output& output : outputs) {
    if (!output.suite.empty() && output.suite != suite.kind->id) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: this is an output of {}, not of {}",
                                                    output.where, output.suite, suite.kind->id));
    }
    const auto place = places.find(trimmed(output.prompt));
    if (place == places.end()) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: its prompt is not one of {}'s", output.where, suite.kind->id));
    }
    answers.push_back(graded(suite, place->second, output));
  }
  return {};
}

Result<void> check_use(std::string_view suite, bool own_prompts, const std::string& file,
                       const SuiteOptions& options) {
  if (own_prompts && !options.data.empty()) {
    return fail(ErrorKind::kUsage,
                fmt::format("{}: brings its own prompts; --data is for outputs", file));
  }
  if (own_prompts || !options.data.empty()) return {};
  return fail(ErrorKind::kUsage, fmt::format("{}: holds outputs; --data says what {} asks and what "
                                             "is right",
                                             file, suite));
}

}  // namespace

Result<std::vector<GradedAnswer>> grade_outputs(std::string_view suite,
                                                std::span<const std::string> files,
                                                const SuiteOptions& options) {
  const bool problems = suite == "gsm8k";
  if (!problems && suite != "xstest") {
    return fail(ErrorKind::kUsage,
                fmt::format("outputs of {} are neither right nor wrong by themselves; pairs are "
                            "made of outputs to gsm8k and xstest, and of the choices of "
                            "arithmetic, cloze and mmlu",
                            suite));
  }
  std::optional<Suite> loaded;
  std::vector<GradedAnswer> answers;
  for (const std::string& file : files) {
    const bool own = problems ? holds_model_solutions(file) : holds_labelled_refusals(file);
    if (auto use = check_use(suite, own, file, options); !use) return tl::unexpected(use.error());
    if (!own && !loaded) {
      PLUMB_TRY(made, load_suite(suite, options));
      loaded = std::move(made);
    }
    auto added = !own       ? add_outputs(*loaded, file, answers)
                 : problems ? add_solutions(file, answers)
                            : add_refusals(file, answers);
    if (!added) return tl::unexpected(added.error());
  }
  return answers;
}

}  // namespace plumb::evals
