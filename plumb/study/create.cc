#include "plumb/study/create.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <set>

#include "plumb/base/hash.h"
#include "plumb/base/random.h"
#include "plumb/base/version.h"
#include "plumb/study/db/bulk_insert.h"
#include "plumb/study/one_line.h"
#include "plumb/study/units.h"
#include "plumb/tasks/codec.h"

namespace plumb::study {
namespace {

using tasks::Task;

auto usage(std::string message) { return fail(ErrorKind::kUsage, std::move(message)); }
auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

struct PlannedTask {
  const Task* task;
  std::vector<Unit> units, gold, training;
};

Result<void> check_fixed(const StudyPlan& plan) {
  if (plan.assignment != Assignment::kFixed) {
    if (plan.seats == 0) return {};
    return usage("how many annotators there are is for fixed assignment alone");
  }
  if (plan.seats >= plan.overlap) return {};
  return usage(
      fmt::format("fixed assignment needs to know how many annotators there are, and at "
                  "least {} of them, one for each answer to an item",
                  plan.overlap));
}

Result<void> check(const StudyPlan& plan) {
  constexpr std::size_t kLongestName = 100;
  if (!is_one_line(plan.name, kLongestName)) {
    return usage(fmt::format("a study has a name, one line of up to {} bytes", kLongestName));
  }
  if (plan.tasks.empty()) return usage("a study has a task");
  if (plan.overlap < 1) return usage("an item needs one annotator at least");
  if (plan.gold_rate < 0 || plan.repeat_rate < 0 || plan.gold_rate + plan.repeat_rate >= 1) {
    return usage("the rates of gold items and repeats lie below 1, together too");
  }
  if (plan.gold_rate > 0 && plan.gold.empty())
    return usage("a rate of gold items needs gold items");
  if (plan.gold_rate == 0 && !plan.gold.empty()) return usage("gold items need a rate above 0");
  std::set<std::string> names;
  for (const Task& task : plan.tasks) {
    if (!names.insert(task.name).second) {
      return bad(fmt::format("two tasks are called \"{}\"", task.name));
    }
  }
  return check_fixed(plan);
}

// The planned task that these checks belong to.
Result<PlannedTask*> owner_of(std::vector<PlannedTask>& planned, const Task& checks) {
  PlannedTask* owner = nullptr;
  for (PlannedTask& one : planned) {
    if (one.task->kind != checks.kind || checks.kind == tasks::Kind::kClustering) continue;
    if (one.task->name == checks.name) return &one;
    if (owner != nullptr) {
      return bad(
          fmt::format("items of \"{}\" may belong to \"{}\" or \"{}\"; give them the name of "
                      "their task",
                      checks.name, owner->task->name, one.task->name));
    }
    owner = &one;
  }
  if (owner != nullptr) return owner;
  return bad(
      fmt::format("the items of \"{}\" are of kind {}, and no task of the study that can "
                  "have checks is",
                  checks.name, tasks::kind_name(checks.kind)));
}

std::set<std::string> bodies_of(const std::vector<Unit>& units) {
  std::set<std::string> bodies;
  for (const Unit& unit : units) bodies.insert(to_text(unit.body));
  return bodies;
}

Result<void> add_checks(std::vector<PlannedTask>& planned, const std::vector<Task>& all,
                        std::vector<Unit> PlannedTask::*where) {
  for (const Task& checks : all) {
    PLUMB_TRY(owner, owner_of(planned, checks));
    if (owner->task->labels != checks.labels || owner->task->scale != checks.scale) {
      return bad(fmt::format("\"{}\" has other labels, or another scale, than \"{}\"", checks.name,
                             owner->task->name));
    }
    PLUMB_TRY(units, units_of(checks));
    const auto asked = bodies_of(owner->units);
    for (Unit& unit : units) {
      if (asked.contains(to_text(unit.body))) {
        return bad(
            fmt::format("item \"{}\" of \"{}\" is an item of the task itself, and people would "
                        "be asked it twice; leave it out of one of them (--repeat-rate shows "
                        "items again)",
                        unit.name, checks.name));
      }
      if (unit.gold.is_null()) {
        return bad(fmt::format("item \"{}\" of \"{}\" has no gold", unit.name, checks.name));
      }
      (owner->*where).push_back(std::move(unit));
    }
  }
  return {};
}

Result<std::vector<PlannedTask>> planned_tasks(const StudyPlan& plan) {
  std::vector<PlannedTask> planned;
  for (const Task& task : plan.tasks) {
    PLUMB_TRY(units, units_of(task));
    planned.push_back({&task, std::move(units), {}, {}});
  }
  if (auto added = add_checks(planned, plan.gold, &PlannedTask::gold); !added) {
    return tl::unexpected(added.error());
  }
  if (auto added = add_checks(planned, plan.training, &PlannedTask::training); !added) {
    return tl::unexpected(added.error());
  }
  return planned;
}

std::string guidelines_of(const StudyPlan& plan) {
  if (!plan.guidelines.empty()) return plan.guidelines;
  std::string text;
  for (const Task& task : plan.tasks) {
    const std::string& words = task.guideline.empty() ? task.instruction : task.guideline;
    if (plan.tasks.size() == 1) return words;
    if (!words.empty()) text += fmt::format("# {}\n\n{}\n\n", task.name, words);
  }
  return text;
}

// Where each slot of a task stands in the order in which slots are given out, and whose it is.
class SlotPlan {
 public:
  SlotPlan(const StudyPlan& plan, std::size_t task, std::size_t units)
      : plan_(plan), units_(units), loads_(static_cast<std::size_t>(plan.seats), 0) {
    const auto overlap = static_cast<std::size_t>(plan.overlap);
    ranks_.resize(units * overlap);
    std::iota(ranks_.begin(), ranks_.end(), std::int64_t{0});
    const bool levels = plan.assignment == Assignment::kBalanced;
    const std::size_t length = levels ? units : ranks_.size();
    for (std::size_t begin = 0, level = 0; begin < ranks_.size(); begin += length, ++level) {
      Stream stream(plan.seed, fmt::format("ranks of task {}", task), level);
      shuffle(std::span(ranks_).subspan(begin, length), stream);
    }
    seat_draws_.emplace(plan.seed, "seats", task);
  }

