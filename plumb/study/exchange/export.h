// What people answered, as files. Every row says who (by pseudonym), when, and which version of the
// guidelines was shown. One snapshot, in constant memory, in the order of the items: the same
// answers give the same bytes.
//
//   export_answers(study, "sts", [&](std::string_view bytes) { return file.write(bytes); });
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "plumb/study/study.h"

namespace plumb::study {

using Sink = std::function<Result<void>(std::string_view)>;

// The task of that name; "": the study's only one. kNotFound, naming the nearest; kUsage: it has
// several.
Result<const StudyTask*> find_task(const Study& study, std::string_view name);

// The same among the tasks of preferences. kUsage: the task is of another kind.
Result<const StudyTask*> find_preference_task(const Study& study, std::string_view name);

// Answer sheets (plumb.answers/1) of one task, which `plumb score`, `gap` and `agree` read: the
// answers that count, one a line, the header with the hash of the task's items first. Returns how
// many.
Result<std::size_t> export_answers(const Study& study, const StudyTask& task, const Sink& sink);
// The same in a snapshot that is shared with other exports.
Result<std::size_t> export_answers(Connection& connection, const StudyTask& task, const Sink& sink);

// A table of the answers that count, of all tasks; with history every action there ever was:
// earlier revisions, skips, what was taken back, checks, training, surplus. Texts that a
// spreadsheet would compute start with a quote.
Result<std::size_t> export_csv(const Study& study, bool history, const Sink& sink);

// Preference pairs as TRL reads them: "prompt", "chosen", "rejected", one for each answer that
// prefers a side. kUsage: the task is of another kind.
struct PreferenceCounts {
  std::size_t pairs = 0;
  std::size_t undecided = 0;  // "tie" and "both bad", left out
};
Result<PreferenceCounts> export_preferences(const Study& study, const StudyTask& task,
                                            const Sink& sink);

// Of the bytes that export_answers() gives for all tasks, one after another.
Result<std::string> answers_sha256(Connection& connection, const Study& study);

}  // namespace plumb::study
