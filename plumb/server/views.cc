#include "plumb/server/views.h"

#include <fmt/format.h>

#include "plumb/server/gap_so_far.h"
#include "plumb/study/measure.h"
#include "plumb/study/review/adjudication.h"
#include "plumb/study/review/status_json.h"

namespace plumb::server {
namespace {

using namespace std::chrono_literals;

// Changes whenever a view may be another. Of all studies: one change too many costs little. A sheet
// that replaces another may get its id.
Result<std::string> state_of(const study::Study& study) {
  return study.store().read<std::string>(
      [&study](study::Connection& connection) -> Result<std::string> {
        constexpr std::size_t kNumbers = 8;
        PLUMB_TRY(row, connection.first(
                           "SELECT (SELECT MAX(id) FROM answers), (SELECT MAX(id) FROM leases), "
                           "(SELECT MAX(id) FROM decisions), (SELECT MAX(id) FROM model_sheets), "
                           "(SELECT COUNT(*) FROM model_sheets), (SELECT SUM(attached_ms) FROM "
                           "model_sheets), (SELECT MAX(id) FROM annotators), (SELECT MAX(version) "
                           "FROM guidelines), state FROM studies WHERE id = ?1",
                           {study.info().id}));
        std::string state;
        for (std::size_t i = 0; i < kNumbers; ++i) {
          state += fmt::format("{} ", row->maybe_integer(i).value_or(0));
        }
        return state + row->text(kNumbers);
      });
}

Result<Json> disputes_json(const study::Study& study) {
  PLUMB_TRY(list, study::disputes(study, {.most = 0}));
  return Json{{"open", list.open}, {"decided", list.decided}};
}

}  // namespace

Result<Json> compute_view(const study::Study& study, const MayGoOn& may_go_on) {
  PLUMB_TRY(status, study::study_status(study));
  const study::AgreementOptions sampling{.sampling = {.resamples = 200, .threads = 1}};
  study::Agreements agreements;
  for (const study::StudyTask& task : study.tasks()) {
    if (auto go = may_go_on(); !go) return tl::unexpected(go.error());
    agreements.push_back(live_agreement(study, task, sampling));
  }
  Json view = {{"status", study::status_json(study, status, agreements)}};
  if (auto go = may_go_on(); !go) return tl::unexpected(go.error());
  PLUMB_TRY(disputes, disputes_json(study));
  view["disputes"] = std::move(disputes);
  view["gap"] = Json::array();
  for (const study::StudyTask& task : study.tasks()) {
    if (auto go = may_go_on(); !go) return tl::unexpected(go.error());
    auto gap = gap_so_far(study, task, {});
    view["gap"].push_back(
        gap ? std::move(*gap)
            : Json{{"task", task.header.name}, {"reason", std::move(gap.error().message)}});
  }
  return view;
}

Views::~Views() {
  stop();
  if (worker_.joinable()) worker_.join();
}

void Views::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    wanted_.clear();
  }
  changed_.notify_all();
}

bool Views::ends_by(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [this] { return running_.empty(); });
}

Result<void> Views::may_go_on() {
  const std::lock_guard lock(mutex_);
  if (!ending_) return {};
  return fail(ErrorKind::kBusy, "the server is stopping");
}

bool Views::may_compute(const Kept& kept) const {
  const auto cost = kept.done - kept.begun;
  return cost < 200ms || std::chrono::steady_clock::now() - kept.done > 10 * cost;
}

void Views::ask_for(const study::Study& study) {
  if (ending_) return;
  wanted_[study.info().id] = study.info().name;
  if (!worker_.joinable()) worker_ = std::thread([this] { work(); });
  changed_.notify_all();
}

Result<Json> Views::of(const study::Study& study, std::chrono::milliseconds patience) {
  PLUMB_TRY(state, state_of(study));
  const std::int64_t id = study.info().id;
  std::unique_lock lock(mutex_);
  Kept& kept = kept_[id];
  if (kept.state != state && !running_.contains(id) && may_compute(kept)) ask_for(study);
  const auto settled = [&, &now = state] {
    return kept.state == now || (!wanted_.contains(id) && !running_.contains(id));
  };
  changed_.wait_for(lock, patience, settled);
  if (!kept.failure.empty()) return fail(ErrorKind::kInternal, kept.failure);
  Json view = {{"schema", "plumb.study-view/1"},
               {"current", kept.state == state},
               {"computing", wanted_.contains(id) || running_.contains(id)}};
  view.update(kept.view);
  return view;
}

void Views::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !wanted_.empty(); });
    if (ending_) return;
    const auto [id, name] = *wanted_.begin();
    wanted_.erase(wanted_.begin());
    running_.insert(id);
    lock.unlock();
    compute(name, id);
    lock.lock();
    running_.erase(id);
    changed_.notify_all();
  }
}

void Views::compute(const std::string& name, std::int64_t id) {
  Kept made;
  made.begun = std::chrono::steady_clock::now();
  const auto run = [&]() -> Result<void> {
    PLUMB_TRY(study, study::Study::open(store_, name));
    PLUMB_TRY(state, state_of(study));
    const std::string as_of = study::utc_text(store_.now_ms());
    PLUMB_TRY(view, compute_view(study, [this] { return may_go_on(); }));
    made.state = state;
    made.view = {{"as_of", as_of}};
    made.view.update(view);
    return {};
  };
  try {
    if (auto done = run(); !done) made.failure = done.error().message;
  } catch (const std::exception& error) {
    made.failure = error.what();
  }
  made.done = std::chrono::steady_clock::now();
  made.view["seconds"] = std::chrono::duration<double>(made.done - made.begun).count();
  const std::lock_guard lock(mutex_);
  kept_[id] = std::move(made);
}

}  // namespace plumb::server
