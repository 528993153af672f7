// Some items of a task, and what a sheet says of them.
#pragma once

#include <cstddef>
#include <span>

#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

using Places = std::span<const std::size_t>;  // of items in the task, in the order of the part

// With all training items. REQUIRES: every place is one of the task's.
Task part_of(const Task& task, Places places);
// REQUIRES: every place is one of the sheet's.
AnswerSheet part_of(const AnswerSheet& sheet, Places places);

}  // namespace plumb::tasks
