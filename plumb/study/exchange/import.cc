#include "plumb/study/exchange/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <unordered_map>

#include "plumb/base/hash.h"
#include "plumb/study/db/bulk_insert.h"
#include "plumb/study/exchange/import_items.h"
#include "plumb/study/slots.h"

namespace plumb::study {
namespace {

constexpr int kTries = 5;  // where others take the annotators' seats meanwhile

// Slots of the task, by item, and who has them.
struct OpenSlot {
  std::int64_t id, seat;
  bool is_open;
  std::optional<std::int64_t> annotator;
};
using SlotsOfItems = std::unordered_map<std::int64_t, std::vector<OpenSlot>>;

Result<SlotsOfItems> load_slots(Connection& connection, const StudyTask& task) {
  SlotsOfItems slots;
  auto read = connection.each(
      "SELECT item_id, id, seat, state, annotator_id FROM slots WHERE task_id = ?1 AND purpose = "
      "'main' ORDER BY item_id, k",
      {task.id}, [&slots](const Row& row) {
        slots[row.integer(0)].push_back(
            {row.integer(1), row.integer(2), row.text(3) == "open", row.maybe_integer(4)});
        return Result<void>();
      });
  if (!read) return tl::unexpected(read.error());
  return slots;
}

// Whose answers they are. Who is new has a place in the order in which they will be enrolled.
struct Rater {
  const ForeignAnswer* first;
  std::optional<std::int64_t> annotator;
  std::int64_t seat = 0;
};

// What an import will write; drawn up beside those who write, and checked once more when it is
// written.
struct Plan {
  std::vector<Rater> raters;
  std::vector<std::pair<std::int64_t, std::size_t>> slots;  // of each answer: a slot, whose it is
};

tl::unexpected<Error> answered_already(const Placed& placed) {
  return bad_answer(placed.from->where, fmt::format("\"{}\" has answered item \"{}\" already",
                                                    placed.from->rater, placed.item->name));
}

tl::unexpected<Error> no_slot_left(const Placed& placed, const Study& study) {
  return bad_answer(
      placed.from->where,
      fmt::format("item \"{}\" has no slot left for \"{}\"; the study asks {} annotators an "
                  "item (--overlap of `plumb study new`)",
                  placed.item->name, placed.from->rater, study.info().overlap));
}

class Planner {
 public:
  Planner(Connection& connection, const Study& study, const StudyTask& task)
      : connection_(connection), study_(study), task_(task) {}

  Result<Plan> plan(const std::vector<Placed>& all);

 private:
  Result<std::size_t> rater_of(const ForeignAnswer& from);
  Result<std::int64_t> slot_for(const Placed& placed, std::size_t rater);

