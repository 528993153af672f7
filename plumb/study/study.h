// A study: the items of some tasks, so many slots for each, and what annotators answer.
//
// Who uses it: the server, a call a request; the verbs of `plumb study`; the simulated annotators.
// Guarantees, with any number of threads:
//   - what a call returns is on the disk;
//   - an item has `overlap` slots, a slot one annotator, an annotator one slot of an item;
//   - a call that is sent again under its key is done once and answered alike;
//   - an answer is never changed or dropped: a correction is a new revision, one that comes after
//     its slot went to someone else is kept as `surplus`, outside every count.
// A slot: open -> leased -> submitted. A lease that runs out gives the slot back when someone else
// needs it; until then its holder finds it again, on whatever device.
//
//   PLUMB_TRY(study, Study::open(*store, "demo"));
//   PLUMB_TRY(ann, study.enroll("R1", tasks::RaterKind::kPerson));
//   PLUMB_TRY(next, study.next(ann.id));
//   study.submit(ann.id, {.slot = next.served->slot, .key = "k1", .answer = {{"rating", 3}}});
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/study/store.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::study {

enum class Assignment {
  kBalanced,  // every item once before any item twice
  kFixed,     // who gets which item is drawn at the start, the same number for each
  kRandom,    // any open slot
};
// "balanced", "fixed", "random"
std::string_view assignment_name(Assignment assignment);
std::optional<Assignment> parse_assignment(std::string_view name);

struct StudyInfo {
  std::int64_t id = 0;
  std::string name;
  std::uint64_t seed = 0;
  int overlap = 1;
  Assignment assignment = Assignment::kBalanced;
  int seats = 0;  // kFixed: how many annotators there are
  double gold_rate = 0, repeat_rate = 0;
  std::int64_t lease_ms = 0;
  std::int64_t created_ms = 0;
};

struct StudyTask {
  std::int64_t id = 0;
  tasks::Task header;  // without items
  std::string items_sha256;
  std::int64_t items = 0;  // of the task
  std::int64_t units = 0;  // what slots are made for
};

struct Annotator {
  std::int64_t id = 0;
  std::string pseudonym;
  tasks::RaterKind kind = tasks::RaterKind::kPerson;
  int seat = 0;
};

// What an annotator is shown. It never says whether an item is a hidden check.
struct Served {
  std::int64_t slot = 0;
  std::string task, instruction;
  tasks::Kind kind = tasks::Kind::kSts;
  Json body;              // options in the order for this annotator
  bool training = false;  // feedback follows
  std::int64_t guideline = 0;
  std::int64_t lease_until_ms = 0;
  std::optional<Json> draft;
  std::optional<Json> answer;  // what was submitted before
  std::int64_t revision = 0;   // of that answer; 0: none
};

struct Next {
  enum class State {
    kItem,
    kWait,      // all that is left is with others; some of it may come back
    kFinished,  // this annotator has answered everything there is
  };
  State state = State::kFinished;
  std::optional<Served> served;
};

// As the page measured them; active: with input less than half a minute apart, and in view.
struct Timing {
  std::optional<std::int64_t> shown_ms = {}, first_input_ms = {}, submitted_ms = {};
  std::optional<std::int64_t> active_ms = {}, idle_ms = {}, blurs = {};
};

struct Submission {
  std::int64_t slot = 0;
  std::string key;  // one for each thing that is submitted; the same when it is sent again
  Json answer;      // options in the order in which they were shown
  std::optional<std::int64_t> based_on =
      {};  // the revision that it corrects; nothing: whatever it is
  bool flagged = false;
  std::string comment = {};
  Timing timing = {};
};

struct Feedback {
  Json gold;  // in the order that was shown
  double closeness = 0;
};

struct Receipt {
  std::int64_t answer = 0;  // its id
  std::int64_t revision = 0;
  bool late = false;                      // the lease had run out
  bool surplus = false;                   // kept, but outside every count
  bool again = false;                     // the key was known: nothing was done
  std::optional<Feedback> feedback = {};  // of training items
};

inline constexpr std::string_view kSkipReasons[] = {"unclear", "wrong language", "offensive",
                                                    "other"};
inline constexpr int kUndoDepth = 20;
inline constexpr std::size_t kLongestComment = 4000, kLongestAnswer = 1 << 20, kLongestKey = 200;

struct Skip {
  std::int64_t slot = 0;
  std::string key;
  std::string reason = "other";  // one of kSkipReasons
  std::string comment = {};
};

struct Draft {
  std::int64_t slot = 0;
  Json answer;  // anything; it is shown again as it is
};

class Study {
 public:
  // kNotFound, naming the nearest. The store must outlive the study.
  static Result<Study> open(Store& store, std::string_view name);
  static Result<std::vector<std::string>> names(Store& store);

  const StudyInfo& info() const { return info_; }
  const std::vector<StudyTask>& tasks() const { return tasks_; }
  Store& store() const { return *store_; }

  // A new annotator, or the one of that name. kNotAllowed: another kind under that name; people and
  // simulated annotators in one study; more annotators than seats.
  Result<Annotator> enroll(const std::string& pseudonym, tasks::RaterKind kind) const;
  Result<Annotator> annotator(const std::string& pseudonym) const;

  // The slot that the annotator holds, or a new one. kNotAllowed: the study is frozen.
  Result<Next> next(std::int64_t annotator) const;

  // A slot that the annotator has or had. kNotAllowed: somebody else's.
  Result<Served> show(std::int64_t annotator, std::int64_t slot) const;

  // Holds the lease for longer, and takes it anew where it ran out and the slot is free. False: the
  // slot went to someone else.
  Result<bool> renew(std::int64_t annotator, std::int64_t slot) const;

  // The same, with what has been entered so far.
  Result<bool> save_draft(std::int64_t annotator, const Draft& draft) const;

  // kBadInput: the answer does not fit the item; the key was used for another. kBusy: based_on is
  // not the current revision. kNotAllowed: the slot was never the annotator's.
  Result<Receipt> submit(std::int64_t annotator, const Submission& submission) const;

  // The slot goes to others, and not again to this annotator.
  Result<Receipt> skip(std::int64_t annotator, const Skip& skip) const;

  // Takes the last answer or skip back, at most kUndoDepth one after another: its item is shown
  // again, with what was answered as a draft. kNotFound: there is nothing to undo. kBusy: another
  // annotator has the skipped item by now.
  Result<Served> undo(std::int64_t annotator, const std::string& key) const;

  // The next version of the guidelines; answers name the version that was shown with their item.
  Result<std::int64_t> set_guidelines(const std::string& markdown) const;
  struct Guidelines {
    std::int64_t version = 0;
    std::string markdown;
  };
  Result<Guidelines> guidelines(std::optional<std::int64_t> version = std::nullopt) const;

  // No more answers; returns the SHA-256 of the export of all answers. Frozen twice is no error.
  Result<std::string> freeze() const;
  Result<void> reopen() const;

 private:
  Study(Store& store, StudyInfo info, std::vector<StudyTask> tasks)
      : store_(&store), info_(std::move(info)), tasks_(std::move(tasks)) {}

  Store* store_;
  StudyInfo info_;
  std::vector<StudyTask> tasks_;
};

}  // namespace plumb::study
