#include "plumb/study/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "plumb/base/random.h"
#include "plumb/stats/intervals.h"
#include "plumb/study/units.h"

namespace plumb::study {

// Read from the index slots_state alone, as far as slots go.
const std::string_view kUnitsSql =
    "SELECT COUNT(*), COUNT(*) FILTER (WHERE n >= ?2), CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM "
    "(SELECT COUNT(*) AS n FROM slots WHERE task_id = ?1 AND purpose = 'main' AND state = "
    "'submitted' GROUP BY item_id) AS answered";
const std::string_view kTimesSql =
    "SELECT slots.annotator_id, answers.active_ms, answers.idle_ms FROM slots JOIN answers ON "
    "answers.id = slots.answer_id WHERE slots.task_id = ?1 AND slots.purpose = 'main' AND "
    "slots.state = 'submitted'";

namespace {

// Values of each annotator, by id.
using Values = std::map<std::int64_t, std::vector<double>>;

Quality quality_of(const std::vector<double>& values, double level) {
  if (values.empty()) return {};
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  return {values.size(), mean, stats::bounded_mean_interval(mean, values.size(), 0, 1, level)};
}

ItemTime time_of(std::vector<double> values, double level) {
  std::ranges::sort(values);
  const auto median = stats::median(values, level);
  if (!median) return {};
  return {values.size(), median->value, median->ci};
}

// The closeness of pairs of answers of one annotator: columns are annotator, task, answer, other.
Result<Values> closenesses(Connection& connection, const Study& study, std::string_view sql) {
  Values values;
  auto read = connection.each(sql, {study.info().id}, [&](const Row& row) {
    const auto task = std::ranges::find(study.tasks(), row.integer(1), &StudyTask::id);
    values[row.integer(0)].push_back(closeness(task->header,
                                               Json::parse(row.text(2), nullptr, false),
                                               Json::parse(row.text(3), nullptr, false)));
    return Result<void>();
  });
  if (!read) return tl::unexpected(read.error());
  return values;
}

constexpr std::string_view kGold =
    "SELECT slots.annotator_id, slots.task_id, answers.body, items.gold FROM annotators "
    "JOIN slots ON slots.annotator_id = annotators.id AND slots.purpose = 'gold' "
    "JOIN answers ON answers.id = slots.answer_id AND answers.action = 'answer' "
    "JOIN items ON items.id = slots.item_id WHERE annotators.study_id = ?1 ORDER BY slots.id";

constexpr std::string_view kRepeats =
    "SELECT slots.annotator_id, slots.task_id, answers.body, first.body FROM annotators "
    "JOIN slots ON slots.annotator_id = annotators.id AND slots.purpose = 'repeat' "
    "JOIN answers ON answers.id = slots.answer_id AND answers.action = 'answer' "
    "JOIN slots AS earlier ON earlier.item_id = slots.item_id AND earlier.purpose = 'main' AND "
    "earlier.annotator_id = slots.annotator_id "
    "JOIN answers AS first ON first.id = earlier.answer_id "
    "WHERE annotators.study_id = ?1 ORDER BY slots.id";

// Seconds of the answers that count.
Result<void> read_times(Connection& connection, const Study& study, Values& active, Values& idle) {
  const auto take = [&](const Row& row) {
    if (!row.is_null(1)) active[row.integer(0)].push_back(row.number(1) / 1000);
    if (!row.is_null(2)) idle[row.integer(0)].push_back(row.number(2) / 1000);
    return Result<void>();
  };
  for (const StudyTask& task : study.tasks()) {
    if (auto read = connection.each(kTimesSql, {task.id}, take); !read) return read;
  }
  return {};
}

Result<std::vector<AnnotatorStatus>> annotators_of(Connection& connection, const Study& study) {
  std::vector<AnnotatorStatus> all;
  auto read = connection.each(
      "SELECT id, pseudonym, kind, seat, "
      "(SELECT COUNT(*) FROM slots WHERE annotator_id = annotators.id AND purpose = 'main' AND "
      "state = 'submitted'), "
      "(SELECT COUNT(*) FROM skipped WHERE annotator_id = annotators.id), "
      "(SELECT COUNT(*) FROM answers JOIN slots ON slots.id = answers.slot_id AND "
      "slots.answer_id = answers.id WHERE answers.annotator_id = annotators.id AND flagged = 1), "
      "(SELECT COUNT(*) FROM answers WHERE annotator_id = annotators.id AND surplus = 1), "
      "(SELECT COUNT(*) FROM leases WHERE annotator_id = annotators.id AND ended_ms IS NULL), "
      "(SELECT created_ms FROM answers WHERE annotator_id = annotators.id ORDER BY id DESC LIMIT "
      "1) FROM annotators WHERE study_id = ?1 ORDER BY id",
      {study.info().id}, [&all](const Row& row) {
        AnnotatorStatus one;
        one.annotator = {row.integer(0), row.text(1), *tasks::parse_rater_kind(row.text(2)),
                         static_cast<int>(row.integer(3))};
        one.answered = row.integer(4);
        one.skipped = row.integer(5);
        one.flagged = row.integer(6);
        one.surplus = row.integer(7);
        one.holding = row.integer(8);
        one.last_ms = row.maybe_integer(9);
        all.push_back(std::move(one));
        return Result<void>();
      });
  if (!read) return tl::unexpected(read.error());
  return all;
}

Result<TaskStatus> task_status(Connection& connection, const StudyTask& task, int overlap) {
  TaskStatus status;
  status.task = task;
  PLUMB_TRY(units, connection.first(kUnitsSql, {task.id, std::int64_t{overlap}}));
  status.answered_units = units->integer(0);
  status.complete_units = units->integer(1);
  status.submitted = units->integer(2);
  PLUMB_TRY(leased, connection.count("SELECT COUNT(*) FROM slots WHERE state = 'leased' AND "
                                     "task_id = ?1 AND purpose = 'main'",
                                     {task.id}));
  status.leased = leased;
  status.slots = task.units * overlap;
  status.open = status.slots - status.submitted - status.leased;
  return status;
}

Result<void> add_measures(Connection& connection, const Study& study, double level,
                          std::vector<AnnotatorStatus>& all) {
  PLUMB_TRY(gold, closenesses(connection, study, kGold));
  PLUMB_TRY(repeats, closenesses(connection, study, kRepeats));
  Values active, idle;
  if (auto read = read_times(connection, study, active, idle); !read) return read;
  for (AnnotatorStatus& one : all) {
    const std::int64_t id = one.annotator.id;
    one.gold = quality_of(gold[id], level);
    one.repeats = quality_of(repeats[id], level);
    one.active = time_of(std::move(active[id]), level);
    one.idle = time_of(std::move(idle[id]), level);
  }
  return {};
}

Result<StudyStatus> status_in(Connection& connection, const Study& study, double level) {
  StudyStatus status;
  PLUMB_TRY(row,
            connection.first("SELECT state, frozen_sha256, (SELECT MAX(version) FROM guidelines "
                             "WHERE study_id = ?1) FROM studies WHERE id = ?1",
                             {study.info().id}));
  status.frozen = row->text(0) == "frozen";
  status.frozen_sha256 = row->maybe_text(1);
  status.guideline = row->integer(2);
  for (const StudyTask& task : study.tasks()) {
    PLUMB_TRY(one, task_status(connection, task, study.info().overlap));
    status.tasks.push_back(std::move(one));
  }
  PLUMB_TRY(annotators, annotators_of(connection, study));
  if (auto added = add_measures(connection, study, level, annotators); !added) {
    return tl::unexpected(added.error());
  }
  status.annotators = std::move(annotators);
  return status;
}

// --- agreement ---

tasks::AnswerLevel level_of(tasks::Kind kind) {
  switch (kind) {
    case tasks::Kind::kSts:
      return tasks::AnswerLevel::kInterval;
    case tasks::Kind::kClustering:
      return tasks::AnswerLevel::kPartition;
    case tasks::Kind::kReranking:
      return tasks::AnswerLevel::kOrdinal;
    default:
      return tasks::AnswerLevel::kNominal;
  }
}

// A table that grows value by value.
class TableBuilder {
 public:
  void add(const std::string& item, const std::string& rater, std::string value) {
    cells_.emplace_back(place(items_, table_.items, item), place(raters_, table_.raters, rater),
                        std::move(value));
  }

