// The verbs of `plumb reward` that have files of their own.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plumb/cli/options.h"
#include "plumb/report/reward_eval_report.h"
#include "plumb/rlhf/reward/learned_reward.h"

namespace plumb::cli {

void add_reward_label(CLI::App& reward, Program& program);
void add_reward_train(CLI::App& reward, Program& program);
void add_reward_eval(CLI::App& reward, Program& program);
void add_reward_rate(CLI::App& reward, Program& program);
void add_reward_perturb(CLI::App& reward, Program& program);

// Comparisons of prompts that none of the rewards learnt from. The note says how many were left
// out, and of which rewards that cannot be told. kBadInput: all were.
struct UnseenData {
  rlhf::PreferenceData data;
  std::size_t left_out = 0;
};
Result<UnseenData> unseen(const rlhf::PreferenceData& data,
                          std::span<const std::unique_ptr<rlhf::LearnedReward>> rewards,
                          std::vector<std::string>& notes);

// The table with its baselines, the margins, and the notes below.
Output reward_eval_output(const report::RewardEvalContext& context);

}  // namespace plumb::cli
