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

// Comparisons that none of the rewards was trained on; a note says how many they are. kBadInput:
// all were, or the rewards were trained on different parts.
Result<rlhf::PreferenceData> unseen(const rlhf::PreferenceData& data,
                                    std::span<const std::unique_ptr<rlhf::LearnedReward>> rewards,
                                    std::vector<std::string>& notes);

// The table with its baselines, the margins, and the notes below.
Output reward_eval_output(const report::RewardEvalContext& context);

}  // namespace plumb::cli
