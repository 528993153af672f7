// Decisions as files: an answer sheet, and a task with new gold.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

#include "plumb/study/review/adjudication.h"
#include "plumb/tasks/codec.h"

namespace plumb::study {
namespace {

// The newest decision on each item, unless it was withdrawn.
constexpr std::string_view kStanding =
    "SELECT items.name, items.body, items.gold, decisions.body, adjudicators.pseudonym, "
    "decisions.reason, decisions.guideline, decisions.revision, decisions.created_ms FROM items "
    "JOIN decisions ON decisions.item_id = items.id AND decisions.revision = (SELECT "
    "MAX(revision) FROM decisions AS later WHERE later.item_id = items.id) "
    "JOIN adjudicators ON adjudicators.id = decisions.adjudicator_id "
    "WHERE items.task_id = ?1 AND items.role = 'main' AND decisions.action = 'decide' "
    "ORDER BY items.position";

Json parsed(const Row& row, std::size_t column) {
  return row.is_null(column) ? Json() : Json::parse(row.text(column), nullptr, false);
}

void add_origin(Json& json, const Row& row) {
  json["adjudicator"] = row.text(4);
  json["reason"] = row.text(5);
  json["guideline"] = row.integer(6);
  json["revision"] = row.integer(7);
  json["at"] = utc_text(row.integer(8));
}

// What a decision says of each item: of a pool of each text.
template <typename Use>
Result<std::size_t> each_part(const Row& row, const Use& use) {
  const Json answer = parsed(row, 3);
  if (!answer.contains("groups")) {
    auto used = use(row.text(0), answer);
    return used ? Result<std::size_t>(1) : tl::unexpected(used.error());
  }
  for (const auto& [id, group] : answer["groups"].items()) {
    auto used = use(id, Json{{"group", group}});
    if (!used) return tl::unexpected(used.error());
  }
  return answer["groups"].size();
}

Result<std::size_t> each_decision(const Study& study, const StudyTask& task,
                                  const std::function<Result<std::size_t>(const Row&)>& use) {
  return study.store().read<std::size_t>([&](Connection& connection) -> Result<std::size_t> {
    std::size_t count = 0;
    auto read = connection.each(kStanding, {task.id}, [&](const Row& row) -> Result<void> {
      PLUMB_TRY(used, use(row));
      count += used;
      return {};
    });
    if (!read) return tl::unexpected(read.error());
    return count;
  });
}

// An answer as an item's gold: of scores, which may be negative, how many lower ones there are.
Json gold_fields(const Json& answer) {
  if (!answer.contains("scores")) return answer;
  std::set<double> lower;
  for (const Json& score : answer["scores"]) lower.insert(score.get<double>());
  Json grades = Json::array();
  for (const Json& score : answer["scores"]) {
    grades.push_back(std::distance(lower.begin(), lower.find(score.get<double>())));
  }
  return {{"grades", std::move(grades)}};
}

Json item_fields(const Row& row, const std::string& item) {
  const Json body = parsed(row, 1);
  if (!body.contains("texts")) return body;
  const auto& texts = body["texts"];
  return *std::ranges::find_if(texts, [&item](const Json& text) { return text["id"] == item; });
}

Json gold_before(const Row& row, const std::string& item) {
  const Json gold = parsed(row, 2);
  if (!gold.is_object() || !gold.contains("groups")) return gold;
  return {{"group", gold["groups"].value(item, "")}};
}

// The task's own header; of a clustering with the groups that decisions name.
Result<tasks::Task> header_of(const Study& study, const StudyTask& task) {
  tasks::Task header = task.header;
  header.origin = fmt::format("decisions of study \"{}\"", study.info().name);
  if (header.kind != tasks::Kind::kClustering) return header;
  header.labels.clear();
  auto read = each_decision(study, task, [&header](const Row& row) {
    return each_part(row, [&header](const std::string&, const Json& answer) -> Result<void> {
      const auto group = answer["group"].get<std::string>();
      if (std::ranges::find(header.labels, group) == header.labels.end()) {
        header.labels.push_back(group);
      }
      return {};
    });
  });
  if (!read) return tl::unexpected(read.error());
  return header;
}

}  // namespace

Result<std::size_t> export_decisions(const Study& study, const StudyTask& task, const Sink& sink) {
  const Json header = {
      {"schema", "plumb.answers/1"}, {"task", task.header.name}, {"items", task.items_sha256}};
  if (auto written = sink(to_text(header) + "\n"); !written) return tl::unexpected(written.error());
  return each_decision(study, task, [&sink](const Row& row) {
    return each_part(row, [&](const std::string& item, const Json& answer) {
      Json json = {{"rater", "adjudicated"}, {"kind", "adjudicated"}, {"item", item}};
      json.update(answer);
      add_origin(json, row);
      return sink(to_text(json) + "\n");
    });
  });
}

Result<std::size_t> export_gold_candidates(const Study& study, const StudyTask& task,
                                           const Sink& sink) {
  PLUMB_TRY(header, header_of(study, task));
  auto written = sink(to_text(tasks::header_json(header)) + "\n");
  if (!written) return tl::unexpected(written.error());
  return each_decision(study, task, [&sink](const Row& row) {
    return each_part(row, [&](const std::string& item, const Json& answer) {
      Json json = item_fields(row, item);
      json.update(gold_fields(answer));
      add_origin(json, row);
      const Json before = gold_before(row, item);
      if (before.is_object()) json["gold_before"] = before;
      return sink(to_text(json) + "\n");
    });
  });
}

}  // namespace plumb::study
