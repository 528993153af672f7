// The backend for teams: a PostgreSQL database, which several servers may serve at once.
//
// A commit returns once PostgreSQL has its bytes on the disk: synchronous_commit and fsync are
// asserted when a connection that writes opens. Where SQLite has one program that writes, here each
// transaction that writes takes an advisory lock first, so that those of all programs follow one
// another, each seeing all that came before; the constraints of the schema hold whoever writes. A
// connection that is lost comes back with the next transaction.
//
//   PLUMB_TRY(database, postgres_database("postgresql://team@db.example.org/annotation"));
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "plumb/base/result.h"
#include "plumb/study/db/database.h"

namespace plumb::study {

struct PostgresOptions {
  bool weak_durability = false;  // synchronous_commit off: the control that tests of crashes need
  std::atomic<std::int64_t>* exchanges = nullptr;  // counts round trips to the server, for tests
};

// url: postgresql://[user@]host[:port]/name[?options], all that libpq takes, its environment and
// ~/.pgpass included. Connects to nothing yet. kUsage: it is no such URL. No message repeats a
// password.
Result<std::unique_ptr<Database>> postgres_database(const std::string& url,
                                                    const PostgresOptions& options = {});

// The URL without what is secret in it, for messages. kUsage as above.
Result<std::string> postgres_name(const std::string& url);

}  // namespace plumb::study
