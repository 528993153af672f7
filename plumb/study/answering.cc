// What an annotator does with a slot: draft, submit, skip, undo.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "plumb/base/hash.h"
#include "plumb/study/slots.h"
#include "plumb/study/study.h"
#include "plumb/study/units.h"
#include "plumb/text/lines.h"

namespace plumb::study {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

// A row of the history, before it is written.
struct Entry {
  std::string action;  // answer, skip, withdraw
  Value body = {};
  bool flagged = false;
  std::string comment = {};
  bool late = false, surplus = false;
  std::int64_t guideline = 0;
  std::string presented = {};
  Timing timing = {};
};

// One request of one annotator, inside the transaction that answers it.
class Desk {
 public:
  Desk(Connection& connection, const Study& study, std::int64_t annotator)
      : connection_(connection),
        study_(study),
        info_(study.info()),
        annotator_(annotator),
        now_(study.store().now_ms()) {}

  Result<bool> renew(std::int64_t slot_id);
  Result<bool> save_draft(std::int64_t slot_id, const std::string& body);
  Result<Receipt> submit(const Submission& submission, const std::string& request);
  Result<Receipt> skip(const Skip& skip, const std::string& request);
  Result<Served> undo(const std::string& key, const std::string& request);

 private:
  struct Last {
    SlotRow slot;
    std::string action, body;
  };

  Result<SlotView> view_of(std::int64_t slot_id);
  Result<std::int64_t> last_revision(std::int64_t slot);
  Result<Receipt> append(const SlotRow& slot, std::int64_t revision, const std::string& key,
                         const std::string& request, const Entry& entry);
  Result<SlotRow> place_for(SlotRow slot, bool frozen, Entry& entry);
  Result<Receipt> append_and_settle(const SlotRow& slot, std::int64_t revision,
                                    const std::string& key, const std::string& request,
                                    const Entry& entry, std::string_view how);
  Result<void> release(const SlotRow& slot);
  Result<void> write_draft(std::int64_t slot, const std::string& body);
  Result<void> drop_draft(std::int64_t slot);
  Result<std::optional<Feedback>> feedback_for(const SlotRow& slot, const Json& answer,
                                               const Order& order, tasks::Kind kind);
  Result<std::optional<Last>> last_action();
  Result<Served> take_back(const Last& last, const std::string& key, const std::string& request);
  Result<void> run(std::string_view sql, const std::vector<Value>& values);

