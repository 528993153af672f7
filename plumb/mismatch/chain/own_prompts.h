// Prompts of a language model's own making, in groups that share none: some to learn from, others
// to judge by, others to measure on.
//
//   PLUMB_TRY(prompts, own_prompts(model, {.file = run / "texts.txt", .groups = {150, 60, 60}}));
//   prompts[0]   // the 150
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/rlhf/policy/prompts.h"

namespace plumb::mismatch {

struct OwnPromptOptions {
  std::filesystem::path file;       // of the texts; one that is there is taken as it is
  std::vector<std::size_t> groups;  // how many prompts each has
  std::size_t words = 12;           // of a text that are its prompt
  std::uint64_t seed = 0;
  int threads = 0;
  Progress progress = {};
};

// Drawn into the groups by Stream(seed, "own prompts", 0). kBadInput: the texts begin in too few
// different ways.
Result<std::vector<std::vector<rlhf::Prompt>>> own_prompts(const lm::LanguageModel& model,
                                                           const OwnPromptOptions& options);

}  // namespace plumb::mismatch
