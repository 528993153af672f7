#include "plumb/study/review/adjudication.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plumb/base/hash.h"
#include "plumb/study/slots.h"
#include "plumb/study/units.h"
#include "plumb/text/lines.h"

namespace plumb::study {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

// An item's place in the list.
struct Ranked {
  std::int64_t item = 0, task = 0;
  double disagreement = 0;
  bool flagged = false, decided = false;
};

// The answers to one item, as they are read.
struct Pile {
  Ranked ranked;
  std::vector<std::string> bodies;
};

double mean_distance(const tasks::Task& header, const std::vector<std::string>& bodies) {
  const auto differs = [&bodies](const std::string& body) { return body != bodies.front(); };
  if (std::ranges::none_of(bodies, differs)) return 0;  // stored answers are in one form
  std::vector<Json> answers;
  for (const std::string& body : bodies) answers.push_back(Json::parse(body, nullptr, false));
  double sum = 0, pairs = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j, ++pairs)
      sum += 1 - closeness(header, answers[i], answers[j]);
  }
  return sum / pairs;
}

constexpr std::string_view kPiles =
    "SELECT items.id, answers.body, answers.flagged, (SELECT action FROM decisions WHERE "
    "decisions.item_id = items.id ORDER BY revision DESC LIMIT 1) FROM items "
    "JOIN slots ON slots.item_id = items.id AND slots.purpose = 'main' "
    "JOIN answers ON answers.id = slots.answer_id "
    "WHERE items.task_id = ?1 AND items.role = 'main' ORDER BY items.position, slots.k";

// Adds the items of a task that are in dispute.
Result<void> rank_task(Connection& connection, const StudyTask& task, double least,
                       std::vector<Ranked>& all) {
  Pile pile;
  const auto close = [&] {
    if (pile.bodies.empty()) return;
    pile.ranked.disagreement = mean_distance(task.header, pile.bodies);
    const Ranked& one = pile.ranked;
    if (one.disagreement > least || one.flagged || one.decided) all.push_back(one);
    pile = {};
  };
  auto read = connection.each(kPiles, {task.id}, [&](const Row& row) {
    if (row.integer(0) != pile.ranked.item) close();
    pile.ranked.item = row.integer(0);
    pile.ranked.task = task.id;
    pile.ranked.flagged = pile.ranked.flagged || row.integer(2) != 0;
    pile.ranked.decided = !row.is_null(3) && row.text(3) == "decide";
    pile.bodies.push_back(row.text(1));
    return Result<void>();
  });
  close();
  return read;
}

// "R1" by annotator, in the order in which they came.
Result<std::map<std::int64_t, std::string>> annotator_names(Connection& connection,
                                                            std::int64_t study) {
  PLUMB_TRY(rows,
            connection.query("SELECT id FROM annotators WHERE study_id = ?1 ORDER BY id", {study}));
  std::map<std::int64_t, std::string> names;
  for (const Row& row : rows) names[row.integer(0)] = fmt::format("R{}", names.size() + 1);
  return names;
}

Result<std::vector<Statement>> statements_on(Connection& connection, const Study& study,
                                             std::int64_t item, std::int64_t& newest) {
  PLUMB_TRY(names, annotator_names(connection, study.info().id));
  PLUMB_TRY(rows, connection.query("SELECT slots.annotator_id, answers.body, answers.flagged, "
                                   "answers.comment, answers.guideline, answers.created_ms, "
                                   "answers.id FROM slots "
                                   "JOIN answers ON answers.id = slots.answer_id "
                                   "WHERE slots.item_id = ?1 AND slots.purpose = 'main' "
                                   "ORDER BY slots.annotator_id",
                                   {item}));
  std::vector<Statement> statements;
  for (const Row& row : rows) {
    statements.push_back({names[row.integer(0)], Json::parse(row.text(1), nullptr, false),
                          row.integer(2) != 0, row.text(3), row.integer(4), row.integer(5)});
    newest = std::max(newest, row.integer(6));
  }
  return statements;
}

