// Models that need no file, and the small tasks that plumb ships: what a study can show before
// anybody brings models or texts of their own.
#pragma once

#include <vector>

#include "plumb/base/result.h"
#include "plumb/study/study.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::cli {

// BM25, TF-IDF and character n-grams with the default probes, and the trivial answers. A
// classification without training items, as a study keeps it, has trivial answers alone.
Result<std::vector<tasks::AnswerSheet>> built_in_answers(const tasks::Task& task);

// The tasks of data/demo: every kind, English, German and Arabic.
Result<std::vector<tasks::Task>> demo_tasks();

// The study of these tasks, with the built-in models' answers; the one that the store has already.
Result<study::Study> demo_study(study::Store& store);

}  // namespace plumb::cli
