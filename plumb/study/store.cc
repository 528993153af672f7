#include "plumb/study/store.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "plumb/study/db/guarded.h"

namespace plumb::study {

std::int64_t system_clock_ms() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

std::string utc_text(std::int64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& path,
                                           const Options& options) {
  std::error_code ignored;
  if (options.mode != Mode::kCreate && !std::filesystem::exists(path, ignored)) {
    return fail(ErrorKind::kNotFound,
                fmt::format("{}: there is no such file; `plumb study new` makes one, --data names "
                            "another",
                            path.string()));
  }
  std::optional<LockFile> lock;
  if (options.mode != Mode::kRead) {
    PLUMB_TRY(held, LockFile::acquire(path));
    lock = std::move(held);
  }
  PLUMB_TRY(database, sqlite_database(path, options.sqlite));
  return open(std::move(database), options, std::move(lock));
}

Result<std::unique_ptr<Store>> Store::open_postgres(const std::string& url,
                                                    const Options& options) {
  PLUMB_TRY(database, postgres_database(url, options.postgres));
  return open(std::move(database), options);
}

Result<std::unique_ptr<Store>> Store::open(std::unique_ptr<Database> database,
                                           const Options& options, std::optional<LockFile> lock) {
  std::unique_ptr<Store> store(new Store(std::move(database), options.clock, std::move(lock)));
  if (options.mode == Mode::kRead) {
    PLUMB_TRY(reader, store->database_->connect(Database::Use::kRead));
    if (auto fits = store->database_->check_schema(*reader); !fits) {
      return tl::unexpected(fits.error());
    }
    store->readers_.push_back(std::move(reader));
    return store;
  }
  PLUMB_TRY(connection, store->database_->connect(Database::Use::kWrite));
  if (auto made = store->database_->prepare_schema(*connection); !made) {
    return tl::unexpected(made.error());
  }
  store->writer_ = std::make_unique<Writer>(std::move(connection));
  return store;
}

tl::unexpected<Error> Store::read_only() {
  return fail(ErrorKind::kNotAllowed, "the study was opened for reading only");
}

Result<void> Store::write(const Writer::Job& job) {
  if (!writer_) return read_only();
  return writer_->run(job);
}

// A database server has so many connections for all its clients.
Result<void> Store::await_turn() {
  constexpr int kMostReaders = 40;
  constexpr std::chrono::seconds kPatience{20};
  std::unique_lock lock(mutex_);
  const bool has_turn =
      given_back_.wait_for(lock, kPatience, [this] { return reading_ < kMostReaders; });
  if (!has_turn) return fail(ErrorKind::kExhausted, "too many read at once; try again");
  ++reading_;
  return {};
}

// nullptr: it is not to be used again.
void Store::give_back(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  if (connection) readers_.push_back(std::move(connection));
  --reading_;
  given_back_.notify_one();
}

Result<std::unique_ptr<Connection>> Store::reader() {
  {
    const std::lock_guard lock(mutex_);
    if (!readers_.empty()) {
      auto connection = std::move(readers_.back());
      readers_.pop_back();
      return connection;
    }
  }
  return database_->connect(Database::Use::kRead);
}

Result<void> Store::read_void(const Writer::Job& job) {
  if (auto turn = await_turn(); !turn) return turn;
  auto connection = reader();
  if (!connection) {
    give_back(nullptr);
    return tl::unexpected(std::move(connection.error()));
  }
  auto begun = (*connection)->begin();
  auto done = begun ? guarded_job(job, **connection, "reading") : begun;
  auto ended = begun ? (*connection)->leave() : begun;
  give_back(ended ? std::move(*connection) : nullptr);
  return done ? ended : done;
}

}  // namespace plumb::study
