// A study's tasks and answers in the words of tasks/: for scoring, MTEB files and the gap so far.
//
//   PLUMB_TRY(task, task_in(connection, study_task));
//   PLUMB_TRY(people, people_sheets(connection, study_task, task));
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/study/study.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::study {

// The task with its items and their gold, as it was when the study was made; its hash is
// task.items_sha256. Training items are not kept in a study.
Result<tasks::Task> task_in(Connection& connection, const StudyTask& task);

// Where each item stands in a task, by its id.
using Places = std::map<std::string, std::size_t, std::less<>>;
Places places_of(const tasks::Task& task);

// Puts an answer of a unit (units.h) into a sheet: of a pool one a text.
Result<void> put_answer(const tasks::Task& task, const Places& places, const std::string& unit,
                        const Json& answer, tasks::AnswerSheet& sheet);

// The answers that count, a sheet an annotator in the order in which they came; those who answered
// nothing of the task are left out. Provenance: "guidelines" (versions), "first", "last" (UTC).
Result<std::vector<tasks::AnswerSheet>> people_sheets(Connection& connection, const StudyTask& task,
                                                      const tasks::Task& whole);

// What people answered to a task, with the task, in one snapshot.
struct TaskSheets {
  tasks::Task task;
  std::vector<tasks::AnswerSheet> people;
};
Result<TaskSheets> load_sheets(const Study& study, const StudyTask& task);

}  // namespace plumb::study
