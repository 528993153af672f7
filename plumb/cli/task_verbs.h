// The verbs of `plumb task`, one file each.
#pragma once

#include "plumb/cli/options.h"

namespace plumb::cli {

void add_task_import(CLI::App& task, Program& program);
void add_task_show(CLI::App& task, Program& program);
void add_task_list(CLI::App& task, Program& program);
void add_task_lint(CLI::App& task, Program& program);
void add_task_sample(CLI::App& task, Program& program);

}  // namespace plumb::cli
