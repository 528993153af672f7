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

// kNotAllowed: the annotator never had the slot. Else the version of the guidelines that was shown
// with it the last time.
Result<std::int64_t> guideline_of_lease(Connection& connection, std::int64_t slot,
                                        std::int64_t annotator);

Result<std::int64_t> guideline_version(Connection& connection, std::int64_t study);

Result<bool> is_frozen(Connection& connection, std::int64_t study);
Result<void> check_not_frozen(Connection& connection, const StudyInfo& study);

// Gives an open, or the annotator's own, slot to the annotator until `until_ms`.
Result<void> lease(Connection& connection, const StudyInfo& study, std::int64_t slot,
                   std::int64_t annotator, std::int64_t now_ms);
// Ends the running lease of the slot. how: submitted, skipped, expired.
Result<void> end_lease(Connection& connection, std::int64_t slot, std::string_view how,
                       std::int64_t now_ms);

// Whether the annotator has another slot of the item for the same purpose, and which.
Result<std::optional<std::int64_t>> other_slot(Connection& connection, const SlotRow& slot,
                                               std::int64_t annotator);

// Study::enroll, inside a transaction.
Result<Annotator> enroll_in(Connection& connection, const Study& study,
                            const std::string& pseudonym, tasks::RaterKind kind);

const StudyTask& task_of(const Study& study, std::int64_t task_id);

// The order in which the slot's options stand for the annotator.
Order order_of(const Study& study, const SlotRow& slot, std::int64_t annotator, const Json& body);

Result<Json> body_of(Connection& connection, std::int64_t item);

Result<Served> serve(Connection& connection, const Study& study, const SlotRow& slot,
                     std::int64_t annotator);

}  // namespace plumb::study