  std::int64_t rank(std::size_t unit, std::size_t k) const { return ranks_[k * units_ + unit]; }

  // The seats of the next unit's slots: those with the least to do, drawn among equals.
  std::vector<int> seats() {
    const auto overlap = static_cast<std::size_t>(plan_.overlap);
    if (plan_.assignment != Assignment::kFixed) return std::vector<int>(overlap, 0);
    std::vector<int> order(loads_.size());
    std::iota(order.begin(), order.end(), 0);
    shuffle(std::span(order), *seat_draws_);
    std::ranges::stable_sort(order, {},
                             [this](int seat) { return loads_[static_cast<std::size_t>(seat)]; });
    order.resize(overlap);
    for (int& seat : order) ++loads_[static_cast<std::size_t>(seat++)];
    return order;
  }

 private:
  const StudyPlan& plan_;
  std::size_t units_;
  std::vector<std::int64_t> ranks_;  // [overlap, units]
  std::vector<int> loads_;           // [seats]
  std::optional<Stream> seat_draws_;
};

// Writes a plan's rows.
class Maker {
 public:
  Maker(Connection& connection, const StudyPlan& plan, std::int64_t now)
      : connection_(connection), plan_(plan), now_(now) {}

  Result<void> make(const std::vector<PlannedTask>& planned, const Progress& progress);

 private:
  // Of units, in their order.
  using Ids = std::vector<std::int64_t>;

  Result<std::int64_t> insert_study();
  Result<std::int64_t> insert_task(std::int64_t study, std::size_t position,
                                   const PlannedTask& planned);
  Result<Ids> insert_items(std::int64_t task, const char* role, const std::vector<Unit>& units);
  Result<void> insert_slots(std::int64_t task, const Ids& items, SlotPlan& slots,
                            const Progress& progress);
  Result<void> insert_task_rows(std::int64_t study, std::size_t position,
                                const PlannedTask& planned, const Progress& progress);

