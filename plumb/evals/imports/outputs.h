// What models wrote for prompts, in the forms in which it is published: plumb's own samples,
// AlpacaEval and AlpacaFarm outputs, any table or JSON lines with a prompt and a completion.
//
//   PLUMB_TRY(outputs, read_outputs("outputs_rlhf.json"));
//   PLUMB_TRY(matched, match_outputs(prompts, outputs, {.suite = "gsm8k"}));
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"

namespace plumb::evals {

struct Output {
  std::string where = {};  // "file:line"
  std::string prompt = {}, text = {};
  std::string model = {};                // "model" or "generator"; "": not told
  std::string suite = {};                // "suite"; "": not told
  std::optional<bool> ended = {};        // by itself
  std::optional<std::size_t> step = {};  // of a training run
  std::optional<double> kl = {};         // from the starting policy, nats
};

// The prompt is "prompt", "question" or "instruction" (with "input" after an empty line, where
// there is one); the text "completion", "output", "response", "solution" or "text". kBadInput with
// file and line: a record without the two, fields of another type, a negative kl.
Result<std::vector<Output>> read_outputs(const std::string& file);

struct MatchOptions {
  std::string suite;     // outputs that name another one are refused
  bool partial = false;  // prompts of the suite may lack an output
};

// [prompts] the output of each, compared without the blanks around prompts. kBadInput, with file
// and line: an output of another suite, outputs of two models, an output of a prompt that is not
// the suite's, a second output of one prompt, and, unless partial, a prompt without an output.
Result<std::vector<const Output*>> match_outputs(std::span<const std::string> prompts,
                                                 std::span<const Output> outputs,
                                                 const MatchOptions& options);

// Of each model its outputs, in the order in which models first occur.
std::vector<std::vector<Output>> by_model(std::span<const Output> outputs);

}  // namespace plumb::evals
