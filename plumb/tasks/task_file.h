// Task files: JSONL, plain or gzip; a header, then one line an item (see codec.h and
// docs/formats.md).
//
//   PLUMB_TRY(task, read_task("sts.task.jsonl"));          // all of it
//   PLUMB_TRY(reader, TaskReader::open("big.jsonl.gz"));   // item by item, in constant memory
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_set>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/tasks/task.h"
#include "plumb/text/lines.h"

namespace plumb::tasks {

struct TaskItem {
  Item item;
  bool training = false;
};

class TaskReader {
 public:
  // Reads the header. kBadInput, with file and line: what the file holds is no task.
  static Result<TaskReader> open(const std::filesystem::path& path);

  const Task& header() const { return header_; }  // without items

  // The next item; nothing at the end. kBadInput, with file and line: no JSON, a field that is
  // missing, a rating off the scale, an unknown label, an id that occurred before, broken UTF-8, a
  // gzip file that is cut short. Eight bytes an item are kept, to know ids again.
  Result<std::optional<TaskItem>> next();

  const LineReader& lines() const { return lines_; }

 private:
  explicit TaskReader(LineReader lines) : lines_(std::move(lines)) {}

  LineReader lines_;
  Task header_;
  std::unordered_set<std::uint64_t> ids_;
};

// A whole task. The file's name stands for a name that the header does not give. kBadInput also
// where there is no item.
Result<Task> read_task(const std::filesystem::path& path, const Progress& progress = {});

std::string format_task(const Task& task);
std::string format_item(const Task& task, const Item& item, bool training);  // one line

}  // namespace plumb::tasks
