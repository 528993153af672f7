// What a chain draws from its language model, in files that are made once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/rlhf/policy/prompts.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/samples.h"

namespace plumb::mismatch {

struct TextOptions {
  std::size_t texts = 0;  // with different first words
  std::size_t words = 12;
  std::uint64_t seed = 0;
  int threads = 0;
  Progress progress = {};
};

// First lines of what the model writes without a prompt, each beginning with other words than those
// before it, with empty lines between; fewer than asked for where it repeats itself. kBadInput: a
// model that begins with no token.
Result<std::string> write_texts(const lm::LanguageModel& model, const TextOptions& options);

struct DrawOptions {
  std::size_t group = 1;  // completions of each prompt
  std::size_t max_tokens = 48;
  std::uint64_t seed = 0;
  int threads = 0;
  Progress progress = {};  // prompts
};

// Completions as records of step 0 (rlhf/samples.h), scored by `gold` where it is given; a file
// that is there is left as it is.
Result<void> draw_samples(const lm::LanguageModel& model, std::span<const rlhf::Prompt> prompts,
                          rlhf::Reward* gold, const DrawOptions& options,
                          const std::filesystem::path& file);

// What a reward reads of the records, which must outlive it.
std::vector<rlhf::Completed> completed_texts(std::span<const rlhf::Sample> samples);

// The records with these scores of their proxy.
Result<void> write_scored(std::vector<rlhf::Sample> samples, std::span<const double> scores,
                          const std::filesystem::path& file);

}  // namespace plumb::mismatch