  tasks::LongTable take() {
    table_.values.resize(table_.items.size() * table_.raters.size());
    table_.where.resize(table_.values.size());
    for (auto& [item, rater, value] : cells_) {
      table_.values[item * table_.raters.size() + rater] = std::move(value);
    }
    return std::move(table_);
  }

 private:
  using Places = std::unordered_map<std::string, std::size_t>;

  static std::size_t place(Places& places, std::vector<std::string>& names,
                           const std::string& name) {
    const auto [at, is_new] = places.emplace(name, names.size());
    if (is_new) names.push_back(name);
    return at->second;
  }

  tasks::LongTable table_;
  Places items_, raters_;
  std::vector<std::tuple<std::size_t, std::size_t, std::string>> cells_;
};

// An answer's values, one for each thing that is compared.
void add_values(TableBuilder& table, const std::string& item, const std::string& rater,
                const Json& answer) {
  if (answer.contains("groups")) {
    for (const auto& [text, group] : answer["groups"].items()) {
      table.add(text, rater, group.get<std::string>());
    }
    return;
  }
  for (const char* list : {"grades", "scores"}) {
    if (!answer.contains(list)) continue;
    for (std::size_t i = 0; i < answer[list].size(); ++i) {
      table.add(fmt::format("{}/{}", item, i), rater,
                fmt::format("{}", answer[list][i].get<double>()));
    }
    return;
  }
  if (answer.contains("rating")) {
    table.add(item, rater, fmt::format("{}", answer["rating"].get<double>()));
  } else {
    table.add(item, rater, answer[answer.contains("label") ? "label" : "choice"]);
  }
}

// The items with two answers or more; where there is none, those with one.
Result<std::vector<std::int64_t>> comparable_items(Connection& connection, const StudyTask& task) {
  std::vector<std::int64_t> several, single;
  auto read = connection.each(
      "SELECT item_id, COUNT(*) FROM slots WHERE task_id = ?1 AND purpose = 'main' AND state = "
      "'submitted' GROUP BY item_id ORDER BY item_id",
      {task.id}, [&](const Row& row) {
        (row.integer(1) > 1 ? several : single).push_back(row.integer(0));
        return Result<void>();
      });
  if (!read) return tl::unexpected(read.error());
  return several.empty() ? std::move(single) : std::move(several);
}

// The items to look at.
std::set<std::int64_t> sampled_items(const Study& study, const StudyTask& task,
                                     std::vector<std::int64_t> items, std::size_t most_items) {
  Stream stream(study.info().seed, "items of live agreement", static_cast<std::uint64_t>(task.id));
  if (items.size() > most_items) {
    shuffle(std::span(items), stream);
    items.resize(most_items);
  }
  return {items.begin(), items.end()};
}

Result<tasks::LongTable> agreement_table(Connection& connection, const StudyTask& task,
                                         const std::set<std::int64_t>& items) {
  TableBuilder table;
  for (const std::int64_t item : items) {
    auto read = connection.each(
        "SELECT items.name, annotators.pseudonym, answers.body FROM slots "
        "JOIN items ON items.id = slots.item_id JOIN answers ON answers.id = slots.answer_id "
        "JOIN annotators ON annotators.id = slots.annotator_id "
        "WHERE slots.item_id = ?1 AND slots.purpose = 'main' ORDER BY slots.k",
        {item}, [&](const Row& row) {
          add_values(table, row.text(0), row.text(1), Json::parse(row.text(2), nullptr, false));
          return Result<void>();
        });
    if (!read) return tl::unexpected(read.error());
  }
  tasks::LongTable made = table.take();
  if (!made.values.empty()) return made;
  return fail(ErrorKind::kNotFound,
              fmt::format("nobody has answered \"{}\" yet", task.header.name));
}

}  // namespace

Result<StudyStatus> study_status(const Study& study, double level) {
  return study.store().read<StudyStatus>(
      [&](Connection& connection) { return status_in(connection, study, level); });
}

Result<LiveAgreement> live_agreement(const Study& study, const StudyTask& task,
                                     const AgreementOptions& options) {
  std::int64_t of_items = 0;
  PLUMB_TRY(
      table,
      study.store().read<tasks::LongTable>([&](Connection& connection) -> Result<tasks::LongTable> {
        PLUMB_TRY(items, comparable_items(connection, task));
        of_items = static_cast<std::int64_t>(items.size());
        return agreement_table(connection, task,
                               sampled_items(study, task, std::move(items), options.most_items));
      }));
  PLUMB_TRY(report, tasks::measure_agreement(table, level_of(task.header.kind), options.sampling,
                                             options.level));
  return LiveAgreement{std::move(report), of_items};
}

}  // namespace plumb::study
