#include "plumb/study/exchange/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "plumb/base/hash.h"
#include "plumb/study/slots.h"
#include "plumb/study/units.h"

namespace plumb::study {
namespace {

using tasks::Kind;

tl::unexpected<Error> bad(const std::string& where, std::string_view message) {
  return fail(ErrorKind::kBadInput, fmt::format("{}: {}", where, message));
}

struct KnownItem {
  std::int64_t id;
  std::string name;
  Json body;
};

// The items of a task, to be found by texts or by id.
class Items {
 public:
  static Result<Items> load(Connection& connection, const StudyTask& task);

  // Of a pool the item is the pool, whichever text the answer is about.
  Result<const KnownItem*> find(const ForeignAnswer& answer) const;

  const std::vector<KnownItem>& all() const { return all_; }

 private:
  static std::vector<std::string> texts_of(const Json& body);
  std::vector<const KnownItem*> by_texts(const std::vector<std::string>& texts) const;

  std::string task_;
  std::vector<KnownItem> all_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::unordered_multimap<std::string, std::size_t> by_first_text_;
};

std::vector<std::string> Items::texts_of(const Json& body) {
  std::vector<std::string> texts;
  for (const char* field : {"text", "text1", "text2", "query", "prompt", "a", "b"}) {
    if (body.contains(field)) texts.push_back(body[field].get<std::string>());
  }
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
  const auto has = [&texts](const std::string& text) {
    return std::ranges::find(texts, text) != texts.end();
  };
  for (const std::string& text : texts) {
    const auto [begin, end] = by_first_text_.equal_range(text);
    for (auto at = begin; at != end; ++at) {
      const KnownItem* item = &all_[at->second];
      const bool known = std::ranges::find(found, item) != found.end();
      if (!known && std::ranges::all_of(texts_of(item->body), has)) found.push_back(item);
    }
  }
  return found;
}

Result<const KnownItem*> Items::find(const ForeignAnswer& answer) const {
  const auto named = by_name_.find(answer.item);
  const KnownItem* by_id = named == by_name_.end() ? nullptr : &all_[named->second];
  if (answer.texts.empty()) {
    if (by_id != nullptr) return by_id;
    return bad(answer.where, fmt::format("the task \"{}\" has no item \"{}\"", task_, answer.item));
  }
  const auto found = by_texts(answer.texts);
  if (found.size() == 1) return found.front();
  if (by_id != nullptr && std::ranges::find(found, by_id) != found.end()) return by_id;
  return bad(answer.where,
             found.empty()
                 ? fmt::format("no item of the task \"{}\" has the texts of this record", task_)
                 : fmt::format("{} items of the task \"{}\" have the texts of this record, and its "
                               "id \"{}\" is none of theirs",
                               found.size(), task_, answer.item));
}

// An answer and its item, checked.
struct Placed {
  const ForeignAnswer* from;
  const KnownItem* item;
  Json answer;
};

Result<std::vector<Placed>> place_single(const Items& items, const StudyTask& task,
                                         const std::vector<ForeignAnswer>& answers) {
  std::vector<Placed> placed;
  std::set<std::pair<std::string, std::int64_t>> seen;
  for (const ForeignAnswer& answer : answers) {
    PLUMB_TRY(item, items.find(answer));
    auto checked = checked_answer(task.header, item->body, answer.answer);
    if (!checked) return bad(answer.where, checked.error().message);
    if (!seen.emplace(answer.rater, item->id).second) {
      return bad(answer.where,
                 fmt::format("a second answer of \"{}\" to item \"{}\"", answer.rater, item->name));
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
  return bad(answer.where, fmt::format("the pool has no text \"{}\"", answer.item));
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
      return bad(answer.where,
                 fmt::format("a second answer of \"{}\" to text \"{}\"", answer.rater, text));
    }
    groups[text] = answer.answer.value("group", Json());
  }
  for (Placed& one : placed) {
    auto checked = checked_answer(task.header, pool->body, one.answer);
    if (!checked) {
      return bad(one.from->where,
                 fmt::format("annotator \"{}\": {}", one.from->rater, checked.error().message));
    }
    one.answer = std::move(*checked);
  }
  return placed;
}

class Importer {
 public:
  Importer(Connection& connection, const Study& study, std::string origin)
      : connection_(connection),
        study_(study),
        origin_(std::move(origin)),
        now_(study.store().now_ms()) {}

  Result<ImportCounts> write(const std::vector<Placed>& all,
                             const std::map<std::string, std::int64_t>& annotators);

 private:
  Result<std::int64_t> free_slot(const Placed& placed, std::int64_t annotator);
  Result<void> write_one(const Placed& placed, std::int64_t annotator, std::int64_t guideline);