  Connection& connection_;
  const Study& study_;
  const StudyTask& task_;
  SlotsOfItems slots_;
  std::int64_t annotators_ = 0;
  Plan plan_;
  std::map<std::string, std::size_t> places_;
};

Result<std::size_t> Planner::rater_of(const ForeignAnswer& from) {
  const auto [at, is_new] = places_.emplace(from.rater, plan_.raters.size());
  if (!is_new) return at->second;
  auto known = may_enroll(connection_, study_, from.rater, from.kind);
  if (!known) {
    return fail(known.error().kind, fmt::format("{}: {}", from.where, known.error().message));
  }
  Rater rater{&from, std::nullopt};
  if (*known) {
    rater.annotator = (*known)->id;
    rater.seat = (*known)->seat;
  } else if (study_.info().assignment == Assignment::kFixed) {
    rater.seat = ++annotators_;
  }
  plan_.raters.push_back(rater);
  return at->second;
}

// An open slot of the item: of the rater's own seat, where there is one.
Result<std::int64_t> Planner::slot_for(const Placed& placed, std::size_t rater) {
  const Rater& who = plan_.raters[rater];
  OpenSlot* found = nullptr;
  for (OpenSlot& slot : slots_[placed.item->id]) {
    if (who.annotator && slot.annotator == who.annotator) {
      return answered_already(placed);
    }
    const bool is_better = found == nullptr || (found->seat != who.seat && slot.seat == who.seat);
    if (slot.is_open && is_better) found = &slot;
  }
  if (found != nullptr) {
    found->is_open = false;
    return found->id;
  }
  return no_slot_left(placed, study_);
}

Result<Plan> Planner::plan(const std::vector<Placed>& all) {
  if (auto open = check_not_frozen(connection_, study_.info()); !open) {
    return tl::unexpected(open.error());
  }
  PLUMB_TRY(before, connection_.count("SELECT COUNT(*) FROM annotators WHERE study_id = ?1",
                                      {study_.info().id}));
  annotators_ = before;
  PLUMB_TRY(slots, load_slots(connection_, task_));
  slots_ = std::move(slots);
  for (const Placed& placed : all) {
    PLUMB_TRY(rater, rater_of(*placed.from));
    PLUMB_TRY(slot, slot_for(placed, rater));
    plan_.slots.emplace_back(slot, rater);
  }
  return std::move(plan_);
}

// Rows of an import that nobody sees yet: in tables of the connection, which go with it. Several
// imports of one program share them, each under a number.
constexpr std::string_view kWaitingTables[] = {
    "CREATE TEMP TABLE IF NOT EXISTS import_rows(import BIGINT NOT NULL, place BIGINT NOT NULL, "
    "slot_id BIGINT NOT NULL, rater BIGINT NOT NULL, sha256 TEXT NOT NULL, body TEXT NOT NULL, "
    "flagged BIGINT NOT NULL, comment TEXT NOT NULL, at_ms BIGINT NOT NULL, active_ms BIGINT NOT "
    "NULL, idle_ms BIGINT NOT NULL, UNIQUE(import, slot_id))",
    "CREATE TEMP TABLE IF NOT EXISTS import_raters(import BIGINT NOT NULL, rater BIGINT NOT NULL, "
    "annotator_id BIGINT NOT NULL, UNIQUE(import, rater))"};

constexpr std::int64_t kNotMeasured = -1;  // milliseconds that a file does not tell

// Answers whose slot somebody else has by now, or whose annotator has another slot of the item.
constexpr std::string_view kTaken =
    "SELECT given.place, whose.annotator_id, slots.item_id, slots.id, (SELECT COUNT(*) FROM slots "
    "AS own "
    "WHERE own.item_id = slots.item_id AND own.purpose = 'main' AND own.annotator_id = "
    "whose.annotator_id) FROM import_rows AS given JOIN import_raters AS whose ON whose.import = "
    "given.import AND whose.rater = given.rater JOIN slots ON slots.id = given.slot_id WHERE "
    "given.import = ?1 AND (slots.state <> 'open' OR EXISTS (SELECT 1 FROM slots AS own WHERE "
    "own.item_id = slots.item_id AND own.purpose = 'main' AND own.annotator_id = "
    "whose.annotator_id)) ORDER BY given.place";

constexpr std::string_view kOther =
    "SELECT id FROM slots WHERE item_id = ?1 AND purpose = 'main' AND state = 'open' AND NOT "
    "EXISTS (SELECT 1 FROM import_rows WHERE import = ?3 AND slot_id = slots.id) ORDER BY seat <> "
    "(SELECT seat FROM annotators WHERE id = ?2), k LIMIT 1";

constexpr std::string_view kAnswer =
    "INSERT INTO answers(slot_id, annotator_id, revision, request_key, request_sha256, action, "
    "body, flagged, comment, guideline, created_ms, active_ms, idle_ms, origin) "
    "SELECT given.slot_id, whose.annotator_id, (SELECT COALESCE(MAX(revision), 0) + 1 FROM answers "
    "AS earlier WHERE earlier.slot_id = given.slot_id AND earlier.annotator_id = "
    "whose.annotator_id), 'import ' || given.slot_id || ' ' || ?2, given.sha256, 'answer', "
    "given.body, given.flagged, given.comment, ?3, given.at_ms, NULLIF(given.active_ms, -1), "
    "NULLIF(given.idle_ms, -1), ?4 FROM import_rows AS given JOIN import_raters AS whose ON "
    "whose.import = given.import AND whose.rater = given.rater WHERE given.import = ?1 ORDER BY "
    "given.place";

class Importer {
 public:
  Importer(const Study& study, const std::vector<Placed>& all, std::string origin)
      : study_(study), all_(all), origin_(std::move(origin)), now_(study.store().now_ms()) {
    static std::atomic<std::int64_t> imports{0};
    number_ = ++imports;
  }

