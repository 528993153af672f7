#include "plumb/study/slots.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb::study {
namespace {

Result<void> done_or(Result<std::int64_t> changed) {
  if (!changed) return tl::unexpected(std::move(changed.error()));
  return {};
}

}  // namespace

Result<SlotRow> load_slot(Connection& connection, const StudyInfo& study, std::int64_t slot) {
  PLUMB_TRY(row, connection.first(
                     "SELECT slots.id, task_id, item_id, purpose, state, annotator_id, "
                     "lease_until_ms, answer_id FROM slots JOIN tasks ON tasks.id = slots.task_id "
                     "WHERE slots.id = ?1 AND tasks.study_id = ?2",
                     {slot, study.id}));
  if (!row) {
    return fail(ErrorKind::kNotFound, fmt::format("study \"{}\" has no slot {}", study.name, slot));
  }
  return SlotRow{row->integer(0),       row->integer(1),      row->integer(2),
                 row->text(3),          row->text(4),         row->maybe_integer(5),
                 row->maybe_integer(6), row->maybe_integer(7)};
}

Result<std::int64_t> guideline_of_lease(Connection& connection, std::int64_t slot,
                                        std::int64_t annotator) {
  PLUMB_TRY(row, connection.first("SELECT guideline FROM leases WHERE slot_id = ?1 AND "
                                  "annotator_id = ?2 ORDER BY id DESC LIMIT 1",
                                  {slot, annotator}));
  if (row) return row->integer(0);
  return fail(ErrorKind::kNotAllowed, fmt::format("slot {} was never this annotator's", slot));
}

Result<std::int64_t> guideline_version(Connection& connection, std::int64_t study) {
  return connection.count("SELECT MAX(version) FROM guidelines WHERE study_id = ?1", {study});
}

Result<bool> is_frozen(Connection& connection, std::int64_t study) {
  PLUMB_TRY(
      frozen,
      connection.count("SELECT COUNT(*) FROM studies WHERE id = ?1 AND state = 'frozen'", {study}));
  return frozen > 0;
}

Result<void> check_not_frozen(Connection& connection, const StudyInfo& study) {
  PLUMB_TRY(frozen, is_frozen(connection, study.id));
  if (!frozen) return {};
  return fail(ErrorKind::kNotAllowed,
              fmt::format("study \"{}\" is frozen: it takes no more answers", study.name));
}

Result<void> lease(Connection& connection, const StudyInfo& study, std::int64_t slot,
                   std::int64_t annotator, std::int64_t now_ms) {
  PLUMB_TRY(taken, connection.execute("UPDATE slots SET state = 'leased', annotator_id = ?2, "
                                      "lease_until_ms = ?3, answer_id = NULL WHERE id = ?1 AND "
                                      "(state = 'open' OR annotator_id = ?2)",
                                      {slot, annotator, now_ms + study.lease_ms}));
  if (taken != 1) {
    return fail(ErrorKind::kInternal, fmt::format("slot {} is someone else's", slot));
  }
  auto counted =
      connection.execute("UPDATE annotators SET given = given + 1 WHERE id = ?1", {annotator});
  if (!counted) return tl::unexpected(counted.error());
  PLUMB_TRY(version, guideline_version(connection, study.id));
  return done_or(
      connection.execute("INSERT INTO leases(slot_id, annotator_id, guideline, "
                         "granted_ms) VALUES(?1, ?2, ?3, ?4)",
                         {slot, annotator, version, now_ms}));
}

Result<void> end_lease(Connection& connection, std::int64_t slot, std::string_view how,
                       std::int64_t now_ms) {
  return done_or(
      connection.execute("UPDATE leases SET ended_ms = ?2, how = ?3 WHERE slot_id = ?1 "
                         "AND ended_ms IS NULL",
                         {slot, now_ms, std::string(how)}));
}

Result<std::optional<std::int64_t>> other_slot(Connection& connection, const SlotRow& slot,
                                               std::int64_t annotator) {
  PLUMB_TRY(row, connection.first("SELECT id FROM slots WHERE item_id = ?1 AND purpose = ?2 AND "
                                  "annotator_id = ?3 AND id <> ?4",
                                  {slot.item_id, slot.purpose, annotator, slot.id}));
  return row ? std::optional(row->integer(0)) : std::nullopt;
}

const StudyTask& task_of(const Study& study, std::int64_t task_id) {
  return *std::ranges::find(study.tasks(), task_id, &StudyTask::id);
}

Order order_of(const Study& study, const SlotRow& slot, std::int64_t annotator, const Json& body) {
  const tasks::Kind kind = task_of(study, slot.task_id).header.kind;
  return draw_order(study.info().seed, slot.purpose == "repeat" ? "repeat" : "first", annotator,
                    slot.item_id, options_of(kind, body));
}

Result<Json> body_of(Connection& connection, std::int64_t item) {
  PLUMB_TRY(row, connection.first("SELECT body FROM items WHERE id = ?1", {item}));
  Json body = row ? Json::parse(row->text(0), nullptr, false) : Json();
  if (body.is_object()) return body;
  return fail(ErrorKind::kBadInput, fmt::format("the database holds no sound item {}", item));
}

Result<Served> serve(Connection& connection, const Study& study, const SlotRow& slot,
                     std::int64_t annotator) {
  const StudyTask& task = task_of(study, slot.task_id);
  PLUMB_TRY(body, body_of(connection, slot.item_id));
  PLUMB_TRY(version, guideline_of_lease(connection, slot.id, annotator));
  const Order order = order_of(study, slot, annotator, body);
  Served served{.slot = slot.id,
                .task = task.header.name,
                .instruction = task.header.instruction,
                .kind = task.header.kind,
                .body = shown_body(task.header.kind, body, order),
                .training = slot.purpose == "training",
                .guideline = version,
                .lease_until_ms = slot.lease_until_ms.value_or(0),
                .draft = std::nullopt,
                .answer = std::nullopt,
                .revision = 0};
  PLUMB_TRY(draft,
            connection.first("SELECT body FROM drafts WHERE slot_id = ?1 AND annotator_id = ?2",
                             {slot.id, annotator}));
  if (draft) served.draft = Json::parse(draft->text(0), nullptr, false);
  PLUMB_TRY(last, connection.first("SELECT revision, action, body FROM answers WHERE slot_id = ?1 "
                                   "AND annotator_id = ?2 ORDER BY revision DESC LIMIT 1",
                                   {slot.id, annotator}));
  if (!last) return served;
  served.revision = last->integer(0);
  if (last->text(1) == "answer") {
    served.answer =
        shown_answer(task.header.kind, Json::parse(last->text(2), nullptr, false), order);
  }
  return served;
}

}  // namespace plumb::study
