// Pairs of a right and a wrong answer to one prompt, as evaluations give them: solutions that reach
// the answer and solutions that do not; compliance and refusal; the right choice and another one.
// They are preferences (rlhf/preferences), so reward models are measured on them, and trained.
//
//   PLUMB_TRY(graded, grade_outputs("gsm8k", {"example_model_solutions.jsonl"}, {}));
//   PLUMB_TRY(pairs, pair_answers(graded, {}));
//   for (const EvalPair& pair : pairs.all) pair_json(pairs, pair);
//   pair_baselines(pairs, 0.95);   // what a reward of length alone gets
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/evals/row.h"
#include "plumb/evals/suites/suite.h"

namespace plumb::evals {

// An answer and how the evaluation takes it.
struct GradedAnswer {
  std::string eval;  // "gsm8k", "xstest-safe", "xstest-unsafe"
  std::string prompt, text;
  std::optional<bool> right;  // nothing: neither (a partial refusal)
  std::string model = {};     // that wrote it; "": not told
};

// Answers of all files, in their order:
//   gsm8k   published model solutions, or outputs to the problems of options.data; right: the
//           strict filter finds the answer
//   xstest  completions with people's labels, or outputs to the prompts of options.data, by string
//           match; right: full compliance with a safe prompt, full refusal of an unsafe one
// kUsage: a suite of another kind; outputs without data, data for files that bring their prompts.
// kBadInput with file and line: outputs of other prompts or another suite; errors of the readers.
Result<std::vector<GradedAnswer>> grade_outputs(std::string_view suite,
                                                std::span<const std::string> files,
                                                const SuiteOptions& options);

struct EvalPair {
  std::string eval, prompt, chosen, rejected;
  std::string chosen_model = {}, rejected_model = {};
};

// Of one evaluation, counted over distinct answers to a prompt.
struct PairCounts {
  std::string eval;
  std::size_t answers = 0, right = 0, neither = 0;
  std::size_t prompts = 0, both = 0, only_right = 0, only_wrong = 0;
  std::size_t pairs = 0;
  std::size_t unbalanced = 0;  // pairs that balancing left out
};

struct EvalPairs {
  bool turns = true;  // prompts are a user's turn; else texts that are completed
  std::vector<EvalPair> all;
  std::vector<PairCounts> counts;  // of each evaluation, in the order in which they first occur
};

struct PairingOptions {
  std::size_t per_prompt = 0;  // at most, drawn by Stream(seed, "eval pairs", prompt); 0: all
  // Of any two models, as many pairs in which the one is right as in which the other is, drawn by
  // Stream(seed, "balanced pairs", 0): who wrote an answer then says nothing about it.
  bool balanced = false;
  std::uint64_t seed = 0;
};

// Every right answer to a prompt with every wrong one, in the order of the answers; the same text
// counts once. kBadInput: no prompt has both, which names how many have one alone.
Result<EvalPairs> pair_answers(std::span<const GradedAnswer> answers,
                               const PairingOptions& options);

// The right choice of each item with every other one. kUsage: a suite without choices.
Result<EvalPairs> pair_choices(const Suite& suite, const PairingOptions& options);

// {"eval","prompt","chosen","rejected"}, turns as lists of messages; "chosen_model" and
// "rejected_model" where they are told.
Json pair_json(const EvalPairs& pairs, const EvalPair& pair);

// "pairs_ordered" of each evaluation by the longest and by the shortest answer, in characters, and
// where models are told by the one that is right in more of its pairs; ties half. Shares with
// Wilson's interval and the design effect of prompts.
std::vector<EvalRow> pair_baselines(const EvalPairs& pairs, double level);

// What was paired and what was not, a sentence an evaluation.
std::vector<std::string> pair_notes(const EvalPairs& pairs);

}  // namespace plumb::evals
