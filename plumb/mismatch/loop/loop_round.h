// One round of a loop, stage by stage; each stage is a file that is made once.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/loop/loop.h"
#include "plumb/rlhf/policy/prompts.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/reward/reward_ensemble.h"

namespace plumb::mismatch {

// What all rounds share.
struct LoopWorld {
  const LoopOptions& options;
  const ChainWatch& watch;
  const lm::LanguageModel& base;
  std::vector<rlhf::Prompt> training, measured;
  std::unique_ptr<rlhf::Reward> gold;  // nullptr: none is known
};

class LoopRound {
 public:
  LoopRound(const LoopWorld& world, std::size_t round)
      : world_(world), o_(world.options), round_(round), here_(folder_of(round)) {}

  // Draws and chooses; task.jsonl is there afterwards.
  Result<void> ask();
  // Simulated annotators answer. False: people have to.
  Result<bool> answer();
  // Scores the old reward model, learns the answers, trains the policy; the round's figures.
  Result<Json> learn();

 private:
  std::filesystem::path folder_of(std::size_t round) const;
  Progress progress(const std::string& stage) const;
  Result<lm::LanguageModel> policy_before() const;
  Result<std::unique_ptr<rlhf::RewardEnsemble>> ensemble_of(std::size_t round) const;
  Result<std::vector<QuestionPair>> chosen(const std::vector<rlhf::Sample>& samples) const;
  Result<Json> prequential() const;
  Result<Json> questions_json() const;
  Result<std::size_t> train_members() const;
  Result<Json> train_policy() const;

  const LoopWorld& world_;
  const LoopOptions& o_;
  std::size_t round_;
  std::filesystem::path here_;
};

}  // namespace plumb::mismatch
