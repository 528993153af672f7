#include "plumb/tasks/part.h"

namespace plumb::tasks {

Task part_of(const Task& task, Places places) {
  Task part{.name = task.name,
            .kind = task.kind,
            .instruction = task.instruction,
            .language = task.language,
            .licence = task.licence,
            .origin = task.origin,
            .guideline = task.guideline,
            .scale = task.scale,
            .labels = task.labels,
            .groups = task.groups,
            .train = task.train};
  for (const std::size_t place : places) part.items.push_back(task.items[place]);
  return part;
}

AnswerSheet part_of(const AnswerSheet& sheet, Places places) {
  AnswerSheet part{.rater = sheet.rater, .kind = sheet.kind, .run = sheet.run};
  part.refused = sheet.refused;
  part.provenance = sheet.provenance;
  for (const std::size_t place : places) part.answers.push_back(sheet.answers[place]);
  return part;
}

}  // namespace plumb::tasks
