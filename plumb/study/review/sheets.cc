#include "plumb/study/review/sheets.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plumb/tasks/codec.h"

namespace plumb::study {
namespace {

using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Task;

Result<void> add_pool(Task& task, const Json& body, const Json& gold) {
  for (const Json& text : body["texts"]) {
    Json json = text;
    const auto& id = text["id"].get_ref<const std::string&>();
    if (gold.is_object() && gold["groups"].contains(id)) json["group"] = gold["groups"][id];
    PLUMB_TRY(item, tasks::parse_item(task, json));
    task.items.push_back(std::move(item));
  }
  return {};
}

Result<void> add_unit(Task& task, Json body, const Json& gold) {
  if (task.kind == Kind::kClustering) return add_pool(task, body, gold);
  if (gold.is_object()) body.update(gold);
  PLUMB_TRY(item, tasks::parse_item(task, body));
  task.items.push_back(std::move(item));
  return {};
}

// What stands beside the answers of one annotator.
struct Origin {
  std::set<std::int64_t> guidelines;
  std::int64_t first_ms = 0, last_ms = 0;

  void add(std::int64_t guideline, std::int64_t at_ms) {
    first_ms = guidelines.empty() ? at_ms : std::min(first_ms, at_ms);
    last_ms = guidelines.empty() ? at_ms : std::max(last_ms, at_ms);
    guidelines.insert(guideline);
  }
  Json json() const {
    return {{"guidelines", guidelines}, {"first", utc_text(first_ms)}, {"last", utc_text(last_ms)}};
  }
};

constexpr std::string_view kCounted =
    "SELECT annotators.id, annotators.pseudonym, annotators.kind, items.name, answers.body, "
    "answers.guideline, answers.created_ms FROM items "
    "JOIN slots ON slots.item_id = items.id AND slots.purpose = 'main' "
    "JOIN answers ON answers.id = slots.answer_id "
    "JOIN annotators ON annotators.id = slots.annotator_id "
    "WHERE items.task_id = ?1 AND items.role = 'main' ORDER BY items.position, slots.k";

}  // namespace

Result<Task> task_in(Connection& connection, const StudyTask& task) {
  Task whole = task.header;
  whole.items.reserve(static_cast<std::size_t>(task.items));
  auto read = connection.each(
      "SELECT body, gold FROM items WHERE task_id = ?1 AND role = 'main' ORDER BY position",
      {task.id}, [&whole](const Row& row) {
        return add_unit(whole, Json::parse(row.text(0), nullptr, false),
                        row.is_null(1) ? Json() : Json::parse(row.text(1), nullptr, false));
      });
  if (!read) return tl::unexpected(read.error());
  return whole;
}

Places places_of(const Task& task) {
  Places places;
  for (std::size_t i = 0; i < task.items.size(); ++i) places.emplace(task.items[i].id, i);
  return places;
}

Result<void> put_answer(const Task& task, const Places& places, const std::string& unit,
                        const Json& answer, AnswerSheet& sheet) {
  tasks::GroupNames groups;
  const auto put = [&](const std::string& item, const Json& fields) -> Result<void> {
    const auto found = places.find(item);
    if (found == places.end()) {
      return fail(ErrorKind::kBadInput, fmt::format("\"{}\" has no item \"{}\"", task.name, item));
    }
    PLUMB_TRY(parsed, tasks::parse_answer(task, task.items[found->second], fields, groups));
    sheet.answers[found->second] = std::move(parsed);
    return {};
  };
  if (task.kind != Kind::kClustering) return put(unit, answer);
  for (const auto& [id, group] : answer["groups"].items()) {
    if (auto done = put(id, Json{{"group", group}}); !done) return done;
  }
  return {};
}

Result<std::vector<AnswerSheet>> people_sheets(Connection& connection, const StudyTask& task,
                                               const Task& whole) {
  const Places places = places_of(whole);
  std::map<std::int64_t, std::pair<AnswerSheet, Origin>> by_annotator;
  auto read = connection.each(kCounted, {task.id}, [&](const Row& row) {
    auto& [sheet, origin] = by_annotator[row.integer(0)];
    if (sheet.answers.empty()) {
      sheet.rater = row.text(1);
      sheet.kind = *tasks::parse_rater_kind(row.text(2));
      sheet.answers.resize(whole.items.size());
    }
    origin.add(row.integer(5), row.integer(6));
    return put_answer(whole, places, row.text(3), Json::parse(row.text(4), nullptr, false), sheet);
  });
  if (!read) return tl::unexpected(read.error());
  std::vector<AnswerSheet> sheets;
  for (auto& [id, one] : by_annotator) {
    one.first.provenance = one.second.json();
    sheets.push_back(std::move(one.first));
  }
  return sheets;
}

Result<TaskSheets> load_sheets(const Study& study, const StudyTask& task) {
  return study.store().read<TaskSheets>([&](Connection& connection) -> Result<TaskSheets> {
    PLUMB_TRY(whole, task_in(connection, task));
    PLUMB_TRY(people, people_sheets(connection, task, whole));
    return TaskSheets{std::move(whole), std::move(people)};
  });
}

}  // namespace plumb::study