  Connection& connection_;
  const Study& study_;
  const StudyInfo& info_;
  std::int64_t annotator_, now_;
};

Result<void> Desk::run(std::string_view sql, const std::vector<Value>& values) {
  return connection_.post(sql, values);
}

// A slot that is or was the annotator's, of a study that takes answers.
Result<SlotView> Desk::view_of(std::int64_t slot_id) {
  PLUMB_TRY(view, view_slot(connection_, info_, slot_id, annotator_));
  if (view.frozen) return frozen_study(info_);
  return std::move(view);
}

Result<bool> Desk::renew(std::int64_t slot_id) {
  PLUMB_TRY(view, view_of(slot_id));
  const SlotRow& slot = view.slot;
  if (slot.annotator == annotator_) {
    auto longer = run("UPDATE slots SET lease_until_ms = ?2 WHERE id = ?1 AND state = 'leased'",
                      {slot.id, now_ + info_.lease_ms});
    if (!longer) return tl::unexpected(longer.error());
    return true;
  }
  PLUMB_TRY(other, other_slot(connection_, slot, annotator_));
  PLUMB_TRY(skipped, connection_.count("SELECT COUNT(*) FROM skipped WHERE item_id = ?1 AND "
                                       "annotator_id = ?2",
                                       {slot.item_id, annotator_}));
  if (slot.state != "open" || other || skipped > 0) return false;
  auto taken = lease(connection_, info_, slot.id, annotator_, now_);
  if (!taken) return tl::unexpected(taken.error());
  return true;
}

Result<void> Desk::write_draft(std::int64_t slot, const std::string& body) {
  return run(
      "INSERT INTO drafts(slot_id, annotator_id, body, updated_ms) VALUES(?1, ?2, ?3, ?4) "
      "ON CONFLICT(slot_id, annotator_id) DO UPDATE SET body = excluded.body, updated_ms = "
      "excluded.updated_ms",
      {slot, annotator_, body, now_});
}

Result<void> Desk::drop_draft(std::int64_t slot) {
  return run("DELETE FROM drafts WHERE slot_id = ?1 AND annotator_id = ?2", {slot, annotator_});
}

Result<bool> Desk::save_draft(std::int64_t slot_id, const std::string& body) {
  PLUMB_TRY(held, renew(slot_id));
  if (auto written = write_draft(slot_id, body); !written) return tl::unexpected(written.error());
  return held;
}

// What was done under the key before, if anything; kBadInput where that was something else.
Result<std::optional<Receipt>> done_before(const SlotView& view, const std::string& key,
                                           const std::string& request) {
  if (!view.known) return std::nullopt;
  if (view.known->request_sha256 == request) return view.known->receipt;
  return bad(fmt::format("the key \"{}\" was used for something else before", key));
}

Result<std::int64_t> Desk::last_revision(std::int64_t slot) {
  return connection_.count(
      "SELECT COALESCE(MAX(revision), 0) FROM answers WHERE slot_id = ?1 AND "
      "annotator_id = ?2",
      {slot, annotator_});
}

// revision: of the annotator's last action on the slot.
Result<Receipt> Desk::append(const SlotRow& slot, std::int64_t revision, const std::string& key,
                             const std::string& request, const Entry& entry) {
  const Timing& t = entry.timing;
  PLUMB_TRY(id, connection_.count(
                    "INSERT INTO answers(slot_id, annotator_id, revision, request_key, "
                    "request_sha256, action, body, flagged, comment, late, surplus, guideline, "
                    "presented, created_ms, shown_ms, first_input_ms, submitted_ms, active_ms, "
                    "idle_ms, blurs) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
                    "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) RETURNING id",
                    {slot.id,
                     annotator_,
                     revision + 1,
                     key,
                     request,
                     entry.action,
                     entry.body,
                     std::int64_t{entry.flagged},
                     entry.comment,
                     std::int64_t{entry.late},
                     std::int64_t{entry.surplus},
                     entry.guideline,
                     entry.presented,
                     now_,
                     or_null(t.shown_ms),
                     or_null(t.first_input_ms),
                     or_null(t.submitted_ms),
                     or_null(t.active_ms),
                     or_null(t.idle_ms),
                     or_null(t.blurs)}));
  return Receipt{
      .answer = id, .revision = revision + 1, .late = entry.late, .surplus = entry.surplus};
}

// Where an answer to `slot` counts: the slot itself where it is the annotator's or free, another
// slot of the item that the annotator has by now, or nowhere.
Result<SlotRow> Desk::place_for(SlotRow slot, bool frozen, Entry& entry) {
  if (slot.annotator == annotator_) {
    entry.late = frozen || (slot.state == "leased" && slot.lease_until_ms < now_);
    entry.surplus = frozen;
    return slot;
  }
  entry.late = true;
  PLUMB_TRY(other, other_slot(connection_, slot, annotator_));
  if (other && !frozen) return load_slot(connection_, info_, *other);
  entry.surplus = frozen || slot.state != "open";
  return slot;
}

// The answer, as the one that counts in its slot.
Result<Receipt> Desk::append_and_settle(const SlotRow& slot, std::int64_t revision,
                                        const std::string& key, const std::string& request,
                                        const Entry& entry, std::string_view how) {
  if (auto ended = end_lease(connection_, slot.id, how, now_); !ended) {
    return tl::unexpected(ended.error());
  }
  auto back = run("DELETE FROM skipped WHERE item_id = ?1 AND annotator_id = ?2",
                  {slot.item_id, annotator_});
  if (!back) return tl::unexpected(back.error());
  if (auto dropped = drop_draft(slot.id); !dropped) return tl::unexpected(dropped.error());
  PLUMB_TRY(receipt, append(slot, revision, key, request, entry));
  auto set =
      run("UPDATE slots SET state = 'submitted', annotator_id = ?2, lease_until_ms = NULL, "
          "answer_id = ?3 WHERE id = ?1",
          {slot.id, annotator_, receipt.answer});
  if (!set) return tl::unexpected(set.error());
  return std::move(receipt);
}

Result<std::optional<Feedback>> Desk::feedback_for(const SlotRow& slot, const Json& answer,
                                                   const Order& order, tasks::Kind kind) {
  if (slot.purpose != "training") return std::nullopt;
  PLUMB_TRY(row, connection_.first("SELECT gold FROM items WHERE id = ?1", {slot.item_id}));
  const Json gold = Json::parse(row->text(0), nullptr, false);
  return Feedback{shown_answer(kind, gold, order),
                  closeness(task_of(study_, slot.task_id).header, answer, gold)};
}

// A time below 0 is none: the clock of the page was set meanwhile. No answer is lost for that.
Timing measured(Timing timing) {
  for (auto* time : {&timing.shown_ms, &timing.first_input_ms, &timing.submitted_ms,
                     &timing.active_ms, &timing.idle_ms, &timing.blurs}) {
    if (time->value_or(0) < 0) time->reset();
  }
  return timing;
}

Result<Receipt> Desk::submit(const Submission& submission, const std::string& request) {
  PLUMB_TRY(asked, view_slot(connection_, info_, submission.slot, annotator_, submission.key));
  PLUMB_TRY(before, done_before(asked, submission.key, request));
  Entry entry{.action = "answer",
              .flagged = submission.flagged,
              .comment = submission.comment,
              .guideline = asked.guideline,
              .timing = measured(submission.timing)};
  const tasks::Task& header = task_of(study_, asked.slot.task_id).header;
  const Order order = order_of(study_, asked.slot, annotator_, asked.body);
  PLUMB_TRY(answer, checked_answer(header, asked.body,
                                   stored_answer(header.kind, submission.answer, order)));
  PLUMB_TRY(feedback, feedback_for(asked.slot, answer, order, header.kind));
  if (before) {
    before->feedback = feedback;
    return std::move(*before);
  }
  PLUMB_TRY(slot, place_for(asked.slot, asked.frozen, entry));
  const bool is_asked = slot.id == asked.slot.id;
  PLUMB_TRY(revision, is_asked ? Result<std::int64_t>(asked.revision) : last_revision(slot.id));
  if (submission.based_on && !entry.surplus && *submission.based_on != revision) {
    return fail(ErrorKind::kBusy,
                fmt::format("slot {} was answered elsewhere: it is at revision {}, this corrects "
                            "{}; load it again",
                            slot.id, revision, *submission.based_on));
  }
  entry.body = to_text(answer);
  entry.presented = order_text(order);
  PLUMB_TRY(receipt, entry.surplus ? append(slot, revision, submission.key, request, entry)
                                   : append_and_settle(slot, revision, submission.key, request,
                                                       entry, "submitted"));
  receipt.feedback = feedback;
  return std::move(receipt);
}

// Gives a skipped slot to the others.
Result<void> Desk::release(const SlotRow& slot) {
  auto ended = end_lease(connection_, slot.id, "skipped", now_);
  if (!ended) return ended;
  auto freed =
      run("UPDATE slots SET state = 'open', annotator_id = NULL, lease_until_ms = NULL, "
          "answer_id = NULL WHERE id = ?1",
          {slot.id});
  if (!freed) return freed;
  auto noted =
      run("INSERT INTO skipped(item_id, annotator_id) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
          {slot.item_id, annotator_});
  if (!noted) return noted;
  return drop_draft(slot.id);
}

Result<Receipt> Desk::skip(const Skip& skip, const std::string& request) {
  PLUMB_TRY(view, view_slot(connection_, info_, skip.slot, annotator_, skip.key));
  PLUMB_TRY(before, done_before(view, skip.key, request));
  if (before) return std::move(*before);
  if (view.frozen) return frozen_study(info_);
  const SlotRow& slot = view.slot;
  Entry entry{.action = "skip",
              .body = to_text(Json{{"reason", skip.reason}}),
              .comment = skip.comment,
              .guideline = view.guideline};
  if (slot.annotator != annotator_) entry.late = entry.surplus = true;
  if (!entry.surplus && slot.purpose != "main") {
    return append_and_settle(slot, view.revision, skip.key, request, entry, "skipped");
  }
  PLUMB_TRY(receipt, append(slot, view.revision, skip.key, request, entry));
  if (entry.surplus) return std::move(receipt);
  if (auto done = release(slot); !done) return tl::unexpected(done.error());
  return std::move(receipt);
}

// The latest of the last kUndoDepth answers and skips, one a slot, that was not taken back. They
// are read from the end, until there are enough.
Result<std::optional<Desk::Last>> Desk::last_action() {
  PLUMB_TRY(row,
            connection_.first(
                "WITH recent AS (SELECT slot_id, id AS last FROM answers WHERE annotator_id = ?1 "
                "AND action <> 'withdraw' AND origin = '' AND NOT EXISTS (SELECT 1 FROM answers "
                "AS later WHERE later.slot_id = answers.slot_id AND later.annotator_id = ?1 AND "
                "later.revision > answers.revision AND later.action <> 'withdraw' AND "
                "later.origin = '') ORDER BY id DESC LIMIT ?2) "
                "SELECT recent.slot_id, answers.action, answers.body FROM recent JOIN answers "
                "ON answers.id = recent.last JOIN slots ON slots.id = recent.slot_id WHERE "
                "slots.answer_id = answers.id OR (answers.action = 'skip' AND EXISTS (SELECT 1 "
                "FROM skipped WHERE skipped.item_id = slots.item_id AND skipped.annotator_id = "
                "?1)) ORDER BY recent.last DESC LIMIT 1",
                {annotator_, std::int64_t{kUndoDepth}}));
  if (!row) return std::nullopt;
  PLUMB_TRY(slot, load_slot(connection_, info_, row->integer(0)));
  return Last{std::move(slot), row->text(1), row->text(2)};
}

Result<Served> Desk::take_back(const Last& last, const std::string& key,
                               const std::string& request) {
  if (last.slot.state != "open" && last.slot.annotator != annotator_) {
    return fail(ErrorKind::kBusy, "the item that was skipped is with someone else by now");
  }
  PLUMB_TRY(view, view_slot(connection_, info_, last.slot.id, annotator_));
  const Entry entry{.action = "withdraw", .guideline = view.guideline};
  if (auto receipt = append(last.slot, view.revision, key, request, entry); !receipt) {
    return tl::unexpected(receipt.error());
  }
  auto back = run("DELETE FROM skipped WHERE item_id = ?1 AND annotator_id = ?2",
                  {last.slot.item_id, annotator_});
  if (!back) return tl::unexpected(back.error());
  if (auto leased = lease(connection_, info_, last.slot.id, annotator_, now_); !leased) {
    return tl::unexpected(leased.error());
  }
  if (last.action == "answer") {
    const Order order = order_of(study_, last.slot, annotator_, view.body);
    const Json shown = shown_answer(task_of(study_, last.slot.task_id).header.kind,
                                    Json::parse(last.body, nullptr, false), order);
    auto kept = write_draft(last.slot.id, to_text(shown));
    if (!kept) return tl::unexpected(kept.error());
  }
  PLUMB_TRY(now_held, view_slot(connection_, info_, last.slot.id, annotator_));
  return serve(study_, now_held, annotator_);
}

Result<Served> Desk::undo(const std::string& key, const std::string& request) {
  PLUMB_TRY(row, connection_.first("SELECT slot_id, request_sha256 FROM answers WHERE annotator_id "
                                   "= ?1 AND request_key = ?2",
                                   {annotator_, key}));
  if (row) {
    if (row->text(1) != request) {
      return bad(fmt::format("the key \"{}\" was used for something else before", key));
    }
    PLUMB_TRY(view, view_slot(connection_, info_, row->integer(0), annotator_));
    return serve(study_, view, annotator_);
  }
  if (auto open = check_not_frozen(connection_, info_); !open) return tl::unexpected(open.error());
  PLUMB_TRY(last, last_action());
  if (last) return take_back(*last, key, request);
  return fail(ErrorKind::kNotFound, fmt::format("there is nothing to undo (the last {} answers can "
                                                "be taken back, each once)",
                                                kUndoDepth));
}

// What makes two requests under one key the same.
std::string request_hash(const Json& parts) { return sha256(to_text(parts)); }

Result<void> check_texts(const std::string& key, const std::string& comment) {
  if (key.empty() || key.size() > kLongestKey || first_bad_utf8(key)) {
    return bad(fmt::format("a request needs a key of 1 to {} bytes", kLongestKey));
  }
  if (comment.size() > kLongestComment || first_bad_utf8(comment)) {
    return bad(fmt::format("a comment is a text of up to {} bytes", kLongestComment));
  }
  return {};
}

Result<std::string> bounded_text(const Json& answer) {
  std::string text = to_text(answer);
  if (text.size() <= kLongestAnswer) return text;
  return bad(fmt::format("an answer has up to {} bytes, this one {}", kLongestAnswer, text.size()));
}

}  // namespace

