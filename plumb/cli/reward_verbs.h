// The verbs of `plumb reward` that have files of their own.
#pragma once

#include "plumb/cli/options.h"

namespace plumb::cli {

void add_reward_label(CLI::App& reward, Program& program);

}  // namespace plumb::cli
