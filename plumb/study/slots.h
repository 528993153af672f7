// Slots and leases as rows: what claiming and answering share. Inside one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plumb/study/study.h"
#include "plumb/study/units.h"

namespace plumb::study {

struct SlotRow {
  std::int64_t id = 0, task_id = 0, item_id = 0;
  std::string purpose;  // main, gold, repeat, training
  std::string state;    // open, leased, submitted
  std::optional<std::int64_t> annotator, lease_until_ms, answer;
};

// kNotFound: there is no such slot in the study.
Result<SlotRow> load_slot(Connection& connection, const StudyInfo& study, std::int64_t slot);

// All that a request of an annotator about a slot asks first, in one statement.
struct SlotView {
  SlotRow slot;
  Json body;                   // of its item
  std::int64_t guideline = 0;  // the version that was shown with the annotator's last lease of it
  bool frozen = false;         // the study
  std::optional<std::string> draft;
  std::int64_t revision = 0;  // of the annotator's last action on the slot; 0: none
  std::string action;         // which it was: answer, skip, withdraw
  std::optional<std::string> answer;

  // What was done under the request's key before.
  struct Known {
    Receipt receipt;
    std::string request_sha256;
  };
  std::optional<Known> known;
};

// kNotFound: there is no such slot in the study. kNotAllowed: the annotator never had it.
// kBadInput: the database holds no sound item. key: "" asks about none.
Result<SlotView> view_slot(Connection& connection, const StudyInfo& study, std::int64_t slot,
                           std::int64_t annotator, const std::string& key = "");

Result<std::int64_t> guideline_version(Connection& connection, std::int64_t study);

Result<bool> is_frozen(Connection& connection, std::int64_t study);
Result<void> check_not_frozen(Connection& connection, const StudyInfo& study);
// kNotAllowed: it takes no more answers.
tl::unexpected<Error> frozen_study(const StudyInfo& study);

// Gives an open, or the annotator's own, slot to the annotator. Part of it is posted.
Result<void> lease(Connection& connection, const StudyInfo& study, std::int64_t slot,
                   std::int64_t annotator, std::int64_t now_ms);
// Ends the running lease of the slot; posted. how: submitted, skipped, expired.
Result<void> end_lease(Connection& connection, std::int64_t slot, std::string_view how,
                       std::int64_t now_ms);

// Whether the annotator has another slot of the item for the same purpose, and which.
Result<std::optional<std::int64_t>> other_slot(Connection& connection, const SlotRow& slot,
                                               std::int64_t annotator);

// Whether Study::enroll would take this name: the annotator of it, nothing where it is a new one,
// or why not. Writes nothing.
Result<std::optional<Annotator>> may_enroll(Connection& connection, const Study& study,
                                            const std::string& pseudonym, tasks::RaterKind kind);

// kNotAllowed: annotators of the other kind are there, with whom this kind never shares a study.
Result<void> check_company(Connection& connection, const StudyInfo& study, tasks::RaterKind kind);

// Study::enroll, inside a transaction.
Result<Annotator> enroll_in(Connection& connection, const Study& study,
                            const std::string& pseudonym, tasks::RaterKind kind);

const StudyTask& task_of(const Study& study, std::int64_t task_id);

// The order in which the slot's options stand for the annotator.
Order order_of(const Study& study, const SlotRow& slot, std::int64_t annotator, const Json& body);

Result<Json> body_of(Connection& connection, std::int64_t item);

Served serve(const Study& study, const SlotView& view, std::int64_t annotator);

}  // namespace plumb::study