Result<Served> Study::show(std::int64_t annotator, std::int64_t slot) const {
  return store_->read<Served>([&](Connection& connection) -> Result<Served> {
    PLUMB_TRY(view, view_slot(connection, info_, slot, annotator));
    return serve(*this, view, annotator);
  });
}

Result<bool> Study::renew(std::int64_t annotator, std::int64_t slot) const {
  return store_->write<bool>([&](Connection& connection) -> Result<bool> {
    return Desk(connection, *this, annotator).renew(slot);
  });
}

Result<bool> Study::save_draft(std::int64_t annotator, const Draft& draft) const {
  PLUMB_TRY(text, bounded_text(draft.answer));
  return store_->write<bool>([&](Connection& connection) -> Result<bool> {
    return Desk(connection, *this, annotator).save_draft(draft.slot, text);
  });
}

Result<Receipt> Study::submit(std::int64_t annotator, const Submission& submission) const {
  if (auto fits = check_texts(submission.key, submission.comment); !fits) {
    return tl::unexpected(fits.error());
  }
  if (auto text = bounded_text(submission.answer); !text) return tl::unexpected(text.error());
  const std::string request = request_hash(
      {"answer", submission.slot, submission.answer, submission.flagged, submission.comment});
  return store_->write<Receipt>([&](Connection& connection) {
    return Desk(connection, *this, annotator).submit(submission, request);
  });
}

Result<Receipt> Study::skip(std::int64_t annotator, const Skip& skip) const {
  if (auto fits = check_texts(skip.key, skip.comment); !fits) return tl::unexpected(fits.error());
  if (std::ranges::find(kSkipReasons, skip.reason) == std::end(kSkipReasons)) {
    return bad(fmt::format("\"{}\" is no reason to skip; there are {}", skip.reason,
                           fmt::join(kSkipReasons, ", ")));
  }
  const std::string request = request_hash({"skip", skip.slot, skip.reason, skip.comment});
  return store_->write<Receipt>([&](Connection& connection) {
    return Desk(connection, *this, annotator).skip(skip, request);
  });
}

Result<Served> Study::undo(std::int64_t annotator, const std::string& key) const {
  if (auto fits = check_texts(key, ""); !fits) return tl::unexpected(fits.error());
  const std::string request = request_hash({"undo"});
  return store_->write<Served>([&](Connection& connection) {
    return Desk(connection, *this, annotator).undo(key, request);
  });
}

}  // namespace plumb::study
