// What the verbs of `plumb policy` share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plumb/cli/lm_options.h"
#include "plumb/cli/options.h"
#include "plumb/rlhf/policy/prompts.h"
#include "plumb/rlhf/reward/reward.h"

namespace plumb::cli {

// --prompts, --words.
struct PromptFileOptions {
  std::string file;
  std::size_t words = 5;

  void declare(CLI::App& verb);
  Result<std::vector<rlhf::Prompt>> read(const lm::LanguageModel& model) const {
    return rlhf::read_prompts(file, model, {.words = words});
  }
};

// --reward, --gold.
struct RewardOptions {
  std::string proxy, gold;

  void declare(CLI::App& verb);
};

// Nothing for an empty name.
Result<std::unique_ptr<rlhf::Reward>> open_if_named(const std::string& spec);

void add_policy_train(CLI::App& policy, Program& program);

}  // namespace plumb::cli
