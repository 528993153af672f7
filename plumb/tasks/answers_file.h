// Answer files: JSONL, plain or gzip. An optional header, then one line an answer:
//
//   {"schema":"plumb.answers/1","task":"sts","items":"<hash>"}
//   {"rater":"ann1","item":"7","rating":3.5}
//   {"rater":"gpt","kind":"llm","item":"7","refused":true}
//
// Fields of an answer by kind of task: codec.h. Beside them "kind" of rater (person unless said),
// "run" (0). CSV and TSV tables with the same columns are read too; lists of numbers are separated
// by blanks there.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

// The sheets of all raters of a file, in the order in which they first occur. kBadInput, with file
// and line: an answer to an item that the task does not have, two answers of one rater (and run) to
// one item, a rating off the scale, an unknown label, the hash of other items.
Result<std::vector<AnswerSheet>> read_answers(const std::filesystem::path& path, const Task& task);

// The same of JSON lines that are in memory; `name` stands for the file in errors.
Result<std::vector<AnswerSheet>> parse_answers(std::string_view text, std::string_view name,
                                               const Task& task);

// One after another; kBadInput where a rater occurs in two of the files.
Result<std::vector<AnswerSheet>> read_all_answers(std::span<const std::string> paths,
                                                  const Task& task);

std::string format_answers(const Task& task, std::span<const AnswerSheet> sheets);

}  // namespace plumb::tasks
