#include "plumb/study/exchange/import_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "plumb/study/units.h"

namespace plumb::study {

namespace {

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  return texts;
}

}  // namespace

std::vector<std::string> Items::texts_of(const Json& body) {
  std::vector<std::string> texts;
  for (const char* field : {"text", "text1", "text2", "query", "prompt", "a", "b"}) {
    if (body.contains(field)) texts.push_back(body[field].get<std::string>());
  }
  for (const Json& candidate : body.value("candidates", Json::array())) texts.push_back(candidate);
  return texts;
}

Result<Items> Items::load(Connection& connection, const StudyTask& task) {
  Items items;
  items.task_ = task.header.name;
  auto read = connection.each(
      "SELECT id, name, body FROM items WHERE task_id = ?1 AND role = "
      "'main' ORDER BY position",
      {task.id}, [&items](const Row& row) {
        items.all_.push_back(
            {row.integer(0), row.text(1), Json::parse(row.text(2), nullptr, false)});
        return Result<void>();
      });
  if (!read) return tl::unexpected(read.error());
  for (std::size_t i = 0; i < items.all_.size(); ++i) {
    items.by_name_.emplace(items.all_[i].name, i);
    const auto texts = texts_of(items.all_[i].body);
    if (!texts.empty()) items.by_first_text_.emplace(texts.front(), i);
  }
  return items;
}

// The items all of whose texts are among these.
std::vector<const KnownItem*> Items::by_texts(const std::vector<std::string>& texts) const {
  std::vector<const KnownItem*> found;
  const auto there = sorted(texts);
  for (const std::string& text : texts) {
    const auto [begin, end] = by_first_text_.equal_range(text);
    for (auto at = begin; at != end; ++at) {
      const KnownItem* item = &all_[at->second];
      const bool known = std::ranges::find(found, item) != found.end();
      if (!known && std::ranges::includes(there, sorted(texts_of(item->body)))) {
        found.push_back(item);
      }
    }
  }
  return found;
}

Result<const KnownItem*> Items::find(const ForeignAnswer& answer) const {
  const auto named = by_name_.find(answer.item);
  const KnownItem* by_id = named == by_name_.end() ? nullptr : &all_[named->second];
  if (answer.texts.empty()) {
    if (by_id != nullptr) return by_id;
    return bad_answer(answer.where,
                      fmt::format("the task \"{}\" has no item \"{}\"", task_, answer.item));
  }
  const auto found = by_texts(answer.texts);
  if (found.size() == 1) return found.front();
  if (by_id != nullptr && std::ranges::find(found, by_id) != found.end()) return by_id;
  return bad_answer(
      answer.where,
      found.empty()
          ? fmt::format("no item of the task \"{}\" has the texts of this record", task_)
          : fmt::format("{} items of the task \"{}\" have the texts of this record, and its "
                        "id \"{}\" is none of theirs",
                        found.size(), task_, answer.item));
}

namespace {

// The sides of a comparison or the candidates of a query, in the item's order.
std::vector<std::string> choices_of(const Json& body) {
  if (body.contains("candidates")) return body["candidates"].get<std::vector<std::string>>();
  if (!body.contains("a")) return {};
  return {body["a"], body["b"]};
}

// The choices in the record's order: as its names tell, else those of its texts that are choices.
Result<std::vector<std::string>> given_choices(const KnownItem& item, const ForeignAnswer& answer,
                                               const std::vector<std::string>& choices) {
  if (!answer.sides.empty() && !item.body.contains("candidates")) return answer.sides;
  std::vector<std::string> given;
  std::ranges::copy_if(answer.texts, std::back_inserter(given), [&choices](const auto& text) {
    return std::ranges::find(choices, text) != choices.end();
  });
  if (given.size() == choices.size()) return given;
  return bad_answer(answer.where,
                    fmt::format("a text that item \"{}\" chooses from stands twice in the record; "
                                "which place it has among them is not told",
                                item.name));
}

// order[place] is the choice of the item that the record has there; empty without choices.
Result<Order> order_of(const KnownItem& item, const ForeignAnswer& answer) {
  const auto choices = choices_of(item.body);
  if (choices.empty() || answer.texts.empty()) return Order();
  PLUMB_TRY(given, given_choices(item, answer, choices));
  std::multimap<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < choices.size(); ++i) places.emplace(choices[i], i);
  Order order;
  for (const std::string& text : given) {
    const auto found = places.lower_bound(text);
    if (found == places.end() || found->first != text) {
      return bad_answer(answer.where, fmt::format("item \"{}\" has no side \"{}\"", item.name,
                                                  text.substr(0, 60)));
    }
    order.push_back(found->second);
    places.erase(found);
  }
  return order;
}

