// Adjudication: what annotators disagree on, and what somebody decides about it. Decisions are
// appended beside the answers and never replace them; each keeps who, when, why, and under which
// guidelines.
//
// Who uses it: the server for adjudicators, managers and owners; exports.
// Annotators stand as "R1", "R2" in the order in which they came, adjudicators as "J1", "J2".
//
//   PLUMB_TRY(list, disputes(study, {}));              // the largest disagreement first
//   decide(study, account, {.item = list.disputes[0].item, .key = "k", .answer = {{"rating", 3}},
//                           .reason = "guideline 2: ..."});
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plumb/study/exchange/export.h"
#include "plumb/study/study.h"

namespace plumb::study {

// One annotator's answer, as the item has its options.
struct Statement {
  std::string annotator;
  Json answer;
  bool flagged = false;
  std::string comment;
  std::int64_t guideline = 0, at_ms = 0;
};

struct Decision {
  std::int64_t revision = 0;
  std::string adjudicator;
  Json answer;  // null: the decision was withdrawn
  std::string reason;
  std::int64_t guideline = 0, at_ms = 0;
  bool outdated = false;  // somebody answered, or corrected an answer, since
};

struct Dispute {
  std::int64_t item = 0;
  std::string task, name;  // of the item; "pool" of a clustering
  Json body;
  double disagreement = 0;  // 1 - the mean closeness (units.h) of two answers; 0: all say the same
  bool flagged = false;     // by any annotator
  std::vector<Statement> answers;
  std::vector<Decision> decisions;  // all revisions, the newest last
};

struct DisputeQuery {
  enum class Show { kOpen, kDecided, kAll };
  std::string task = {};  // "": all
  Show show = Show::kOpen;
  double least = 0;  // disagreements above it; flagged items always
  std::size_t offset = 0, most = 50;
};
inline constexpr std::size_t kMostDisputes = 200;

struct DisputeList {
  std::size_t open = 0, decided = 0;  // of all that the query is about, whatever it shows
  std::vector<Dispute> disputes;      // from offset on, the largest disagreement first
};

// kNotFound: no such task. kUsage: more than kMostDisputes at once.
Result<DisputeList> disputes(const Study& study, const DisputeQuery& query);

// One item that somebody answered. kNotFound: there is none.
Result<Dispute> dispute(const Study& study, std::int64_t item);

struct Ruling {
  std::int64_t item = 0;
  std::string key;  // one for each decision; the same when it is sent again
  Json answer;      // as the item has its options; null: withdraws the decision
  std::string reason;
  std::optional<std::int64_t> based_on = {};  // the revision that it corrects; 0: none
};

struct RulingReceipt {
  std::int64_t revision = 0;
  bool again = false;  // the key was known: nothing was done
};

// Frozen studies too. kNotFound: nobody answered the item, or there is no decision to withdraw.
// kBadInput: an answer that does not fit it, no reason, a key that was used for another. kBusy:
// based_on is not the current revision.
Result<RulingReceipt> decide(const Study& study, std::int64_t account, const Ruling& ruling);

// The decisions that stand, as an answer sheet (plumb.answers/1) of the rater and kind
// "adjudicated". Returns the lines.
Result<std::size_t> export_decisions(const Study& study, const StudyTask& task, const Sink& sink);

// The items that were decided, as a task (plumb.task/1) whose gold the decisions are; each line
// also has "adjudicator", "reason", "guideline", "at" and the gold that was there, "gold_before".
// Returns the items.
Result<std::size_t> export_gold_candidates(const Study& study, const StudyTask& task,
                                           const Sink& sink);

}  // namespace plumb::study
