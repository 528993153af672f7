// Prompts that a policy completes: from a file, as tokens, and in the order in which a training
// takes them.
//
//   PLUMB_TRY(prompts, read_prompts("prompts.jsonl", model, {}));
//   const PromptSplit split = hold_out(std::move(prompts), 64, seed);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"

namespace plumb::rlhf {

struct Prompt {
  std::string text;
  std::vector<TokenId> tokens;  // the begin token first

  bool operator==(const Prompt&) const = default;
};

struct PromptOptions {
  std::size_t words = 5;  // of each text, where the file holds texts; 0: all of it
};

// The text up to the end of its n-th word between blanks; all of it where it has no more, and for
// 0.
std::string first_words(const std::string& text, std::size_t words);

// JSON lines with "prompt" (a text or a list of messages), a table (.csv, .tsv) with that column,
// or texts that empty lines separate, of which the first words are taken; plain or gzip. A prompt
// that occurs again is left out. kBadInput, with file and line: no JSON object, a JSON array, no
// "prompt", a prompt that leaves no room in the model's context, a text that the tokenizer refuses;
// none at all.
Result<std::vector<Prompt>> read_prompts(const std::filesystem::path& file,
                                         const lm::LanguageModel& model,
                                         const PromptOptions& options);

// The same of texts in memory; `name` stands in errors.
Result<std::vector<Prompt>> encode_prompts(std::span<const std::string> texts,
                                           const std::string& name, const lm::LanguageModel& model);

struct PromptSplit {
  std::vector<Prompt> training, held_out;
};

// Holds `count` prompts back, drawn by Stream(seed, "held-out prompts", 0); both parts stay in the
// order of the file. At least one prompt stays to train on. REQUIRES: prompts is not empty.
PromptSplit hold_out(std::vector<Prompt> prompts, std::size_t count, std::uint64_t seed);

// The hash of their texts, for manifests.
std::string prompts_hash(std::span<const Prompt> prompts);

// Numbers of `count` prompts for this step: step after step through epochs, each with every prompt
// once in an order of Stream(seed, "prompts", epoch). REQUIRES: prompts >= 1.
std::vector<std::size_t> prompts_of_step(std::size_t prompts, std::size_t count, std::size_t step,
                                         std::uint64_t seed);

}  // namespace plumb::rlhf
