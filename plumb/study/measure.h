// What a researcher sees of a study: progress, agreement so far, how good and how fast annotators
// are. Computed from one snapshot; annotators never see any of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/stats/median.h"
#include "plumb/stats/score.h"
#include "plumb/stats/standings.h"
#include "plumb/study/study.h"
#include "plumb/tasks/agreement.h"

namespace plumb::study {

// What the status of a large study waits for most, for a test of how it is read: how many units of
// a task have answers, and the times of those that count.
extern const std::string_view kUnitsSql, kTimesSql;

// How near an annotator's answers come to known ones: the mean closeness (units.h), from 0 to 1,
// with Wilson's interval for bounded means.
struct Quality {
  std::size_t checks = 0;
  stats::Score value = stats::undefined("there were no checks");
  stats::IntervalScore ci = stats::undefined("there were no checks");
};

// Seconds for an item, as the page measured them.
struct ItemTime {
  std::size_t items = 0;
  stats::Score seconds = stats::undefined("no times were measured");  // the median
  stats::IntervalScore ci = stats::undefined("no times were measured");
};

struct AnnotatorStatus {
  Annotator annotator;
  std::int64_t answered = 0;  // answers that count
  std::int64_t skipped = 0, flagged = 0;
  std::int64_t surplus = 0;  // kept, but outside every count
  std::int64_t holding = 0;  // slots under a lease
  std::optional<std::int64_t> last_ms;
  Quality gold;     // on hidden known items
  Quality repeats;  // their second answers against their first
  ItemTime active, idle;
};

struct TaskStatus {
  StudyTask task;
  std::int64_t slots = 0, open = 0, leased = 0, submitted = 0;
  std::int64_t answered_units = 0;  // with an answer or more
  std::int64_t complete_units = 0;  // with all of them
};

struct StudyStatus {
  bool frozen = false;
  std::optional<std::string> frozen_sha256;
  std::int64_t guideline = 0;
  std::vector<TaskStatus> tasks;
  std::vector<AnnotatorStatus> annotators;  // in the order in which they came
};

Result<StudyStatus> study_status(const Study& study, double level = 0.95);

// Agreement on the answers that count: nominal for labels and preferences, interval for ratings,
// partition for groups, ordinal for grades (each candidate an item). On the items that several
// people answered; of many of them a random sample, drawn from the study's seed.
struct LiveAgreement {
  tasks::AgreementReport report;
  std::int64_t of_items = 0;  // that the sample was drawn from
};
struct AgreementOptions {
  std::size_t most_items = 2000;
  stats::ResampleOptions sampling = {.resamples = 200};
  double level = 0.95;
};
// kNotFound: nobody has answered yet.
Result<LiveAgreement> live_agreement(const Study& study, const StudyTask& task,
                                     const AgreementOptions& options);

}  // namespace plumb::study
