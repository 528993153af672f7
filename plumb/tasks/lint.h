// What is wrong with a task before anyone answers it: faults of the items that a score would hide.
//
//   PLUMB_TRY(lint, lint_file("toxic.task.jsonl", {}));
//   for (const Finding& finding : lint.findings) print(finding.check, finding.items);
//
// The checks are one table in lint.cc; each is a function from a task to its finding.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

enum class Severity {
  kError,    // scores are wrong as long as it stands
  kWarning,  // scores may mislead
  kNote,     // good to know before people read the texts
};

// "error", "warning", "note"
std::string_view severity_name(Severity severity);

struct Finding {
  std::string check;  // "train-overlap"
  Severity severity;
  std::string message;             // one line: what was found, and why it matters
  std::vector<std::string> items;  // the ids it concerns, in the task's order; may be empty
};

struct LintOptions {
  std::size_t longest_text = 5000;  // characters that a person is expected to read
  Progress progress = {};
};

struct Lint {
  Task task;                      // the items that could be read
  std::vector<Finding> findings;  // errors first, then in the order of the checks
};

// Findings on a task that was read whole.
std::vector<Finding> lint_task(const Task& task, const LintOptions& options);

// Reads on after a line that read_task() would refuse: such lines are a finding of their own. An
// error only where the file cannot be read, has no header, or is damaged.
Result<Lint> lint_file(const std::filesystem::path& path, const LintOptions& options);

}  // namespace plumb::tasks
