#include "plumb/study/own_progress.h"

#include <algorithm>

#include "plumb/study/slots.h"

namespace plumb::study {
namespace {

// Answers that count, of everybody: slots are open, leased or submitted, and only the open are
// many.
Result<std::int64_t> submitted_slots(Connection& connection, const StudyTask& task, int overlap) {
  PLUMB_TRY(open, connection.count("SELECT COUNT(*) FROM slots WHERE task_id = ?1 AND purpose = "
                                   "'main' AND state = 'open'",
                                   {task.id}));
  PLUMB_TRY(leased, connection.count("SELECT COUNT(*) FROM slots WHERE state = 'leased' AND "
                                     "task_id = ?1 AND purpose = 'main'",
                                     {task.id}));
  return task.units * overlap - open - leased;
}

// By their first answers, newest last: read from the end, until there are enough.
Result<std::vector<std::int64_t>> recent_slots(Connection& connection, std::int64_t annotator) {
  PLUMB_TRY(rows,
            connection.query(
                "SELECT answers.slot_id FROM answers JOIN slots ON slots.id = answers.slot_id JOIN "
                "answers AS current ON current.id = slots.answer_id WHERE answers.annotator_id = "
                "?1 AND answers.revision = 1 AND slots.annotator_id = ?1 AND current.action = "
                "'answer' ORDER BY answers.id DESC LIMIT ?2",
                {annotator, std::int64_t{kUndoDepth}}));
  std::vector<std::int64_t> slots;
  for (const Row& row : rows) slots.push_back(row.integer(0));
  std::ranges::reverse(slots);
  return slots;
}

Result<OwnProgress> progress_in(Connection& connection, const Study& study,
                                std::int64_t annotator) {
  OwnProgress progress;
  for (const StudyTask& task : study.tasks()) {
    PLUMB_TRY(submitted, submitted_slots(connection, task, study.info().overlap));
    progress.slots += task.units * study.info().overlap;
    progress.others += submitted;
  }
  PLUMB_TRY(own, connection.first("SELECT COALESCE(SUM(CASE WHEN purpose <> 'training' THEN 1 ELSE "
                                  "0 END), 0), COALESCE(SUM(CASE WHEN purpose = 'main' THEN 1 "
                                  "ELSE 0 END), 0) FROM slots "
                                  "WHERE annotator_id = ?1 AND state = 'submitted'",
                                  {annotator}));
  progress.answered = own->integer(0);
  progress.others -= own->integer(1);
  PLUMB_TRY(recent, recent_slots(connection, annotator));
  progress.recent = std::move(recent);
  PLUMB_TRY(frozen, is_frozen(connection, study.info().id));
  progress.frozen = frozen;
  return progress;
}

}  // namespace

Result<OwnProgress> own_progress(const Study& study, std::int64_t annotator) {
  return study.store().read<OwnProgress>(
      [&](Connection& connection) { return progress_in(connection, study, annotator); });
}

}  // namespace plumb::study
