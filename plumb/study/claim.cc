// Study::next: which slot an annotator gets.
#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/random.h"
#include "plumb/study/slots.h"
#include "plumb/study/study.h"

namespace plumb::study {
namespace {

// A repeat comes after so many other items at least, so that nobody remembers the answer.
constexpr std::int64_t kRepeatDistance = 5;

using Found = std::optional<std::int64_t>;  // the id of an item or a slot

class Claim {
 public:
  Claim(Connection& connection, const Study& study, std::int64_t annotator)
      : connection_(connection),
        study_(study),
        info_(study.info()),
        annotator_(annotator),
        now_(study.store().now_ms()) {}

  Result<Next> run();

 private:
  Result<void> look();
  Result<Found> hold();
  Result<Found> find();
  Result<void> expire();
  Result<Found> training();
  Result<Found> check();
  Result<Found> gold();
  Result<Found> repeat();
  Result<Found> main();
  Result<Found> main_of(const StudyTask& task);
  Result<Found> open_slot(const StudyTask& task, std::int64_t low, std::int64_t high);
  Result<Found> insert_check(const char* purpose, std::int64_t item);
  Result<Found> id_of(Result<std::optional<Row>> row) const;
  Result<Next> nothing();

  // A stream of this purpose for the next item that this annotator is given.
  Stream stream(std::string_view purpose) const {
    return Stream(info_.seed, fmt::format("{}, annotator {}", purpose, annotator_),
                  static_cast<std::uint64_t>(given_));
  }

