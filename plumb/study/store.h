// A studio's database: one thread that writes with group commit, and readers that never wait for
// it.
//
// Who uses it: Study (study.h) and what exports, imports and measures studies. What write() returns
// is on the disk. Every read() sees one commit, whole.
//
//   PLUMB_TRY(store, Store::open("plumb.db", {.mode = Store::Mode::kWrite}));  // or open_postgres
//   auto names = store->read<std::vector<Row>>([](Connection& c) { return c.query("SELECT ...");
//   });
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/study/db/database.h"
#include "plumb/study/db/lock_file.h"
#include "plumb/study/db/postgres.h"
#include "plumb/study/db/sqlite.h"
#include "plumb/study/db/writer.h"

namespace plumb::study {

// Milliseconds since 1970, UTC.
using Clock = std::function<std::int64_t()>;
std::int64_t system_clock_ms();

// "2026-03-01T12:00:00.250Z"
std::string utc_text(std::int64_t ms);

class Store {
 public:
  enum class Mode {
    kRead,    // beside a program that writes; kNotFound where there is no file
    kWrite,   // of a file the only one that writes; kNotFound where there is no file
    kCreate,  // the same, and makes the file where there is none; of a server the tables
  };
  struct Options {
    Mode mode = Mode::kRead;
    Clock clock = system_clock_ms;
    SqliteOptions sqlite = {};
    PostgresOptions postgres = {};
  };

  // An SQLite file. kBusy: another program writes to it. kNotAllowed: it is newer than this
  // program.
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path,
                                             const Options& options);

  // A PostgreSQL database (db/postgres.h); several programs may write to one. kExhausted: the
  // server is away. kNotAllowed: it is newer than this program, lets nobody in, or may lose what it
  // says is saved.
  static Result<std::unique_ptr<Store>> open_postgres(const std::string& url,
                                                      const Options& options);

  // Any backend; `lock` keeps others out where the backend itself does not.
  static Result<std::unique_ptr<Store>> open(std::unique_ptr<Database> database,
                                             const Options& options,
                                             std::optional<LockFile> lock = std::nullopt);

  // Runs the job in a transaction, and returns once it is on the disk. An error takes back what the
  // job did. kNotAllowed: opened for reading.
  template <typename T>
  Result<T> write(const std::function<Result<T>(Connection&)>& job) {
    if (!writer_) return read_only();
    return writer_->run<T>(job);
  }
  Result<void> write(const Writer::Job& job);

  // Runs the job on one snapshot.
  template <typename T>
  Result<T> read(const std::function<Result<T>(Connection&)>& job) {
    std::optional<T> made;
    auto done = read_void([&](Connection& connection) -> Result<void> {
      PLUMB_TRY(value, job(connection));
      made = std::move(value);
      return {};
    });
    if (!done) return tl::unexpected(std::move(done.error()));
    return std::move(*made);
  }
  Result<void> read_void(const Writer::Job& job);

  std::int64_t now_ms() const { return clock_(); }

 private:
  Store(std::unique_ptr<Database> database, Clock clock, std::optional<LockFile> lock)
      : lock_(std::move(lock)), database_(std::move(database)), clock_(std::move(clock)) {}

  static tl::unexpected<Error> read_only();
  Result<std::unique_ptr<Connection>> reader();
  Result<void> await_turn();
  void give_back(std::unique_ptr<Connection> connection);

  std::optional<LockFile> lock_;  // released last
  std::unique_ptr<Database> database_;
  Clock clock_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> readers_;  // that nobody uses
  std::condition_variable given_back_;
  int reading_ = 0;  // connections in use
  std::unique_ptr<Writer> writer_;
};

}  // namespace plumb::study
