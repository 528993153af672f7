#include "plumb/study/slots.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb::study {
namespace {

// The annotator's draft and last action stand beside the slot, where there are any.
constexpr std::string_view kView =
    "SELECT slots.id, slots.task_id, slots.item_id, slots.purpose, slots.state, "
    "slots.annotator_id, slots.lease_until_ms, slots.answer_id, items.body, (SELECT guideline FROM "
    "leases WHERE slot_id = ?1 AND annotator_id = ?3 ORDER BY id DESC LIMIT 1), studies.state, "
    "drafts.body, last.revision, last.action, last.body, known.id, known.revision, known.late, "
    "known.surplus, known.request_sha256 "
    "FROM slots JOIN tasks ON tasks.id = slots.task_id JOIN studies ON studies.id = tasks.study_id "
    "JOIN items ON items.id = slots.item_id "
    "LEFT JOIN drafts ON drafts.slot_id = slots.id AND drafts.annotator_id = ?3 "
    "LEFT JOIN answers AS last ON last.slot_id = slots.id AND last.annotator_id = ?3 AND "
    "last.revision = (SELECT MAX(revision) FROM answers WHERE slot_id = ?1 AND annotator_id = ?3) "
    "LEFT JOIN answers AS known ON known.annotator_id = ?3 AND known.request_key = ?4 "
    "WHERE slots.id = ?1 AND studies.id = ?2";

SlotRow slot_of_row(const Row& row) {
  return {row.integer(0), row.integer(1),       row.integer(2),       row.text(3),
          row.text(4),    row.maybe_integer(5), row.maybe_integer(6), row.maybe_integer(7)};
}

SlotView::Known known_of_row(const Row& row) {
  SlotView::Known known;
  known.receipt.answer = row.integer(15);
  known.receipt.revision = row.integer(16);
  known.receipt.late = row.integer(17) != 0;
  known.receipt.surplus = row.integer(18) != 0;
  known.receipt.again = true;
  known.request_sha256 = row.text(19);
  return known;
}

tl::unexpected<Error> no_slot(const StudyInfo& study, std::int64_t slot) {
  return fail(ErrorKind::kNotFound, fmt::format("study \"{}\" has no slot {}", study.name, slot));
}

Result<Json> parsed_body(const std::string& text, std::int64_t item) {
  Json body = Json::parse(text, nullptr, false);
  if (body.is_object()) return body;
  return fail(ErrorKind::kBadInput, fmt::format("the database holds no sound item {}", item));
}

}  // namespace

Result<SlotRow> load_slot(Connection& connection, const StudyInfo& study, std::int64_t slot) {
  PLUMB_TRY(row, connection.first(
                     "SELECT slots.id, task_id, item_id, purpose, state, annotator_id, "
                     "lease_until_ms, answer_id FROM slots JOIN tasks ON tasks.id = slots.task_id "
                     "WHERE slots.id = ?1 AND tasks.study_id = ?2",
                     {slot, study.id}));
  if (!row) return no_slot(study, slot);
  return slot_of_row(*row);
}

Result<SlotView> view_slot(Connection& connection, const StudyInfo& study, std::int64_t slot,
                           std::int64_t annotator, const std::string& key) {
  PLUMB_TRY(found, connection.first(kView, {slot, study.id, annotator, key}));
  if (!found) return no_slot(study, slot);
  const Row& row = *found;
  if (row.is_null(9)) {
    return fail(ErrorKind::kNotAllowed, fmt::format("slot {} was never this annotator's", slot));
  }
  PLUMB_TRY(body, parsed_body(row.text(8), row.integer(2)));
  SlotView view{.slot = slot_of_row(row),
                .body = std::move(body),
                .guideline = row.integer(9),
                .frozen = row.text(10) == "frozen",
                .draft = row.maybe_text(11),
                .revision = row.maybe_integer(12).value_or(0),
                .action = row.maybe_text(13).value_or(""),
                .answer = row.maybe_text(14),
                .known = std::nullopt};
  if (!row.is_null(15)) view.known.emplace(known_of_row(row));
  return view;
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
  return frozen_study(study);
}

tl::unexpected<Error> frozen_study(const StudyInfo& study) {
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
      connection.post("UPDATE annotators SET given = given + 1 WHERE id = ?1", {annotator});
  if (!counted) return counted;
  return connection.post(
      "INSERT INTO leases(slot_id, annotator_id, guideline, granted_ms) SELECT ?1, ?2, "
      "MAX(version), ?4 FROM guidelines WHERE study_id = ?3",
      {slot, annotator, study.id, now_ms});
}

Result<void> end_lease(Connection& connection, std::int64_t slot, std::string_view how,
                       std::int64_t now_ms) {
  return connection.post(
      "UPDATE leases SET ended_ms = ?2, how = ?3 WHERE slot_id = ?1 AND ended_ms IS NULL",
      {slot, now_ms, std::string(how)});
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
  return parsed_body(row ? row->text(0) : "", item);
}

Served serve(const Study& study, const SlotView& view, std::int64_t annotator) {
  const SlotRow& slot = view.slot;
  const StudyTask& task = task_of(study, slot.task_id);
  const Order order = order_of(study, slot, annotator, view.body);
  Served served{.slot = slot.id,
                .task = task.header.name,
                .instruction = task.header.instruction,
                .kind = task.header.kind,
                .body = shown_body(task.header.kind, view.body, order),
                .training = slot.purpose == "training",
                .guideline = view.guideline,
                .lease_until_ms = slot.lease_until_ms.value_or(0),
                .draft = std::nullopt,
                .answer = std::nullopt,
                .revision = view.revision};
  if (view.draft) served.draft = Json::parse(*view.draft, nullptr, false);
  if (view.action == "answer") {
    served.answer =
        shown_answer(task.header.kind, Json::parse(*view.answer, nullptr, false), order);
  }
  return served;
}

}  // namespace plumb::study