  Connection& connection_;
  const Study& study_;
  const StudyInfo& info_;
  std::int64_t annotator_, now_;
  std::int64_t seat_ = 0, given_ = 0;
  Found held_, training_;     // the slot that is not done; the next item with feedback
  bool has_expired_ = false;  // some lease of the study, or of another
};

Result<Found> Claim::id_of(Result<std::optional<Row>> row) const {
  if (!row) return tl::unexpected(std::move(row.error()));
  return *row ? Found((*row)->integer(0)) : Found();
}

// What every request asks first, in one statement.
constexpr std::string_view kLook =
    "SELECT annotators.seat, annotators.given, studies.state, "
    "(SELECT slot_id FROM leases WHERE annotator_id = ?1 AND ended_ms IS NULL ORDER BY id DESC "
    "LIMIT 1), "
    "(SELECT COUNT(*) FROM slots WHERE state = 'leased' AND lease_until_ms < ?3 AND purpose = "
    "'main'), "
    "(SELECT items.id FROM items JOIN tasks ON tasks.id = items.task_id WHERE tasks.study_id = ?2 "
    "AND role = 'training' AND NOT EXISTS (SELECT 1 FROM slots WHERE item_id = items.id AND "
    "annotator_id = ?1) ORDER BY tasks.position, items.position LIMIT 1) "
    "FROM annotators JOIN studies ON studies.id = annotators.study_id "
    "WHERE annotators.id = ?1 AND annotators.study_id = ?2";

Result<void> Claim::look() {
  PLUMB_TRY(row, connection_.first(kLook, {annotator_, info_.id, now_}));
  if (!row) {
    return fail(ErrorKind::kNotFound,
                fmt::format("study \"{}\" has no annotator {}", info_.name, annotator_));
  }
  if (row->text(2) == "frozen") return frozen_study(info_);
  seat_ = row->integer(0);
  given_ = row->integer(1);
  held_ = row->maybe_integer(3);
  has_expired_ = row->integer(4) > 0;
  training_ = row->maybe_integer(5);
  return {};
}

// Slots whose lease ran out are free again; checks belong to one annotator and wait for them.
Result<void> Claim::expire() {
  auto ended = connection_.post(
      "UPDATE leases SET ended_ms = ?1, how = 'expired' WHERE ended_ms IS NULL AND slot_id IN "
      "(SELECT id FROM slots WHERE state = 'leased' AND lease_until_ms < ?1 AND purpose = 'main')",
      {now_});
  if (!ended) return ended;
  return connection_.post(
      "UPDATE slots SET state = 'open', annotator_id = NULL, lease_until_ms = NULL "
      "WHERE state = 'leased' AND lease_until_ms < ?1 AND purpose = 'main'",
      {now_});
}

Result<Found> Claim::insert_check(const char* purpose, std::int64_t item) {
  return id_of(connection_.first(
      "INSERT INTO slots(task_id, item_id, purpose, k, seat, rank, state, annotator_id, "
      "lease_until_ms) "
      "SELECT task_id, id, ?2, (SELECT COUNT(*) FROM slots WHERE item_id = ?1 AND purpose = ?2), "
      "0, 0, 'leased', ?3, 0 FROM items WHERE id = ?1 RETURNING id",
      {item, std::string(purpose), annotator_}));
}

Result<Found> Claim::training() {
  return training_ ? insert_check("training", *training_) : Result<Found>(Found());
}

// A known item that the annotator has not seen, drawn from all of them.
Result<Found> Claim::gold() {
  constexpr std::string_view kUnseen =
      "FROM items JOIN tasks ON tasks.id = items.task_id WHERE tasks.study_id = ?1 AND role = "
      "'gold' AND NOT EXISTS (SELECT 1 FROM slots WHERE item_id = items.id AND annotator_id = ?2)";
  PLUMB_TRY(unseen,
            connection_.count(fmt::format("SELECT COUNT(*) {}", kUnseen), {info_.id, annotator_}));
  if (unseen == 0) return Found();
  const std::int64_t place = stream("gold").below(static_cast<std::uint64_t>(unseen));
  PLUMB_TRY(item,
            id_of(connection_.first(
                fmt::format("SELECT items.id {} ORDER BY items.id LIMIT 1 OFFSET ?3", kUnseen),
                {info_.id, annotator_, place})));
  return item ? insert_check("gold", *item) : Result<Found>(Found());
}

// Items of these tasks that the annotator answered and was not asked again: all that were answered,
// which an index counts, less the few that were asked again.
constexpr std::string_view kAnsweredOnce =
    "SELECT (SELECT COUNT(*) FROM slots WHERE annotator_id = ?1 AND purpose = 'main' AND state = "
    "'submitted' AND task_id IN ({})) - (SELECT COUNT(*) FROM slots AS again WHERE annotator_id = "
    "?1 AND purpose = 'repeat' AND EXISTS (SELECT 1 FROM slots AS own WHERE own.item_id = "
    "again.item_id AND own.purpose = 'main' AND own.annotator_id = ?1 AND own.state = "
    "'submitted'))";

constexpr std::string_view kAnsweredAt =
    "SELECT item_id FROM slots WHERE annotator_id = ?1 AND purpose = 'main' AND state = "
    "'submitted' AND NOT EXISTS (SELECT 1 FROM slots AS again WHERE again.item_id = slots.item_id "
    "AND again.purpose = 'repeat' AND again.annotator_id = ?1) AND task_id IN ({}) ORDER BY "
    "answer_id LIMIT 1 OFFSET ?2";

// An item that the annotator answered a while ago.
Result<Found> Claim::repeat() {
  std::vector<std::int64_t> repeated;
  for (const StudyTask& task : study_.tasks()) {
    if (task.header.kind != tasks::Kind::kClustering) repeated.push_back(task.id);
  }
  if (repeated.empty()) return Found();
  const std::string among = fmt::format("{}", fmt::join(repeated, ", "));
  PLUMB_TRY(answered, connection_.count(fmt::format(kAnsweredOnce, among), {annotator_}));
  if (answered <= kRepeatDistance) return Found();
  const std::int64_t place =
      stream("repeat").below(static_cast<std::uint64_t>(answered - kRepeatDistance));
  PLUMB_TRY(item, id_of(connection_.first(fmt::format(kAnsweredAt, among), {annotator_, place})));
  return item ? insert_check("repeat", *item) : Result<Found>(Found());
}

// A hidden check, at the stated rates.
Result<Found> Claim::check() {
  const double draw = stream("checks").uniform();
  if (draw < info_.gold_rate) return gold();
  if (draw < info_.gold_rate + info_.repeat_rate) return repeat();
  return Found();
}

// The first open slot at or after a drawn place in [low, high), and round; none where the annotator
// has had the whole task. Whoever was given fewer slots has not, mostly, and needs no count.
Result<Found> Claim::open_slot(const StudyTask& task, std::int64_t low, std::int64_t high) {
  constexpr std::string_view kBetween =
      "(SELECT id FROM slots WHERE task_id = ?1 AND seat = ?2 AND state = 'open' AND rank >= {} "
      "AND rank < {} AND NOT EXISTS (SELECT 1 FROM slots AS own WHERE own.item_id = slots.item_id "
      "AND own.purpose = 'main' AND own.annotator_id = ?5) AND NOT EXISTS (SELECT 1 FROM skipped "
      "WHERE skipped.item_id = slots.item_id AND skipped.annotator_id = ?5) ORDER BY rank LIMIT 1)";
  static const std::string first_open = fmt::format(
      "SELECT CASE WHEN ?8 < ?7 OR (SELECT COUNT(*) FROM slots WHERE annotator_id = ?5 AND task_id "
      "= ?1 AND purpose = 'main') < ?7 THEN COALESCE({}, {}) END",
      fmt::format(kBetween, "?3", "?4"), fmt::format(kBetween, "?6", "?3"));
  const std::int64_t start = low + stream("order").below(static_cast<std::uint64_t>(high - low));
  PLUMB_TRY(row, connection_.first(first_open, {task.id, seat_, start, high, annotator_, low,
                                                task.units, given_}));
  return row->maybe_integer(0);
}

Result<Found> Claim::main_of(const StudyTask& task) {
  const std::int64_t slots = task.units * info_.overlap;
  const std::int64_t step = info_.assignment == Assignment::kBalanced ? task.units : slots;
  for (std::int64_t low = 0; low < slots; low += step) {
    PLUMB_TRY(slot, open_slot(task, low, low + step));
    if (slot) return slot;
  }
  return Found();
}

Result<Found> Claim::main() {
  for (const StudyTask& task : study_.tasks()) {
    PLUMB_TRY(slot, main_of(task));
    if (slot) return slot;
  }
  return Found();
}

Result<Found> Claim::find() {
  PLUMB_TRY(first, training());
  if (first) return first;
  PLUMB_TRY(work, main());
  if (!work) return work;
  PLUMB_TRY(hidden, check());
  return hidden ? hidden : work;
}

Result<Next> Claim::nothing() {
  PLUMB_TRY(
      elsewhere,
      connection_.count(
          "SELECT COUNT(*) FROM (SELECT 1 FROM slots JOIN tasks ON tasks.id = slots.task_id "
          "WHERE slots.state = 'leased' AND purpose = 'main' AND tasks.study_id = ?1 AND "
          "seat = ?3 AND NOT EXISTS (SELECT 1 FROM slots AS own WHERE own.item_id = "
          "slots.item_id AND own.purpose = 'main' AND own.annotator_id = ?2) LIMIT 1) AS busy",
          {info_.id, annotator_, seat_}));
  return Next{elsewhere > 0 ? Next::State::kWait : Next::State::kFinished, std::nullopt};
}

// The slot that the annotator holds, for longer, or a new one.
Result<Found> Claim::hold() {
  if (held_) {
    auto renewed = connection_.post("UPDATE slots SET lease_until_ms = ?2 WHERE id = ?1",
                                    {*held_, now_ + info_.lease_ms});
    if (!renewed) return tl::unexpected(renewed.error());
    return held_;
  }
  if (has_expired_) {
    if (auto freed = expire(); !freed) return tl::unexpected(freed.error());
  }
  PLUMB_TRY(found, find());
  if (!found) return found;
  if (auto leased = lease(connection_, info_, *found, annotator_, now_); !leased) {
    return tl::unexpected(leased.error());
  }
  return found;
}

Result<Next> Claim::run() {
  if (auto known = look(); !known) return tl::unexpected(known.error());
  PLUMB_TRY(slot_id, hold());
  if (!slot_id) return nothing();
  PLUMB_TRY(view, view_slot(connection_, info_, *slot_id, annotator_));
  return Next{Next::State::kItem, serve(study_, view, annotator_)};
}

}  // namespace

Result<Next> Study::next(std::int64_t annotator) const {
  return store_->write<Next>(
      [&](Connection& connection) { return Claim(connection, *this, annotator).run(); });
}

}  // namespace plumb::study
