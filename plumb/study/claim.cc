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
  Result<void> load_annotator();
  Result<Found> hold();
  Result<Found> find();
  Result<Found> held();
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
};

Result<Found> Claim::id_of(Result<std::optional<Row>> row) const {
  if (!row) return tl::unexpected(std::move(row.error()));
  return *row ? Found((*row)->integer(0)) : Found();
}

// The slot that was given to the annotator last and is not done.
Result<Found> Claim::held() {
  return id_of(
      connection_.first("SELECT slot_id FROM leases WHERE annotator_id = ?1 AND ended_ms "
                        "IS NULL ORDER BY id DESC LIMIT 1",
                        {annotator_}));
}

// Slots whose lease ran out are free again; checks belong to one annotator and wait for them.
Result<void> Claim::expire() {
  auto ended = connection_.execute(
      "UPDATE leases SET ended_ms = ?1, how = 'expired' WHERE ended_ms IS NULL AND slot_id IN "
      "(SELECT id FROM slots WHERE state = 'leased' AND lease_until_ms < ?1 AND purpose = 'main')",
      {now_});
  if (!ended) return tl::unexpected(ended.error());
  if (*ended == 0) return {};
  auto freed = connection_.execute(
      "UPDATE slots SET state = 'open', annotator_id = NULL, lease_until_ms = NULL "
      "WHERE state = 'leased' AND lease_until_ms < ?1 AND purpose = 'main'",
      {now_});
  if (!freed) return tl::unexpected(freed.error());
  return {};
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
  PLUMB_TRY(item, id_of(connection_.first(
                      "SELECT items.id FROM items JOIN tasks ON tasks.id = items.task_id "
                      "WHERE tasks.study_id = ?1 AND role = 'training' AND NOT EXISTS (SELECT 1 "
                      "FROM slots WHERE item_id = items.id AND annotator_id = ?2) "
                      "ORDER BY tasks.position, items.position LIMIT 1",
                      {info_.id, annotator_})));
  return item ? insert_check("training", *item) : Result<Found>(Found());
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

// An item that the annotator answered a while ago.
Result<Found> Claim::repeat() {
  std::string own =
      "FROM slots WHERE annotator_id = ?1 AND purpose = 'main' AND state = 'submitted' AND NOT "
      "EXISTS (SELECT 1 FROM slots AS seen WHERE seen.item_id = slots.item_id AND seen.purpose = "
      "'repeat' AND seen.annotator_id = ?1) AND task_id IN (";
  std::vector<std::int64_t> tasks;
  for (const StudyTask& task : study_.tasks()) {
    if (task.header.kind != tasks::Kind::kClustering) tasks.push_back(task.id);
  }
  own += fmt::format("{})", fmt::join(tasks, ", "));
  PLUMB_TRY(answered, connection_.count("SELECT COUNT(*) " + own, {annotator_}));
  if (answered <= kRepeatDistance) return Found();
  const std::int64_t place =
      stream("repeat").below(static_cast<std::uint64_t>(answered - kRepeatDistance));
  PLUMB_TRY(item, id_of(connection_.first(
                      "SELECT item_id " + own + " ORDER BY answer_id LIMIT 1 OFFSET ?2",
                      {annotator_, place})));
  return item ? insert_check("repeat", *item) : Result<Found>(Found());
}

// A hidden check, at the stated rates.
Result<Found> Claim::check() {
  const double draw = stream("checks").uniform();
  if (draw < info_.gold_rate) return gold();
  if (draw < info_.gold_rate + info_.repeat_rate) return repeat();
  return Found();
}

// The first open slot at or after a drawn place in [low, high), and round.
Result<Found> Claim::open_slot(const StudyTask& task, std::int64_t low, std::int64_t high) {
  const std::int64_t start = low + stream("order").below(static_cast<std::uint64_t>(high - low));
  for (const auto& [from, to] : {std::pair(start, high), std::pair(low, start)}) {
    PLUMB_TRY(slot, id_of(connection_.first(
                        "SELECT id FROM slots WHERE task_id = ?1 AND seat = ?2 AND state = 'open' "
                        "AND rank >= ?3 AND rank < ?4 AND NOT EXISTS (SELECT 1 FROM slots AS own "
                        "WHERE own.item_id = slots.item_id AND own.purpose = 'main' AND "
                        "own.annotator_id = ?5) AND NOT EXISTS (SELECT 1 FROM skipped WHERE "
                        "skipped.item_id = slots.item_id AND skipped.annotator_id = ?5) "
                        "ORDER BY rank LIMIT 1",
                        {task.id, seat_, from, to, annotator_})));
    if (slot) return slot;
  }
  return Found();
}

Result<Found> Claim::main_of(const StudyTask& task) {
  PLUMB_TRY(own, connection_.count("SELECT COUNT(*) FROM slots WHERE annotator_id = ?1 AND task_id "
                                   "= ?2 AND purpose = 'main'",
                                   {annotator_, task.id}));
  if (own >= task.units) return Found();
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

Result<void> Claim::load_annotator() {
  PLUMB_TRY(row, connection_.first("SELECT seat, given FROM annotators WHERE id = ?1 AND study_id "
                                   "= ?2",
                                   {annotator_, info_.id}));
  if (!row) {
    return fail(ErrorKind::kNotFound,
                fmt::format("study \"{}\" has no annotator {}", info_.name, annotator_));
  }
  seat_ = row->integer(0);
  given_ = row->integer(1);
  return {};
}

// The slot that the annotator holds, for longer, or a new one.
Result<Found> Claim::hold() {
  PLUMB_TRY(own, held());
  if (own) {
    auto renewed = connection_.execute("UPDATE slots SET lease_until_ms = ?2 WHERE id = ?1",
                                       {*own, now_ + info_.lease_ms});
    if (!renewed) return tl::unexpected(renewed.error());
    return own;
  }
  if (auto freed = expire(); !freed) return tl::unexpected(freed.error());
  PLUMB_TRY(found, find());
  if (!found) return found;
  if (auto leased = lease(connection_, info_, *found, annotator_, now_); !leased) {
    return tl::unexpected(leased.error());
  }
  return found;
}

Result<Next> Claim::run() {
  if (auto open = check_not_frozen(connection_, info_); !open) {
    return tl::unexpected(open.error());
  }
  if (auto known = load_annotator(); !known) return tl::unexpected(known.error());
  PLUMB_TRY(slot_id, hold());
  if (!slot_id) return nothing();
  PLUMB_TRY(slot, load_slot(connection_, info_, *slot_id));
  PLUMB_TRY(served, serve(connection_, study_, slot, annotator_));
  return Next{Next::State::kItem, std::move(served)};
}

}  // namespace

Result<Next> Study::next(std::int64_t annotator) const {
  return store_->write<Next>(
      [&](Connection& connection) { return Claim(connection, *this, annotator).run(); });
}

}  // namespace plumb::study
