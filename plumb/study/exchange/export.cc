#include "plumb/study/exchange/export.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/hash.h"
#include "plumb/base/nearest.h"
#include "plumb/text/csv.h"

namespace plumb::study {
namespace {

constexpr std::size_t kChunk = 1 << 16;

// Gathers small pieces into writes of some size.
class Buffer {
 public:
  explicit Buffer(const Sink& sink) : sink_(sink) {}

  Result<void> add(std::string_view bytes) {
    bytes_ += bytes;
    return bytes_.size() < kChunk ? Result<void>() : flush();
  }
  Result<void> flush() {
    auto written = sink_(bytes_);
    bytes_.clear();
    return written;
  }

 private:
  const Sink& sink_;
  std::string bytes_;
};

// The answers of a task that count, in the order of items and slots.
constexpr std::string_view kCounted =
    "SELECT annotators.pseudonym, annotators.kind, items.name, answers.body, answers.revision, "
    "answers.guideline, answers.created_ms, answers.flagged, answers.comment, answers.late, "
    "answers.active_ms, answers.idle_ms, answers.presented, items.body "
    "FROM items JOIN slots ON slots.item_id = items.id AND slots.purpose = 'main' "
    "JOIN answers ON answers.id = slots.answer_id "
    "JOIN annotators ON annotators.id = slots.annotator_id "
    "WHERE items.task_id = ?1 AND items.role = 'main' ORDER BY items.position, slots.k";

struct Counted {
  const Row& row;

  const std::string& rater() const { return row.text(0); }
  const std::string& kind() const { return row.text(1); }
  const std::string& item() const { return row.text(2); }
  Json answer() const { return Json::parse(row.text(3), nullptr, false); }
  std::string at() const { return utc_text(row.integer(6)); }

