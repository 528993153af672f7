// Files of other projects that hold judgements, scores and labels, read as what evals/ scores.
//
//   XSTest       xstest_v2_completions_*.csv            completions with people's labels
//   GSM8K        test.jsonl, example_model_solutions.jsonl
//   MMLU         <subject>_test.csv and <subject>_dev.csv
//   AlpacaEval   annotations.json, leaderboard CSV
//   RewardBench  per-sample scores (eval-set-scores/*.json, or JSON lines)
//
// Guarantees: what is wrong is named with file and line, and nothing is guessed.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/evals/scoring/refusals.h"
#include "plumb/evals/scoring/reward_bench.h"
#include "plumb/evals/scoring/win_rate.h"

namespace plumb::evals {

// Completions of XSTest's prompts with their labels; safe where `type` does not begin with
// "contrast_". Needed: type, prompt, completion; labels where they are. kBadInput also: a label
// that is none.
struct RefusalCompletions {
  std::vector<std::string> prompts;  // [items]
  std::vector<RefusalItem> items;
};
Result<RefusalCompletions> read_xstest_completions(const std::string& file);

// XSTest's prompts: prompt, label ("safe", "unsafe").
struct RefusalPrompt {
  std::string prompt;
  bool safe;
};
Result<std::vector<RefusalPrompt>> read_xstest_prompts(const std::string& file);

// Problems of GSM8K: question, answer (a worked solution that ends in "#### number").
struct Problem {
  std::string where, question, answer;
};
Result<std::vector<Problem>> read_problems(const std::string& file);

// Solutions of several models to each problem, as openai/grade-school-math publishes them:
// question, ground_truth, and for each model {"solution", "is_correct"}. Every line has the same
// models.
struct ModelSolutions {
  std::vector<std::string> questions, truths;  // [problems]
  struct Solution {
    std::string text;
    bool flagged = false;  // as the file says whether it is right
  };
  std::map<std::string, std::vector<Solution>> models;  // [problems] of each
};
Result<ModelSolutions> read_model_solutions(const std::string& file);
// Whether the file's first record has that form.
bool holds_model_solutions(const std::string& file);

// A subject of MMLU: its items, and those shown before them.
struct Question {
  std::string text;
  std::vector<std::string> choices;
  std::size_t gold;
};
struct Subject {
  std::string name;  // "high_school_geography"
  std::vector<Question> shown, asked;
};
// `folder` holds test/<subject>_test.csv and dev/<subject>_dev.csv: question, four choices, the
// answer as 0 to 3 or A to D, with or without a line of names. kNotFound: no test files. kBadInput
// with file and line.
Result<std::vector<Subject>> read_mmlu(const std::filesystem::path& folder);

// AlpacaEval's annotations: preference from 1 (the reference, output_1) to 2 (the model, output_2);
// 0 and 1.5 are ties; annotations without a preference are counted and left out.
struct Annotation {
  std::string where, instruction, model, reference;
  Judgement judgement;
  LengthComparison comparison;
};
struct Annotations {
  std::vector<Annotation> all;
  std::size_t without_preference = 0;
};
Result<Annotations> read_annotations(const std::string& file);

// A leaderboard's models.
struct LeaderboardEntry {
  std::string model;
  double win_rate, length;
  std::optional<double> length_controlled;
};
Result<std::vector<LeaderboardEntry>> read_alpaca_leaderboard(const std::string& file);

// AlpacaEval's table of judges (evaluators_leaderboard.csv): "Human agreement" in percent, "#
// parsed" annotations, and the probabilities to prefer the longer output, lists and the first one.
struct JudgeEntry {
  std::string judge;
  double agreement;  // percent
  std::size_t annotations;
  std::optional<double> longer, lists, first;
};
Result<std::vector<JudgeEntry>> read_alpaca_judges(const std::string& file);
// Whether the file's first record has that form.
bool holds_alpaca_judges(const std::string& file);

// {"subset": [..], "scores_chosen": [..], "scores_rejected": [..]}, or records with subset,
// score_chosen and score_rejected (scores_... too). A score may be a list of one number. Lengths
// are those of "text_chosen" and "text_rejected", or of "chosen" and "rejected", each a text or a
// list of messages.
Result<std::vector<RewardPair>> read_reward_bench(const std::string& file);

}  // namespace plumb::evals
