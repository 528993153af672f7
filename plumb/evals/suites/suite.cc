#include "plumb/evals/suites/suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plumb/base/hash.h"
#include "plumb/base/nearest.h"
#include "plumb/evals/imports/published.h"
#include "plumb/evals/scoring/solutions.h"
#include "plumb/evals/suites/built_in.h"
#include "plumb/evals/suites/published.h"
#include "plumb/text/trimmed.h"

namespace plumb::evals {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kChoiceMetrics =
    "acc, acc_norm, acc_bytes, acc_mutual_info, greedy, brier";

constexpr SuiteKind kKinds[] = {
    {"arithmetic", "sums and differences of numbers to 20", Needs::kLogLikelihoods, kChoiceMetrics,
     0.25, ""},
    {"cloze", "the word that a little story must go on with", Needs::kLogLikelihoods,
     kChoiceMetrics, 1.0 / 7, ""},
    {"sycophancy", "a right answer, doubted: does it stay?", Needs::kLogLikelihoods,
     "flip, acc_before, acc_after", 0.75, ""},
    {"stories",
     "what little stories that the model finishes are like",
     Needs::kCompletions,
     "fitting, ended, happy, shared, no_repeat",
     {},
     ""},
    {"mmlu", "MMLU: questions of schools and universities", Needs::kLogLikelihoods, kChoiceMetrics,
     0.25, "folder with test/<subject>_test.csv and dev/<subject>_dev.csv"},
    {"gsm8k",
     "GSM8K: word problems of grade school",
     Needs::kCompletions,
     "strict, flexible",
     {},
     "test.jsonl, or its folder; train.jsonl beside it gives examples"},
    {"xstest",
     "XSTest: refusals of safe and of unsafe prompts",
     Needs::kCompletions,
     "string_match, string_match_corrected, selectivity",
     {},
     "xstest_prompts.csv, or its folder"}};

template <typename T>
void keep_first(std::vector<T>& values, std::size_t most) {
  if (most > 0 && values.size() > most) values.resize(most);
}

std::string question_text(const Question& question) {
  std::string text(trimmed(question.text));
  for (std::size_t c = 0; c < question.choices.size(); ++c) {
    text += fmt::format("\n{}. {}", static_cast<char>('A' + c), question.choices[c]);
  }
  return text + "\nAnswer:";
}

// The prompt of lm-evaluation-harness (lm_eval/tasks/mmlu/default/_default_template_yaml).
Suite mmlu_suite(const std::vector<Subject>& subjects, const SuiteOptions& options) {
  Suite suite;
  for (const Subject& subject : subjects) {
    std::string words = subject.name;
    std::ranges::replace(words, '_', ' ');
    std::string head = fmt::format(
        "The following are multiple choice questions (with answers) about {}.\n\n", words);
    for (std::size_t s = 0; s < std::min(options.shots, subject.shown.size()); ++s) {
      const Question& shown = subject.shown[s];
      head += fmt::format("{} {}\n\n", question_text(shown), static_cast<char>('A' + shown.gold));
    }
    std::vector<Question> asked = subject.asked;
    keep_first(asked, options.items);
    for (const Question& question : asked) {
      suite.choices.push_back({"mmlu_" + subject.name,
                               head + question_text(question),
                               {{"A", "B", "C", "D"}, question.gold}});
    }
  }
  return suite;
}

// The prompt of lm-evaluation-harness (lm_eval/tasks/gsm8k/gsm8k.yaml).
Result<Suite> gsm8k_suite(const SuiteOptions& options) {
  const bool is_folder = fs::is_directory(options.data);
  const fs::path file = is_folder ? options.data / "test.jsonl" : options.data;
  PLUMB_TRY(problems, read_problems(file.string()));
  keep_first(problems, options.items);
  Suite suite;
  std::string head;
  const fs::path examples = file.parent_path() / "train.jsonl";
  if (options.shots > 0 && fs::exists(examples) && !fs::equivalent(examples, file)) {
    PLUMB_TRY(shown, read_problems(examples.string()));
    keep_first(shown, options.shots);
    for (const Problem& problem : shown) {
      head += fmt::format("Question: {}\nAnswer: {}\n\n", problem.question, problem.answer);
    }
  } else if (options.shots > 0) {
    suite.note = fmt::format("no train.jsonl beside {}: asked without examples", file.string());
  }
  for (const Problem& problem : problems) {
    if (!extract_strict(problem.answer)) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: the answer does not end in \"#### number\"", problem.where));
    }
    suite.prompts.push_back(fmt::format("{}Question: {}\nAnswer:", head, problem.question));
    suite.questions.push_back(problem.question);
    suite.golds.push_back(problem.answer);
  }
  suite.stops = {"Question:", "</s>", "<|im_end|>"};
  return suite;
}

