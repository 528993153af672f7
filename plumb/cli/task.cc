// plumb task: tasks made of other files, looked at, checked, sampled.
#include "plumb/cli/task_verbs.h"

namespace plumb::cli {

void add_task(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("task",
                                      "Example:\n  plumb task show sts.task.jsonl\n\n"
                                      "Tasks: made of other files, looked at, checked, sampled.");
  verb->require_subcommand(1);
  add_task_import(*verb, program);
  add_task_show(*verb, program);
  add_task_list(*verb, program);
  add_task_lint(*verb, program);
  add_task_sample(*verb, program);
}

}  // namespace plumb::cli
