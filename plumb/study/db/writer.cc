#include "plumb/study/db/writer.h"

#include <fmt/format.h>

#include <exception>

#include "plumb/study/db/guarded.h"

namespace plumb::study {
namespace {

constexpr int kTries = 4;  // of a group whose transaction met another

// In a savepoint, and done as a whole when it returns: its failure is nobody else's.
Result<void> saved(const Writer::Job& job, Connection& connection) {
  if (auto begun = connection.post("SAVEPOINT job"); !begun) return begun;
  if (auto done = job(connection); !done) return done;
  if (auto released = connection.post("RELEASE job"); !released) return released;
  return connection.settle();
}

}  // namespace

Result<void> guarded_job(const Writer::Job& job, Connection& connection, std::string_view doing) {
  try {
    return job(connection);
  } catch (const std::exception& error) {
    return fail(ErrorKind::kInternal, fmt::format("while {}: {}", doing, error.what()));
  }
}

Writer::Writer(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)), thread_([this] { work(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  arrived_.notify_all();
  thread_.join();
}

Result<void> Writer::run(const Job& job) {
  Waiting waiting{&job, {}, false};
  std::unique_lock lock(mutex_);
  queue_.push_back(&waiting);
  arrived_.notify_one();
  finished_.wait(lock, [&waiting] { return waiting.done; });
  return std::move(waiting.outcome);
}

void Writer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::deque<Waiting*> group;
    group.swap(queue_);
    lock.unlock();
    run_group(group);
    lock.lock();
    for (Waiting* waiting : group) waiting->done = true;
    finished_.notify_all();
  }
}

// Sets every outcome.
void Writer::run_group(const std::deque<Waiting*>& group) {
  Result<void> done;
  for (int tries = 0; tries < kTries; ++tries) {
    done = try_all(group);
    if (done) return;
    if (!connection_->may_try_again()) break;
  }
  for (Waiting* waiting : group) {
    if (waiting->outcome) waiting->outcome = tl::unexpected(done.error());
  }
}

// Leaves no transaction open.
Result<void> Writer::try_all(const std::deque<Waiting*>& group) {
  auto done = run_all(group);
  if (!done && connection_->in_transaction()) static_cast<void>(connection_->script("ROLLBACK"));
  return done;
}

// One that is alone in its group needs no savepoint: what it did goes with the transaction.
Result<void> Writer::run_all(const std::deque<Waiting*>& group) {
  if (auto begun = connection_->begin(); !begun) return begun;
  if (group.size() == 1) {
    if (auto run = run_one(*group.front(), *group.front()->job); !run) return run;
    return group.front()->outcome ? connection_->script("COMMIT") : group.front()->outcome;
  }
  for (Waiting* waiting : group) {
    const Job between = [&waiting](Connection& connection) {
      return saved(*waiting->job, connection);
    };
    if (auto run = run_one(*waiting, between); !run) return run;
    if (waiting->outcome) continue;
    // What the job posted may fail as well: with the way back behind it, that would be left out.
    if (auto settled = connection_->settle(); !settled && connection_->may_try_again()) {
      return settled;
    }
    if (auto back = connection_->post("ROLLBACK TO job"); !back) return back;
  }
  return connection_->script("COMMIT");
}

// An error only where the group cannot go on.
Result<void> Writer::run_one(Waiting& waiting, const Job& job) {
  waiting.outcome = guarded_job(job, *connection_, "writing");
  if (!waiting.outcome && connection_->may_try_again()) return waiting.outcome;
  if (connection_->in_transaction()) return {};
  if (!waiting.outcome) return waiting.outcome;
  return fail(ErrorKind::kInternal, "a job ended the transaction of its group");
}

}  // namespace plumb::study
