// The verbs of `plumb reward` that have files of their own.
#pragma once

#include "plumb/cli/options.h"
#include "plumb/report/reward_eval_report.h"

namespace plumb::cli {

void add_reward_label(CLI::App& reward, Program& program);
void add_reward_train(CLI::App& reward, Program& program);
void add_reward_eval(CLI::App& reward, Program& program);

// The table with its baselines, the margins, and the notes below.
Output reward_eval_output(const report::RewardEvalContext& context);

}  // namespace plumb::cli