  // kBusy: others have taken the seats that were planned with.
  Result<ImportCounts> write(const Plan& plan);

 private:
  Result<void> stage(const Plan& plan);
  Result<void> stage_some(Connection& connection, const Plan& plan, std::size_t begin,
                          std::size_t end) const;
  Result<void> clear(Connection& connection) const;
  Result<void> enroll_all(Connection& connection, const Plan& plan) const;
  Result<void> resolve(Connection& connection) const;
  Result<void> take_all(Connection& connection, const Plan& plan) const;
  Result<void> settle_all(Connection& connection, std::int64_t before) const;

  const Study& study_;
  const std::vector<Placed>& all_;
  std::string origin_;
  std::int64_t now_, number_ = 0;
};

tl::unexpected<Error> taken_meanwhile() {
  return fail(ErrorKind::kBusy,
              "others came to the study meanwhile; nothing was imported, try again");
}

Result<void> Importer::clear(Connection& connection) const {
  for (const char* table : {"import_rows", "import_raters"}) {
    auto done = connection.post(fmt::format("DELETE FROM {} WHERE import = ?1", table), {number_});
    if (!done) return done;
  }
  return {};
}

Result<void> Importer::stage_some(Connection& connection, const Plan& plan, std::size_t begin,
                                  std::size_t end) const {
  BulkInsert rows(connection,
                  "INSERT INTO import_rows(import, place, slot_id, rater, sha256, body, flagged, "
                  "comment, at_ms, active_ms, idle_ms)");
  for (std::size_t i = begin; i < end; ++i) {
    const ForeignAnswer& from = *all_[i].from;
    const std::string body = to_text(all_[i].answer);
    const auto& [slot, rater] = plan.slots[i];
    auto added = rows.add(
        {number_, static_cast<std::int64_t>(i), slot, static_cast<std::int64_t>(rater),
         sha256(body), body, std::int64_t{from.flagged}, from.comment, from.at_ms.value_or(now_),
         from.active_ms.value_or(kNotMeasured), from.idle_ms.value_or(kNotMeasured)});
    if (!added) return added;
  }
  return rows.flush();
}

// In short transactions: on a server each holds up everybody who writes.
Result<void> Importer::stage(const Plan& plan) {
  constexpr std::size_t kAtOnce = 1000;
  auto ready = study_.store().write([this](Connection& connection) -> Result<void> {
    for (const std::string_view table : kWaitingTables) {
      if (auto made = connection.post(table); !made) return made;
    }
    return clear(connection);
  });
  for (std::size_t i = 0; ready && i < all_.size(); i += kAtOnce) {
    const std::size_t end = std::min(i + kAtOnce, all_.size());
    ready = study_.store().write(
        [&](Connection& connection) { return stage_some(connection, plan, i, end); });
  }
  return ready;
}

Result<void> Importer::enroll_all(Connection& connection, const Plan& plan) const {
  for (std::size_t i = 0; i < plan.raters.size(); ++i) {
    const ForeignAnswer& first = *plan.raters[i].first;
    auto annotator = enroll_in(connection, study_, first.rater, first.kind);
    if (!annotator) {
      return fail(annotator.error().kind,
                  fmt::format("{}: {}", first.where, annotator.error().message));
    }
    if (annotator->seat != plan.raters[i].seat) return taken_meanwhile();
    auto noted =
        connection.post("INSERT INTO import_raters(import, rater, annotator_id) VALUES(?1, ?2, ?3)",
                        {number_, static_cast<std::int64_t>(i), annotator->id});
    if (!noted) return noted;
  }
  return {};
}

// Every answer with an id above `before` is ours: nobody else writes meanwhile.
Result<void> Importer::settle_all(Connection& connection, std::int64_t before) const {
  PLUMB_TRY(set, connection.execute(
                     "UPDATE slots SET state = 'submitted', annotator_id = answers.annotator_id, "
                     "answer_id = answers.id FROM answers WHERE answers.id > ?1 AND "
                     "answers.slot_id = slots.id AND slots.state = 'open' AND slots.id IN (SELECT "
                     "slot_id FROM answers WHERE id > ?1)",
                     {before}));
  if (set != static_cast<std::int64_t>(all_.size())) return taken_meanwhile();
  auto leased = connection.post(
      "INSERT INTO leases(slot_id, annotator_id, guideline, granted_ms, ended_ms, how) SELECT "
      "slot_id, annotator_id, guideline, ?2, ?2, 'submitted' FROM answers WHERE id > ?1 ORDER BY "
      "id",
      {before, now_});
  return leased ? clear(connection) : leased;
}

// Another slot of the item for each that was taken meanwhile.
Result<void> Importer::resolve(Connection& connection) const {
  PLUMB_TRY(taken, connection.query(kTaken, {number_}));
  for (const Row& row : taken) {
    const Placed& placed = all_[static_cast<std::size_t>(row.integer(0))];
    if (row.integer(4) > 0) return answered_already(placed);
    PLUMB_TRY(other, connection.first(kOther, {row.integer(2), row.integer(1), number_}));
    if (!other) return no_slot_left(placed, study_);
    auto moved =
        connection.post("UPDATE import_rows SET slot_id = ?3 WHERE import = ?1 AND slot_id = ?2",
                        {number_, row.integer(3), other->integer(0)});
    if (!moved) return moved;
  }
  return {};
}

Result<void> Importer::take_all(Connection& connection, const Plan& plan) const {
  if (auto open = check_not_frozen(connection, study_.info()); !open) return open;
  PLUMB_TRY(guideline, guideline_version(connection, study_.info().id));
  if (auto enrolled = enroll_all(connection, plan); !enrolled) return enrolled;
  if (auto resolved = resolve(connection); !resolved) return resolved;
  PLUMB_TRY(before, connection.count("SELECT COALESCE(MAX(id), 0) FROM answers"));
  auto answered = connection.post(kAnswer, {number_, fmt::format("{}", now_), guideline, origin_});
  return answered ? settle_all(connection, before) : answered;
}

Result<ImportCounts> Importer::write(const Plan& plan) {
  auto done = stage(plan);
  if (done) {
    done = study_.store().write([&](Connection& connection) { return take_all(connection, plan); });
  }
  if (done) return ImportCounts{.answers = all_.size(), .annotators = plan.raters.size()};
  static_cast<void>(
      study_.store().write([this](Connection& connection) { return clear(connection); }));
  return tl::unexpected(std::move(done.error()));
}

}  // namespace

Result<ImportCounts> import_answers(const Study& study, const StudyTask& task,
                                    const std::filesystem::path& path, const ReadOptions& options) {
  PLUMB_TRY(read, read_foreign_answers(path, task.header, task.items_sha256, options));
  if (read.answers.empty()) return bad_answer(path.string(), "there are no answers in it");
  Store& store = study.store();
  PLUMB_TRY(items, store.read<Items>(
                       [&](Connection& connection) { return Items::load(connection, task); }));
  PLUMB_TRY(placed, place_answers(items, task, read.answers));
  const auto origin = fmt::format("import {}", path.filename().string());
  Result<ImportCounts> done = taken_meanwhile();
  for (int tries = 0; tries < kTries && !done && done.error().kind == ErrorKind::kBusy; ++tries) {
    PLUMB_TRY(plan, store.read<Plan>([&](Connection& connection) {
      return Planner(connection, study, task).plan(placed);
    }));
    done = Importer(study, placed, origin).write(plan);
  }
  if (done) done->of_other_tasks = read.of_other_tasks;
  return done;
}

}  // namespace plumb::study