  // What stands beside the answer.
  void add_provenance(Json& json) const {
    json["guideline"] = row.integer(5);
    json["revision"] = row.integer(4);
    json["at"] = at();
    if (row.integer(7) != 0) json["flagged"] = true;
    if (!row.text(8).empty()) json["comment"] = row.text(8);
    if (row.integer(9) != 0) json["late"] = true;
    if (!row.is_null(10)) json["active_ms"] = row.integer(10);
    if (!row.is_null(11)) json["idle_ms"] = row.integer(11);
    if (!row.text(12).empty()) json["presented"] = row.text(12);
  }
};

Result<void> add_line(Buffer& buffer, const Counted& counted, const std::string& item,
                      const Json& fields) {
  Json json = {{"rater", counted.rater()}, {"kind", counted.kind()}, {"item", item}};
  json.update(fields);
  counted.add_provenance(json);
  return buffer.add(to_text(json) + "\n");
}

// A line an item; of a pool a line a text.
Result<std::size_t> add_lines(Buffer& buffer, const Counted& counted) {
  const Json answer = counted.answer();
  if (!answer.contains("groups")) {
    auto added = add_line(buffer, counted, counted.item(), answer);
    return added ? Result<std::size_t>(1) : tl::unexpected(added.error());
  }
  for (const auto& [id, group] : answer["groups"].items()) {
    auto added = add_line(buffer, counted, id, Json{{"group", group}});
    if (!added) return tl::unexpected(added.error());
  }
  return answer["groups"].size();
}

Result<std::size_t> add_sheet(Connection& connection, const StudyTask& task, const Sink& sink) {
  Buffer buffer(sink);
  std::size_t lines = 0;
  const Json header = {
      {"schema", "plumb.answers/1"}, {"task", task.header.name}, {"items", task.items_sha256}};
  if (auto added = buffer.add(to_text(header) + "\n"); !added) {
    return tl::unexpected(added.error());
  }
  auto read = connection.each(kCounted, {task.id}, [&](const Row& row) -> Result<void> {
    PLUMB_TRY(added, add_lines(buffer, Counted{row}));
    lines += added;
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  if (auto written = buffer.flush(); !written) return tl::unexpected(written.error());
  return lines;
}

std::string numbers(const Json& list) {
  std::vector<double> values;
  for (const Json& value : list) values.push_back(value.get<double>());
  return fmt::format("{}", fmt::join(values, " "));
}

// The value of one field of an answer; "" where it has none.
std::string field_text(const Json& answer, const char* field) {
  if (!answer.is_object() || !answer.contains(field)) return "";
  const Json& value = answer[field];
  if (value.is_string()) return guarded_cell(value.get<std::string>());
  if (value.is_array()) return numbers(value);
  return value.is_number() ? fmt::format("{}", value.get<double>()) : to_text(value);
}

constexpr const char* kAnswerFields[] = {"rating", "label",  "group",    "grades",
                                         "scores", "choice", "strength", "reason"};

const std::vector<std::string> kColumns = {
    "task",     "item",      "rater",   "kind",     "rating",  "label",   "group",
    "grades",   "scores",    "choice",  "strength", "reason",  "purpose", "action",
    "revision", "counts",    "late",    "surplus",  "flagged", "comment", "guideline",
    "at",       "active_ms", "idle_ms", "presented"};

// Columns of a query whose rows CsvLines takes.
constexpr std::string_view kCsvColumns =
    "SELECT tasks.name, items.name, annotators.pseudonym, annotators.kind, slots.purpose, "
    "answers.action, answers.revision, slots.answer_id = answers.id, answers.late, "
    "answers.surplus, answers.flagged, answers.comment, answers.guideline, answers.created_ms, "
    "answers.active_ms, answers.idle_ms, answers.presented, answers.body ";

constexpr std::string_view kCsvCounted =
    "FROM items JOIN slots ON slots.item_id = items.id AND slots.purpose = 'main' "
    "JOIN answers ON answers.id = slots.answer_id "
    "JOIN annotators ON annotators.id = slots.annotator_id "
    "JOIN tasks ON tasks.id = items.task_id "
    "WHERE items.task_id = ?1 AND items.role = 'main' ORDER BY items.position, slots.k";

constexpr std::string_view kCsvHistory =
    "FROM answers JOIN slots ON slots.id = answers.slot_id "
    "JOIN annotators ON annotators.id = answers.annotator_id "
    "JOIN items ON items.id = slots.item_id JOIN tasks ON tasks.id = items.task_id "
    "WHERE items.task_id = ?1 ORDER BY answers.id";

std::string maybe_number(const Row& row, std::size_t column) {
  return row.is_null(column) ? "" : fmt::format("{}", row.integer(column));
}

Result<std::size_t> add_csv_row(Buffer& buffer, const Row& row, const std::string& item,
                                const Json& answer) {
  std::vector<std::string> cells = {guarded_cell(row.text(0)), guarded_cell(item),
                                    guarded_cell(row.text(2)), row.text(3)};
  for (const char* field : kAnswerFields) cells.push_back(field_text(answer, field));
  const bool counts = row.text(4) == "main" && !row.is_null(7) && row.integer(7) != 0;
  for (std::string& text : std::vector<std::string>{
           row.text(4), row.text(5), maybe_number(row, 6), counts ? "1" : "0", maybe_number(row, 8),
           maybe_number(row, 9), maybe_number(row, 10), guarded_cell(row.text(11)),
           maybe_number(row, 12), utc_text(row.integer(13)), maybe_number(row, 14),
           maybe_number(row, 15), row.text(16)}) {
    cells.push_back(std::move(text));
  }
  std::string line;
  append_csv_row(line, cells);
  auto added = buffer.add(line);
  return added ? Result<std::size_t>(1) : tl::unexpected(added.error());
}

Result<std::size_t> add_csv_rows(Buffer& buffer, const Row& row) {
  const Json answer = row.is_null(17) ? Json::object() : Json::parse(row.text(17), nullptr, false);
  if (!answer.contains("groups")) return add_csv_row(buffer, row, row.text(1), answer);
  for (const auto& [id, group] : answer["groups"].items()) {
    auto added = add_csv_row(buffer, row, id, Json{{"group", group}});
    if (!added) return added;
  }
  return answer["groups"].size();
}

Result<std::size_t> add_table(Connection& connection, const Study& study, bool history,
                              const Sink& sink) {
  Buffer buffer(sink);
  std::string head;
  append_csv_row(head, kColumns);
  if (auto added = buffer.add(head); !added) return tl::unexpected(added.error());
  const std::string sql = fmt::format("{}{}", kCsvColumns, history ? kCsvHistory : kCsvCounted);
  std::size_t rows = 0;
  for (const StudyTask& task : study.tasks()) {
    auto read = connection.each(sql, {task.id}, [&](const Row& row) -> Result<void> {
      PLUMB_TRY(added, add_csv_rows(buffer, row));
      rows += added;
      return {};
    });
    if (!read) return tl::unexpected(read.error());
  }
  if (auto written = buffer.flush(); !written) return tl::unexpected(written.error());
  return rows;
}

Result<void> add_pair(Buffer& buffer, const Counted& counted, PreferenceCounts& counts) {
  const Json answer = counted.answer();
  const Json body = Json::parse(counted.row.text(13), nullptr, false);
  const bool first = answer["choice"] == "A";
  if (!first && answer["choice"] != "B") {
    ++counts.undecided;
    return {};
  }
  ++counts.pairs;
  Json json = {{"prompt", body["prompt"]},
               {"chosen", body[first ? "a" : "b"]},
               {"rejected", body[first ? "b" : "a"]}};
  if (answer.contains("strength")) json["margin"] = answer["strength"];
  json["item"] = counted.item();
  json["annotator"] = counted.rater();
  json["kind"] = counted.kind();
  counted.add_provenance(json);
  return buffer.add(to_text(json) + "\n");
}

Result<void> check_preferences(const StudyTask& task) {
  if (task.header.kind == tasks::Kind::kPreference) return {};
  return fail(ErrorKind::kUsage, fmt::format("\"{}\" is a {} task; only preferences make pairs",
                                             task.header.name, kind_name(task.header.kind)));
}

}  // namespace

Result<const StudyTask*> find_task(const Study& study, std::string_view name) {
  const auto& all = study.tasks();
  if (name.empty() && all.size() == 1) return &all.front();
  std::vector<std::string> names;
  for (const StudyTask& task : all) {
    if (task.header.name == name) return &task;
    names.push_back(task.header.name);
  }
  if (name.empty()) {
    return fail(ErrorKind::kUsage, fmt::format("study \"{}\" has several tasks; --task names one "
                                               "of {}",
                                               study.info().name, fmt::join(names, ", ")));
  }
  const auto near = nearest(name, names);
  return fail(ErrorKind::kNotFound,
              fmt::format("study \"{}\" has no task \"{}\"; {}", study.info().name, name,
                          near ? fmt::format("did you mean \"{}\"?", *near)
                               : fmt::format("there are {}", fmt::join(names, ", "))));
}

Result<const StudyTask*> find_preference_task(const Study& study, std::string_view name) {
  const auto is_one = [](const StudyTask& task) {
    return task.header.kind == tasks::Kind::kPreference;
  };
  const auto& all = study.tasks();
  if (name.empty() && std::ranges::count_if(all, is_one) == 1) {
    return &*std::ranges::find_if(all, is_one);
  }
  PLUMB_TRY(task, find_task(study, name));
  if (auto fits = check_preferences(*task); !fits) return tl::unexpected(fits.error());
  return task;
}

Result<std::size_t> export_answers(const Study& study, const StudyTask& task, const Sink& sink) {
  return study.store().read<std::size_t>(
      [&](Connection& connection) { return add_sheet(connection, task, sink); });
}

Result<std::size_t> export_answers(Connection& connection, const StudyTask& task,
                                   const Sink& sink) {
  return add_sheet(connection, task, sink);
}

Result<std::size_t> export_csv(const Study& study, bool history, const Sink& sink) {
  return study.store().read<std::size_t>(
      [&](Connection& connection) { return add_table(connection, study, history, sink); });
}

Result<PreferenceCounts> export_preferences(const Study& study, const StudyTask& task,
                                            const Sink& sink) {
  if (auto fits = check_preferences(task); !fits) return tl::unexpected(fits.error());
  return study.store().read<PreferenceCounts>(
      [&](Connection& connection) -> Result<PreferenceCounts> {
        Buffer buffer(sink);
        PreferenceCounts counts;
        auto read = connection.each(kCounted, {task.id}, [&](const Row& row) {
          return add_pair(buffer, Counted{row}, counts);
        });
        if (!read) return tl::unexpected(read.error());
        if (auto written = buffer.flush(); !written) return tl::unexpected(written.error());
        return counts;
      });
}

Result<std::string> answers_sha256(Connection& connection, const Study& study) {
  Sha256 hash;
  for (const StudyTask& task : study.tasks()) {
    auto read = add_sheet(connection, task, [&hash](std::string_view bytes) {
      hash.add(bytes);
      return Result<void>();
    });
    if (!read) return tl::unexpected(read.error());
  }
  return hash.hex();
}

}  // namespace plumb::study
