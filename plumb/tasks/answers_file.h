// Answer files: JSONL, plain or gzip. An optional header, then one line an answer:
//
//   {"schema":"plumb.answers/1","task":"sts","items":"<hash>"}
//   {"rater":"ann1","item":"7","rating":3.5}
//   {"rater":"gpt","kind":"llm","item":"7","refused":true}
//
// Fields of an answer by kind of task: codec.h. Beside them "kind" of rater (person unless said),
// "run" (0). CSV and TSV tables with the same columns are read too; lists of numbers are separated
// by blanks there. A table may hold the answers of several tasks, and answers that no longer count:
// of the columns that a study's table has, "task" and "counts" are heeded (AnswerRows).
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

// Which rows of a table answer a task: those that count (no "counts" of 0) and whose "task", where
// they have one, is its name.
class AnswerRows {
 public:
  // strict: a row of another task is an error, not left out.
  AnswerRows(std::string task, bool strict) : task_(std::move(task)), is_strict_(strict) {}

  // row: the cells that are not empty.
  Result<bool> take(const std::string& where, const Json& row);
  // How many were left out as of other tasks; kBadInput where all of them were.
  Result<std::size_t> left_out(const std::string& path) const;

 private:
  std::string task_;
  bool is_strict_;
  std::size_t ours_ = 0, others_ = 0;
  std::string other_;  // the first other task
};

// Told of each file with rows of other tasks, how many were left out.
using LeftOut = std::function<void(const std::string& path, std::size_t rows)>;

// The sheets of all raters of a file, in the order in which they first occur. kBadInput, with file
// and line: an answer to an item that the task does not have, two answers of one rater (and run) to
// one item, a rating off the scale, an unknown label, the hash of other items, a table without a
// row of the task among those of others.
Result<std::vector<AnswerSheet>> read_answers(const std::filesystem::path& path, const Task& task,
                                              const LeftOut& left_out = {});

// The same of JSON lines that are in memory; `name` stands for the file in errors.
Result<std::vector<AnswerSheet>> parse_answers(std::string_view text, std::string_view name,
                                               const Task& task);

// One after another; kBadInput where a rater occurs in two of the files.
Result<std::vector<AnswerSheet>> read_all_answers(std::span<const std::string> paths,
                                                  const Task& task, const LeftOut& left_out = {});

std::string format_answers(const Task& task, std::span<const AnswerSheet> sheets);

}  // namespace plumb::tasks