Result<std::vector<Decision>> decisions_on(Connection& connection, std::int64_t item,
                                           std::int64_t newest) {
  PLUMB_TRY(rows,
            connection.query("SELECT revision, adjudicators.pseudonym, body, reason, guideline, "
                             "created_ms, newest_answer FROM decisions JOIN adjudicators ON "
                             "adjudicators.id = decisions.adjudicator_id WHERE item_id = ?1 "
                             "ORDER BY revision",
                             {item}));
  std::vector<Decision> decisions;
  for (const Row& row : rows) {
    decisions.push_back({row.integer(0), row.text(1),
                         row.is_null(2) ? Json() : Json::parse(row.text(2), nullptr, false),
                         row.text(3), row.integer(4), row.integer(5), row.integer(6) < newest});
  }
  return decisions;
}

struct Loaded {
  Dispute dispute;
  std::int64_t newest = 0;  // the id of the newest answer that counts
};

Result<Loaded> load(Connection& connection, const Study& study, std::int64_t item) {
  PLUMB_TRY(row,
            connection.first("SELECT items.name, items.body, items.task_id FROM items "
                             "JOIN tasks ON tasks.id = items.task_id "
                             "WHERE items.id = ?1 AND tasks.study_id = ?2 AND items.role = 'main'",
                             {item, study.info().id}));
  if (!row) {
    return fail(ErrorKind::kNotFound,
                fmt::format("study \"{}\" has no item {}", study.info().name, item));
  }
  const StudyTask& task = task_of(study, row->integer(2));
  std::int64_t newest = 0;
  PLUMB_TRY(statements, statements_on(connection, study, item, newest));
  if (statements.empty()) {
    return fail(ErrorKind::kNotFound, fmt::format("nobody has answered item {} yet", item));
  }
  PLUMB_TRY(decisions, decisions_on(connection, item, newest));
  Dispute found{.item = item,
                .task = task.header.name,
                .name = row->text(0),
                .body = Json::parse(row->text(1), nullptr, false),
                .answers = std::move(statements),
                .decisions = std::move(decisions)};
  std::vector<std::string> bodies;
  for (const Statement& one : found.answers) {
    bodies.push_back(to_text(one.answer));
    found.flagged = found.flagged || one.flagged;
  }
  found.disagreement = mean_distance(task.header, bodies);
  return Loaded{std::move(found), newest};
}

Result<Dispute> load_dispute(Connection& connection, const Study& study, std::int64_t item) {
  PLUMB_TRY(loaded, load(connection, study, item));
  return std::move(loaded.dispute);
}

Result<std::vector<Ranked>> ranked_items(Connection& connection, const Study& study,
                                         const DisputeQuery& query) {
  std::vector<Ranked> all;
  for (const StudyTask& task : study.tasks()) {
    if (!query.task.empty() && query.task != task.header.name) continue;
    auto read = rank_task(connection, task, query.least, all);
    if (!read) return tl::unexpected(read.error());
  }
  std::ranges::stable_sort(
      all, [](const Ranked& a, const Ranked& b) { return a.disagreement > b.disagreement; });
  return all;
}

bool is_shown(const Ranked& one, DisputeQuery::Show show) {
  if (show == DisputeQuery::Show::kAll) return true;
  return one.decided == (show == DisputeQuery::Show::kDecided);
}

// --- deciding ---

// "J1" and so on, made at an account's first decision in a study.
Result<std::int64_t> adjudicator_of(Connection& connection, std::int64_t study,
                                    std::int64_t account) {
  PLUMB_TRY(known, connection.first("SELECT id FROM adjudicators WHERE study_id = ?1 AND "
                                    "account_id = ?2",
                                    {study, account}));
  if (known) return known->integer(0);
  PLUMB_TRY(before,
            connection.count("SELECT COUNT(*) FROM adjudicators WHERE study_id = ?1", {study}));
  return connection.count(
      "INSERT INTO adjudicators(study_id, account_id, pseudonym) VALUES(?1, ?2, ?3) RETURNING id",
      {study, account, fmt::format("J{}", before + 1)});
}

Result<std::optional<RulingReceipt>> known_ruling(Connection& connection, std::int64_t adjudicator,
                                                  const std::string& key,
                                                  const std::string& request) {
  PLUMB_TRY(row, connection.first("SELECT revision, request_sha256 FROM decisions WHERE "
                                  "adjudicator_id = ?1 AND request_key = ?2",
                                  {adjudicator, key}));
  if (!row) return std::nullopt;
  if (row->text(1) == request) return RulingReceipt{row->integer(0), true};
  return bad(fmt::format("the key \"{}\" was used for something else before", key));
}

