#include "plumb/tasks/task_file.h"

#include <fmt/format.h>

#include <functional>

#include "plumb/tasks/codec.h"

namespace plumb::tasks {
namespace {

tl::unexpected<Error> at(const LineReader& lines, const Error& error) {
  return fail(error.kind, fmt::format("{}: {}", lines.where(), error.message));
}

// The next line that is not empty, parsed; nothing at the end.
Result<std::optional<Json>> next_json(LineReader& lines) {
  while (true) {
    PLUMB_TRY(line, lines.next());
    if (!line) return std::nullopt;
    if (line->find_first_not_of(" \t") == std::string_view::npos) continue;
    Json json = Json::parse(*line, nullptr, false);
    if (!json.is_discarded()) return json;
    return at(lines, {ErrorKind::kBadInput, "the line is not JSON; every line is one object"});
  }
}

// "sts" of "data/sts.task.jsonl.gz"
std::string name_of(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  for (const std::string_view ending : {".gz", ".jsonl", ".task"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  return name;
}

}  // namespace

Result<TaskReader> TaskReader::open(const std::filesystem::path& path) {
  PLUMB_TRY(lines, LineReader::open(path));
  TaskReader reader(std::move(lines));
  PLUMB_TRY(json, next_json(reader.lines_));
  if (!json) return fail(ErrorKind::kBadInput, fmt::format("{}: the file is empty", path.string()));
  auto header = parse_header(*json);
  if (!header) return at(reader.lines_, header.error());
  reader.header_ = std::move(*header);
  if (reader.header_.name.empty()) reader.header_.name = name_of(path);
  return reader;
}

Result<std::optional<TaskItem>> TaskReader::next() {
  PLUMB_TRY(json, next_json(lines_));
  if (!json) return std::nullopt;
  auto item = parse_item(header_, *json);
  if (!item) return at(lines_, item.error());
  if (!ids_.insert(std::hash<std::string>()(item->id)).second) {
    return at(lines_, {ErrorKind::kBadInput, fmt::format("the id \"{}\" occurred before; ids are "
                                                         "unique in a task",
                                                         item->id)});
  }
  const std::string split = word_field(*json, "split", "test");
  if (split != "test" && split != "train") {
    return at(lines_, {ErrorKind::kBadInput,
                       fmt::format("\"split\" is \"{}\"; there are train and test", split)});
  }
  return TaskItem{std::move(*item), split == "train"};
}

Result<Task> read_task(const std::filesystem::path& path, const Progress& progress) {
  PLUMB_TRY(reader, TaskReader::open(path));
  Task task = reader.header();
  while (true) {
    PLUMB_TRY(next, reader.next());
    if (!next) break;
    (next->training ? task.train : task.items).push_back(std::move(next->item));
    if (progress) progress(reader.lines().bytes_read(), reader.lines().bytes_total());
  }
  if (task.items.empty()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: the task has no items", path.string()));
  }
  return task;
}

std::string format_item(const Task& task, const Item& item, bool training) {
  Json json = item_json(task, item);
  if (training) json["split"] = "train";
  return to_text(json) + "\n";
}

std::string format_task(const Task& task) {
  std::string text = to_text(header_json(task)) + "\n";
  for (const bool training : {true, false}) {
    for (const Item& item : task.of(training)) text += format_item(task, item, training);
  }
  return text;
}

}  // namespace plumb::tasks
