// What models answered to a study's items: answer sheets that a manager attaches, to see the gap so
// far. Annotators see nothing of it.
//
//   PLUMB_TRY(sheets, tasks::parse_answers(text, "bm25.jsonl", task));
//   attach_models(study, study_task, task, sheets, "owner");
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/study/review/sheets.h"
#include "plumb/study/study.h"

namespace plumb::study {

struct ModelSheet {
  std::string task, rater;
  tasks::RaterKind kind = tasks::RaterKind::kModel;
  int run = 0;
  std::int64_t answered = 0;
  std::string attached_by;
  std::int64_t attached_ms = 0;
};

// {"task","rater","kind","run","answers","attached_by","at"}.
Json model_sheet_json(const ModelSheet& one);

// All runs of a rater replace those that it had. whole: task_in(). kBadInput: answers of people or
// of nobody's, of other items, or to none.
Result<void> attach_models(const Study& study, const StudyTask& task, const tasks::Task& whole,
                           std::span<const tasks::AnswerSheet> sheets, const std::string& by);

// kNotFound: the study has no answers of that rater.
Result<void> detach_model(const Study& study, const std::string& rater);

Result<std::vector<ModelSheet>> models_of(const Study& study);

// In the order of raters and runs.
Result<std::vector<tasks::AnswerSheet>> model_sheets(const Study& study, const StudyTask& task,
                                                     const tasks::Task& whole);

}  // namespace plumb::study