Result<std::vector<Placed>> place_single(const Items& items, const StudyTask& task,
                                         const std::vector<ForeignAnswer>& answers) {
  std::vector<Placed> placed;
  std::set<std::pair<std::string, std::int64_t>> seen;
  for (const ForeignAnswer& answer : answers) {
    PLUMB_TRY(item, items.find(answer));
    PLUMB_TRY(order, order_of(*item, answer));
    auto checked = checked_answer(task.header, item->body,
                                  stored_answer(task.header.kind, answer.answer, order));
    if (!checked) return bad_answer(answer.where, checked.error().message);
    if (!seen.emplace(answer.rater, item->id).second) {
      return bad_answer(answer.where, fmt::format("a second answer of \"{}\" to item \"{}\"",
                                                  answer.rater, item->name));
    }
    placed.push_back({&answer, item, std::move(*checked)});
  }
  return placed;
}

// The text of the pool that the answer is about.
Result<std::string> text_of(const Json& pool, const ForeignAnswer& answer) {
  for (const Json& text : pool["texts"]) {
    const bool same = answer.texts.empty()
                          ? text["id"] == answer.item
                          : std::ranges::find(answer.texts, text["text"].get<std::string>()) !=
                                answer.texts.end();
    if (same) return text["id"].get<std::string>();
  }
  return bad_answer(answer.where, fmt::format("the pool has no text \"{}\"", answer.item));
}

// A line a text makes one answer of each rater to the pool.
Result<std::vector<Placed>> place_pool(const Items& items, const StudyTask& task,
                                       const std::vector<ForeignAnswer>& answers) {
  const KnownItem* pool = &items.all().front();
  std::vector<Placed> placed;
  std::map<std::string, std::size_t> of_rater;
  for (const ForeignAnswer& answer : answers) {
    PLUMB_TRY(text, text_of(pool->body, answer));
    const auto [at, is_new] = of_rater.emplace(answer.rater, placed.size());
    if (is_new) placed.push_back({&answer, pool, Json{{"groups", Json::object()}}});
    Json& groups = placed[at->second].answer["groups"];
    if (groups.contains(text)) {
      return bad_answer(answer.where, fmt::format("a second answer of \"{}\" to text \"{}\"",
                                                  answer.rater, text));
    }
    groups[text] = answer.answer.value("group", Json());
  }
  for (Placed& one : placed) {
    auto checked = checked_answer(task.header, pool->body, one.answer);
    if (!checked) {
      return bad_answer(one.from->where, fmt::format("annotator \"{}\": {}", one.from->rater,
                                                     checked.error().message));
    }
    one.answer = std::move(*checked);
  }
  return placed;
}

}  // namespace

Result<std::vector<Placed>> place_answers(const Items& items, const StudyTask& task,
                                          const std::vector<ForeignAnswer>& answers) {
  for (const ForeignAnswer& answer : answers) {
    if (answer.rater.empty()) return bad_answer(answer.where, "it does not say whose answer it is");
  }
  return task.header.kind == tasks::Kind::kClustering ? place_pool(items, task, answers)
                                                      : place_single(items, task, answers);
}

}  // namespace plumb::study
