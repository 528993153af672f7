// Making a study: its tasks, its slots, its checks.
//
//   PLUMB_TRY(task, tasks::read_task("sts.task.jsonl"));
//   PLUMB_TRY(study, create_study(*store, {.name = "demo", .tasks = {task}, .overlap = 3}, {}));
#pragma once

#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/study/study.h"

namespace plumb::study {

struct StudyPlan {
  std::string name;
  std::vector<tasks::Task> tasks;  // answered one after another
  int overlap = 1;                 // annotators for each item
  Assignment assignment = Assignment::kBalanced;
  int seats = 0;  // of kFixed
  std::uint64_t seed = 0;
  std::int64_t lease_ms = 30LL * 60 * 1000;
  // Items with gold, each of a task of `tasks` by its name or, where only one is of its kind, by
  // its kind: known items hidden among the others, and items with feedback before them.
  std::vector<tasks::Task> gold = {}, training = {};
  double gold_rate = 0, repeat_rate = 0;  // share of the items shown that are checks
  std::string guidelines = {};            // "": those of the tasks
};

// In one transaction. kNotAllowed: the name is taken. kUsage: a plan that cannot be: more seats
// than annotators can fill, rates without anything to draw from. kBadInput: gold or training items
// that fit no task, or lack gold.
Result<Study> create_study(Store& store, const StudyPlan& plan, const Progress& progress = {});

}  // namespace plumb::study
