#include "plumb/server/views.h"

#include <fmt/format.h>

#include "plumb/server/gap_so_far.h"
#include "plumb/study/measure.h"
#include "plumb/study/review/adjudication.h"
#include "plumb/study/review/status_json.h"

namespace plumb::server {
namespace {

using namespace std::chrono_literals;

// Changes whenever a view may be another. Of all studies: one change too many costs little.
Result<std::string> state_of(const study::Study& study) {
  return study.store().read<std::string>([&study](
                                             study::Connection& connection) -> Result<std::string> {
    std::string state;
    for (const char* newest :
         {"MAX(id) FROM answers", "MAX(id) FROM leases", "MAX(id) FROM decisions",
          "MAX(id) FROM model_sheets", "COUNT(*) FROM model_sheets", "MAX(id) FROM annotators",
          "MAX(version) FROM guidelines"}) {
      PLUMB_TRY(row, connection.first(fmt::format("SELECT {}", newest)));
      state += fmt::format("{} ", row->maybe_integer(0).value_or(0));
    }
    PLUMB_TRY(row, connection.first("SELECT state FROM studies WHERE id = ?1", {study.info().id}));
    return state + row->text(0);
  });
}

Result<Json> disputes_json(const study::Study& study) {
  PLUMB_TRY(list, study::disputes(study, {.most = 0}));
  return Json{{"open", list.open}, {"decided", list.decided}};
}

}  // namespace

Result<Json> compute_view(const study::Study& study) {
  PLUMB_TRY(status, study::study_status(study));
  const study::AgreementOptions sampling{.sampling = {.resamples = 200, .threads = 1}};
  Json view = {{"status", study::status_json(study, status, live_agreements(study, sampling))}};
  PLUMB_TRY(disputes, disputes_json(study));
  view["disputes"] = std::move(disputes);
  view["gap"] = Json::array();
  for (const study::StudyTask& task : study.tasks()) {
    auto gap = gap_so_far(study, task, {});
    view["gap"].push_back(
        gap ? std::move(*gap)
            : Json{{"task", task.header.name}, {"reason", std::move(gap.error().message)}});
  }
  return view;
}

Views::~Views() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
}

bool Views::may_compute(const Kept& kept) const {
  const auto cost = kept.done - kept.begun;
  return cost < 200ms || std::chrono::steady_clock::now() - kept.done > 10 * cost;
}

void Views::ask_for(const study::Study& study) {
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
    PLUMB_TRY(view, compute_view(study));
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