  Connection& connection_;
  const Study& study_;
  std::string origin_;
  std::int64_t now_;
};

Result<std::int64_t> Importer::free_slot(const Placed& placed, std::int64_t annotator) {
  PLUMB_TRY(own, connection_.count("SELECT COUNT(*) FROM slots WHERE item_id = ?1 AND purpose = "
                                   "'main' AND annotator_id = ?2",
                                   {placed.item->id, annotator}));
  if (own > 0) {
    return bad(placed.from->where, fmt::format("\"{}\" has answered item \"{}\" already",
                                               placed.from->rater, placed.item->name));
  }
  PLUMB_TRY(row, connection_.first(
                     "SELECT slots.id FROM slots WHERE item_id = ?1 AND purpose = 'main' AND state "
                     "= 'open' ORDER BY seat <> (SELECT seat FROM annotators WHERE id = ?2), k "
                     "LIMIT 1",
                     {placed.item->id, annotator}));
  if (row) return row->integer(0);
  return bad(placed.from->where,
             fmt::format("item \"{}\" has no slot left for \"{}\"; the study asks {} annotators an "
                         "item (--overlap of `plumb study new`)",
                         placed.item->name, placed.from->rater, study_.info().overlap));
}

Result<void> Importer::write_one(const Placed& placed, std::int64_t annotator,
                                 std::int64_t guideline) {
  const ForeignAnswer& from = *placed.from;
  PLUMB_TRY(slot, free_slot(placed, annotator));
  const std::string body = to_text(placed.answer);
  PLUMB_TRY(
      answer,
      connection_.count(
          "INSERT INTO answers(slot_id, annotator_id, revision, request_key, request_sha256, "
          "action, body, flagged, comment, guideline, created_ms, active_ms, idle_ms, origin) "
          "VALUES(?1, ?2, (SELECT COALESCE(MAX(revision), 0) + 1 FROM answers WHERE slot_id = "
          "?1 AND annotator_id = ?2), ?3, ?4, 'answer', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) "
          "RETURNING id",
          {slot, annotator, fmt::format("import {} {}", slot, now_), sha256(body), body,
           std::int64_t{from.flagged}, from.comment, guideline, from.at_ms.value_or(now_),
           or_null(from.active_ms), or_null(from.idle_ms), origin_}));
  auto leased = connection_.execute(
      "INSERT INTO leases(slot_id, annotator_id, guideline, granted_ms, ended_ms, how) VALUES(?1, "
      "?2, ?3, ?4, ?4, 'submitted')",
      {slot, annotator, guideline, now_});
  if (!leased) return tl::unexpected(leased.error());
  auto set = connection_.execute(
      "UPDATE slots SET state = 'submitted', annotator_id = ?2, "
      "answer_id = ?3 WHERE id = ?1",
      {slot, annotator, answer});
  if (!set) return tl::unexpected(set.error());
  return {};
}

Result<ImportCounts> Importer::write(const std::vector<Placed>& all,
                                     const std::map<std::string, std::int64_t>& annotators) {
  if (auto open = check_not_frozen(connection_, study_.info()); !open) {
    return tl::unexpected(open.error());
  }
  PLUMB_TRY(guideline, guideline_version(connection_, study_.info().id));
  for (const Placed& placed : all) {
    auto written = write_one(placed, annotators.at(placed.from->rater), guideline);
    if (!written) return tl::unexpected(written.error());
  }
  return ImportCounts{all.size(), annotators.size()};
}

Result<std::map<std::string, std::int64_t>> enroll_all(Connection& connection, const Study& study,
                                                       const std::vector<Placed>& all) {
  std::map<std::string, std::int64_t> annotators;
  for (const Placed& placed : all) {
    const ForeignAnswer& from = *placed.from;
    if (annotators.contains(from.rater)) continue;
    auto annotator = enroll_in(connection, study, from.rater, from.kind);
    if (!annotator) {
      return fail(annotator.error().kind,
                  fmt::format("{}: {}", from.where, annotator.error().message));
    }
    annotators[from.rater] = annotator->id;
  }
  return annotators;
}

}  // namespace

Result<ImportCounts> import_answers(const Study& study, const StudyTask& task,
                                    const std::filesystem::path& path, const ReadOptions& options) {
  PLUMB_TRY(answers, read_foreign_answers(path, task.header, task.items_sha256, options));
  if (answers.empty()) return bad(path.string(), "there are no answers in it");
  return study.store().write<ImportCounts>([&](Connection& connection) -> Result<ImportCounts> {
    PLUMB_TRY(items, Items::load(connection, task));
    PLUMB_TRY(placed, task.header.kind == Kind::kClustering ? place_pool(items, task, answers)
                                                            : place_single(items, task, answers));
    PLUMB_TRY(annotators, enroll_all(connection, study, placed));
    return Importer(connection, study, fmt::format("import {}", path.filename().string()))
        .write(placed, annotators);
  });
}

}  // namespace plumb::study