Result<Suite> xstest_suite(const SuiteOptions& options) {
  const fs::path file =
      fs::is_directory(options.data) ? options.data / "xstest_prompts.csv" : options.data;
  PLUMB_TRY(prompts, read_xstest_prompts(file.string()));
  Suite suite;
  for (const bool safe : {true, false}) {
    std::size_t kept = 0;
    for (const RefusalPrompt& prompt : prompts) {
      if (prompt.safe != safe || (options.items > 0 && kept == options.items)) continue;
      suite.prompts.push_back(prompt.prompt);
      suite.safe.push_back(safe);
      ++kept;
    }
  }
  suite.questions = suite.prompts;
  return suite;
}

Suite built_in_suite(std::string_view id, const SuiteOptions& options) {
  Suite suite;
  if (id == "arithmetic" || id == "sycophancy") suite.choices = arithmetic_items();
  if (id == "cloze") suite.choices = cloze_items();
  if (id == "stories") {
    suite.prompts = story_openings();
    suite.max_tokens = 96;
  }
  keep_first(suite.choices, options.items);
  keep_first(suite.prompts, options.items);
  suite.questions = suite.prompts;
  return suite;
}

Result<Suite> filled(const SuiteKind& kind, const SuiteOptions& options) {
  if (kind.id == "mmlu") {
    PLUMB_TRY(subjects, read_mmlu(options.data));
    return mmlu_suite(subjects, options);
  }
  if (kind.id == "gsm8k") return gsm8k_suite(options);
  if (kind.id == "xstest") return xstest_suite(options);
  return built_in_suite(kind.id, options);
}

}  // namespace

std::span<const SuiteKind> suite_kinds() { return kKinds; }

const SuiteKind* find_suite(std::string_view id) {
  const auto* found = std::ranges::find(kKinds, id, &SuiteKind::id);
  return found == std::end(kKinds) ? nullptr : found;
}

std::string Suite::hash() const {
  Sha256 hash;
  const auto add = [&](std::string_view text) {
    hash.add(fmt::format("{}:", text.size()));
    hash.add(text);
  };
  for (const ChoicePrompt& one : choices) {
    add(one.context);
    for (const std::string& choice : one.item.choices) add(choice);
    add(fmt::format("{}", one.item.gold));
  }
  for (const std::string& prompt : prompts) add(prompt);
  for (const std::string& gold : golds) add(gold);
  return hash.hex();
}

Result<Suite> load_suite(std::string_view id, const SuiteOptions& options) {
  const SuiteKind* kind = find_suite(id);
  if (is_published_kind(id)) {
    return fail(ErrorKind::kUsage,
                fmt::format("{} has nothing to ask: it scores what was written before, `plumb eval "
                            "score {} --outputs FILE`",
                            id, id));
  }
  if (kind == nullptr) {
    std::vector<std::string> names;
    for (const SuiteKind& one : kKinds) names.emplace_back(one.id);
    const auto close = nearest(id, names);
    return fail(ErrorKind::kNotFound,
                fmt::format("there is no suite \"{}\"{} (`plumb eval list` names them all)", id,
                            close ? fmt::format("; did you mean \"{}\"?", *close) : ""));
  }
  if (!kind->data.empty() && options.data.empty()) {
    return fail(ErrorKind::kUsage, fmt::format("{} needs --data: {}", id, kind->data));
  }
  if (kind->data.empty() && !options.data.empty()) {
    return fail(ErrorKind::kUsage, fmt::format("{} is built in and takes no --data", id));
  }
  PLUMB_TRY(suite, filled(*kind, options));
  suite.kind = kind;
  if (suite.size() == 0) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: no items", options.data.string()));
  }
  return std::move(suite);
}

}  // namespace plumb::evals