  Connection& connection_;
  const StudyPlan& plan_;
  std::int64_t now_;
  std::size_t done_ = 0, total_ = 0;
};

Result<std::int64_t> Maker::insert_study() {
  PLUMB_TRY(taken, connection_.count("SELECT COUNT(*) FROM studies WHERE name = ?1", {plan_.name}));
  if (taken > 0) {
    return fail(
        ErrorKind::kNotAllowed,
        fmt::format("there is a study \"{}\" already; give this one another name", plan_.name));
  }
  return connection_.count(
      "INSERT INTO studies(name, seed, overlap, assignment, seats, gold_rate, repeat_rate, "
      "lease_ms, state, created_ms, program) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open', ?9, ?10) RETURNING id",
      {plan_.name, static_cast<std::int64_t>(plan_.seed), std::int64_t{plan_.overlap},
       std::string(assignment_name(plan_.assignment)), std::int64_t{plan_.seats}, plan_.gold_rate,
       plan_.repeat_rate, plan_.lease_ms, now_, fmt::format("plumb {}", kVersion)});
}

Result<std::int64_t> Maker::insert_task(std::int64_t study, std::size_t position,
                                        const PlannedTask& planned) {
  const Task& task = *planned.task;
  return connection_.count(
      "INSERT INTO tasks(study_id, position, name, header, items_sha256, items, units) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
      {study, static_cast<std::int64_t>(position), task.name, to_text(tasks::header_json(task)),
       tasks::items_hash(task), static_cast<std::int64_t>(task.items.size()),
       static_cast<std::int64_t>(planned.units.size())});
}

Result<Maker::Ids> Maker::insert_items(std::int64_t task, const char* role,
                                       const std::vector<Unit>& units) {
  Ids ids(units.size());
  BulkInsert rows(connection_,
                  "INSERT INTO items(task_id, role, position, name, body, gold, sha256)",
                  "RETURNING position, id", [&ids](const Row& row) {
                    ids[static_cast<std::size_t>(row.integer(0))] = row.integer(1);
                    return Result<void>();
                  });
  for (std::size_t i = 0; i < units.size(); ++i) {
    const Unit& unit = units[i];
    const std::string body = to_text(unit.body);
    auto added =
        rows.add({task, std::string(role), static_cast<std::int64_t>(i), unit.name, body,
                  unit.gold.is_null() ? Value() : Value(to_text(unit.gold)), sha256(body)});
    if (!added) return tl::unexpected(added.error());
  }
  if (auto added = rows.flush(); !added) return tl::unexpected(added.error());
  return ids;
}

Result<void> Maker::insert_slots(std::int64_t task, const Ids& items, SlotPlan& slots,
                                 const Progress& progress) {
  BulkInsert rows(connection_,
                  "INSERT INTO slots(task_id, item_id, purpose, k, seat, rank, state)");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::vector<int> seats = slots.seats();
    for (std::size_t k = 0; k < seats.size(); ++k) {
      auto added = rows.add({task, items[i], std::string("main"), static_cast<std::int64_t>(k),
                             std::int64_t{seats[k]}, slots.rank(i, k), std::string("open")});
      if (!added) return added;
    }
    if (progress) progress(++done_, total_);
  }
  return rows.flush();
}

Result<void> Maker::insert_task_rows(std::int64_t study, std::size_t position,
                                     const PlannedTask& planned, const Progress& progress) {
  PLUMB_TRY(task, insert_task(study, position, planned));
  PLUMB_TRY(items, insert_items(task, "main", planned.units));
  SlotPlan slots(plan_, position, planned.units.size());
  if (auto made = insert_slots(task, items, slots, progress); !made) return made;
  for (const auto& [role, units] :
       {std::pair("gold", &planned.gold), std::pair("training", &planned.training)}) {
    auto made = insert_items(task, role, *units);
    if (!made) return tl::unexpected(made.error());
  }
  return {};
}

Result<void> Maker::make(const std::vector<PlannedTask>& planned, const Progress& progress) {
  for (const PlannedTask& one : planned) total_ += one.units.size();
  PLUMB_TRY(study, insert_study());
  auto told = connection_.execute(
      "INSERT INTO guidelines(study_id, version, text, created_ms) VALUES(?1, 1, ?2, ?3)",
      {study, guidelines_of(plan_), now_});
  if (!told) return tl::unexpected(told.error());
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (auto made = insert_task_rows(study, i, planned[i], progress); !made) return made;
  }
  return connection_.note_growth();
}

}  // namespace

Result<Study> create_study(Store& store, const StudyPlan& plan, const Progress& progress) {
  if (auto fits = check(plan); !fits) return tl::unexpected(fits.error());
  PLUMB_TRY(planned, planned_tasks(plan));
  const std::int64_t now = store.now_ms();
  auto made = store.write(
      [&](Connection& connection) { return Maker(connection, plan, now).make(planned, progress); });
  if (!made) return tl::unexpected(made.error());
  return Study::open(store, plan.name);
}

}  // namespace plumb::study
