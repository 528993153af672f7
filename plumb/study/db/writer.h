// The one thread that writes, with group commit.
//
// Jobs queue up; the thread runs all that wait in one transaction and commits it once, so that many
// annotators share one wait for the disk. run() returns when the commit is on the disk, never
// earlier: an answer is acknowledged after it cannot be lost any more.
//
//   Result<Receipt> receipt = writer.run<Receipt>([&](Connection& c) { return insert(c, answer);
//   });
//
// A job that fails is rolled back alone; a commit that fails fails every job of its group, and the
// thread goes on with the next. A group whose transaction met that of another program, or lost its
// connection before it was committed, is run again: a job changes nothing but the database.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "plumb/base/result.h"
#include "plumb/study/db/database.h"

namespace plumb::study {

class Writer {
 public:
  using Job = std::function<Result<void>(Connection&)>;

  explicit Writer(std::unique_ptr<Connection> connection);
  ~Writer();  // finishes what waits
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // From any thread but the writer's own. The job may not keep what it is given.
  Result<void> run(const Job& job);

  template <typename T>
  Result<T> run(const std::function<Result<T>(Connection&)>& job) {
    std::optional<T> made;
    auto done = run([&](Connection& connection) -> Result<void> {
      PLUMB_TRY(value, job(connection));
      made = std::move(value);
      return {};
    });
    if (!done) return tl::unexpected(std::move(done.error()));
    return std::move(*made);
  }

 private:
  struct Waiting {
    const Job* job;
    Result<void> outcome;
    bool done = false;
  };

  void work();
  void run_group(const std::deque<Waiting*>& group);
  Result<void> try_all(const std::deque<Waiting*>& group);
  Result<void> run_all(const std::deque<Waiting*>& group);
  Result<void> run_one(Waiting& waiting, const Job& job);

  std::unique_ptr<Connection> connection_;
  std::mutex mutex_;
  std::condition_variable arrived_, finished_;
  std::deque<Waiting*> queue_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace plumb::study