Result<void> check_ruling(const Ruling& ruling) {
  if (ruling.key.empty() || ruling.key.size() > kLongestKey || first_bad_utf8(ruling.key)) {
    return bad(fmt::format("a request needs a key of 1 to {} bytes", kLongestKey));
  }
  if (ruling.reason.find_first_not_of(" \t\r\n") == std::string::npos ||
      ruling.reason.size() > kLongestComment || first_bad_utf8(ruling.reason)) {
    return bad(fmt::format("a decision needs a reason, a text of up to {} bytes", kLongestComment));
  }
  if (to_text(ruling.answer).size() <= kLongestAnswer) return {};
  return bad(fmt::format("an answer has up to {} bytes", kLongestAnswer));
}

// The decision that stands; nothing where there is none, or it was withdrawn.
const Decision* standing(const Dispute& dispute) {
  if (dispute.decisions.empty() || dispute.decisions.back().answer.is_null()) return nullptr;
  return &dispute.decisions.back();
}

Result<RulingReceipt> decide_in(Connection& connection, const Study& study, std::int64_t account,
                                const Ruling& ruling) {
  const std::string request =
      sha256(to_text(Json{"decide", ruling.item, ruling.answer, ruling.reason}));
  PLUMB_TRY(adjudicator, adjudicator_of(connection, study.info().id, account));
  PLUMB_TRY(before, known_ruling(connection, adjudicator, ruling.key, request));
  if (before) return *before;
  PLUMB_TRY(loaded, load(connection, study, ruling.item));
  const Dispute& found = loaded.dispute;
  const std::int64_t now_at = found.decisions.empty() ? 0 : found.decisions.back().revision;
  if (ruling.based_on && *ruling.based_on != now_at) {
    return fail(ErrorKind::kBusy,
                fmt::format("item {} was decided elsewhere: it is at revision {}, this corrects "
                            "{}; load it again",
                            ruling.item, now_at, *ruling.based_on));
  }
  const bool withdraws = ruling.answer.is_null();
  if (withdraws && standing(found) == nullptr) {
    return fail(ErrorKind::kNotFound, "there is no decision to withdraw");
  }
  Value body;
  if (!withdraws) {
    const auto& task = *std::ranges::find(study.tasks(), found.task,
                                          [](const StudyTask& one) { return one.header.name; });
    PLUMB_TRY(checked, checked_answer(task.header, found.body, ruling.answer));
    body = to_text(checked);
  }
  PLUMB_TRY(guideline, guideline_version(connection, study.info().id));
  auto kept = connection.execute(
      "INSERT INTO decisions(item_id, revision, adjudicator_id, request_key, request_sha256, "
      "action, body, reason, guideline, newest_answer, created_ms) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
      {ruling.item, now_at + 1, adjudicator, ruling.key, request,
       std::string(withdraws ? "withdraw" : "decide"), body, ruling.reason, guideline,
       loaded.newest, study.store().now_ms()});
  if (!kept) return tl::unexpected(kept.error());
  return RulingReceipt{now_at + 1, false};
}

}  // namespace

Result<DisputeList> disputes(const Study& study, const DisputeQuery& query) {
  if (query.most > kMostDisputes) {
    return fail(ErrorKind::kUsage, fmt::format("at most {} items at once", kMostDisputes));
  }
  if (!query.task.empty()) {
    if (auto known = find_task(study, query.task); !known) return tl::unexpected(known.error());
  }
  return study.store().read<DisputeList>([&](Connection& connection) -> Result<DisputeList> {
    PLUMB_TRY(all, ranked_items(connection, study, query));
    DisputeList list;
    std::size_t place = 0;
    for (const Ranked& one : all) {
      ++(one.decided ? list.decided : list.open);
      if (!is_shown(one, query.show) || place++ < query.offset) continue;
      if (list.disputes.size() == query.most) continue;
      PLUMB_TRY(loaded, load_dispute(connection, study, one.item));
      list.disputes.push_back(std::move(loaded));
    }
    return list;
  });
}

Result<Dispute> dispute(const Study& study, std::int64_t item) {
  return study.store().read<Dispute>(
      [&](Connection& connection) { return load_dispute(connection, study, item); });
}

Result<RulingReceipt> decide(const Study& study, std::int64_t account, const Ruling& ruling) {
  if (auto fits = check_ruling(ruling); !fits) return tl::unexpected(fits.error());
  return study.store().write<RulingReceipt>(
      [&](Connection& connection) { return decide_in(connection, study, account, ruling); });
}

}  // namespace plumb::study
