#include "plumb/study/db/postgres.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "plumb/study/db/postgres_connection.h"
#include "plumb/study/db/postgres_schema.h"
#include "plumb/study/db/schema.h"

namespace plumb::study {
namespace {

constexpr int kOldestServer = 130000;  // PostgreSQL 13

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

// The parts of the URL that are no secret. libpq's own words are left out: they repeat the URL.
Result<std::map<std::string, std::string>> parts_of(const std::string& url) {
  char* words = nullptr;
  const bool is_url = url.starts_with("postgresql://") || url.starts_with("postgres://");
  const Options options(is_url ? PQconninfoParse(url.c_str(), &words) : nullptr);
  if (words != nullptr) PQfreemem(words);
  if (!options) {
    return fail(ErrorKind::kUsage,
                "--database takes postgresql://USER@HOST:PORT/NAME, with %xx for what is special "
                "in a part and ?key=value for options of libpq; this is no such URL");
  }
  std::map<std::string, std::string> parts;
  for (const PQconninfoOption* one = options.get(); one->keyword != nullptr; ++one) {
    if (one->val != nullptr) parts[one->keyword] = one->val;
  }
  return parts;
}

// What a connection is told and asked once. The settings of one that reads are few: it has nothing
// to lose.
constexpr const char* kForAll =
    "SET client_encoding = 'UTF8'; SET jit = off; SET client_min_messages = error; ";
constexpr const char* kForWriters =
    "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; ";
constexpr const char* kForReaders = "SET default_transaction_read_only = on; ";

// Each transaction that writes waits for those of all programs before it; one lock a schema.
std::vector<std::string> writers_begin() {
  return {
      "BEGIN ISOLATION LEVEL READ COMMITTED",
      fmt::format("SELECT pg_advisory_xact_lock({}, hashtext(current_schema()))", kApplicationId)};
}
std::vector<std::string> readers_begin() {
  return {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
}

struct Setting {
  const char* name;
  std::string_view wanted, or_this;
  const char* otherwise;
};

constexpr std::array<Setting, 2> kDurable = {{
    {"fsync", "on", "on", "the server runs with fsync = off: a power cut would lose answers"},
    {"synchronous_commit", "on", "remote_apply",
     "the server does not take synchronous_commit = on: a crash would lose answers"},
}};

class PostgresDatabase : public Database {
 public:
  PostgresDatabase(std::string url, std::string name, PostgresOptions options)
      : url_(std::move(url)), name_(std::move(name)), options_(options) {}

  Result<std::unique_ptr<Connection>> connect(Use use) override {
    const bool writes = use == Use::kWrite;
    const auto open = [url = url_, name = name_, options = options_, writes] {
      return opened(url, name, options, writes);
    };
    PLUMB_TRY(handle, open());
    return std::make_unique<PostgresConnection>(
        PostgresConnection::Options{.name = name_,
                                    .begin = writes ? writers_begin() : readers_begin(),
                                    .waits_for_turn = writes,
                                    .open = open,
                                    .exchanges = options_.exchanges},
        std::move(handle));
  }

  Result<void> prepare_schema(Connection& writer) override {
    PLUMB_TRY(before, version_of(writer));
    if (before == newest()) return {};
    if (auto begun = writer.begin(); !begun) return begun;
    auto made = make_schema(writer);
    if (!made) static_cast<void>(writer.script("ROLLBACK"));
    return made ? writer.script("COMMIT") : made;
  }

  Result<void> check_schema(Connection& reader) override {
    PLUMB_TRY(version, version_of(reader));
    if (version == newest()) return {};
    if (version == 0) return fail(ErrorKind::kNotFound, name_ + ": there is no study in it");
    return fail(ErrorKind::kNotAllowed,
                name_ + ": made by an older plumb; a verb that writes brings it up to date");
  }

 private:
  static std::int64_t newest() { return static_cast<std::int64_t>(sqlite_schema_steps().size()); }

  static Result<PostgresHandle> opened(const std::string& url, const std::string& name,
                                       const PostgresOptions& options, bool writes) {
    // What stands before dbname gives way to the URL.
    constexpr std::array<const char*, 7> kKeys = {"application_name",
                                                  "connect_timeout",
                                                  "keepalives_idle",
                                                  "tcp_user_timeout",
                                                  "dbname",
                                                  "client_encoding",
                                                  nullptr};
    const std::array<const char*, 7> values = {"plumb",     "5",    "30",   "20000",
                                               url.c_str(), "UTF8", nullptr};
    PostgresHandle handle(PQconnectdbParams(kKeys.data(), values.data(), 1));
    if (PQstatus(handle.get()) != CONNECTION_OK) {
      return tl::unexpected(connection_error(name, handle.get()));
    }
    PQsetNoticeProcessor(
        handle.get(), [](void*, const char*) {}, nullptr);
    auto set = set_up(handle.get(), name, options, writes);
    if (!set) return tl::unexpected(std::move(set.error()));
    return handle;
  }

  // All in one exchange: settings, then what they are.
  static Result<void> set_up(PGconn* handle, const std::string& name,
                             const PostgresOptions& options, bool writes) {
    std::string sql = fmt::format("{}{}", kForAll, writes ? kForWriters : kForReaders);
    if (writes && options.weak_durability) sql += "SET synchronous_commit = off; ";
    if (writes && !options.weak_durability) {
      sql +=
          "SELECT set_config('synchronous_commit', 'on', false) WHERE "
          "current_setting('synchronous_commit') <> 'remote_apply'; ";
    }
    sql +=
        "SELECT current_setting('fsync'), current_setting('synchronous_commit'), "
        "current_setting('server_encoding'), pg_is_in_recovery(), current_schema()";
    const PostgresResult result(PQexec(handle, sql.c_str()));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
      return tl::unexpected(connection_error(name, handle));
    }
    return check(handle, result.get(), name, writes && !options.weak_durability);
  }

  static Result<void> check(PGconn* handle, const PGresult* settings, const std::string& name,
                            bool durable) {
    const auto refused = [&name](std::string_view why) {
      return fail(ErrorKind::kNotAllowed, fmt::format("{}: {}", name, why));
    };
    const auto setting = [settings](int column) {
      return std::string_view(PQgetvalue(settings, 0, column));
    };
    if (PQserverVersion(handle) < kOldestServer) {
      return refused("the server is older than PostgreSQL 13, the oldest that plumb works with");
    }
    if (setting(2) != "UTF8") {
      return refused("its texts are not in UTF-8; make it with `createdb --encoding UTF8`");
    }
    if (PQgetisnull(settings, 0, 4) != 0) {
      return refused("the schema that search_path names is not there; CREATE SCHEMA makes one");
    }
    for (std::size_t i = 0; durable && i < kDurable.size(); ++i) {
      const std::string_view is = setting(static_cast<int>(i));
      if (is != kDurable[i].wanted && is != kDurable[i].or_this)
        return refused(kDurable[i].otherwise);
    }
    if (durable && setting(3) == "t") {
      return refused("the server is a standby, which takes no answers; name the primary");
    }
    return {};
  }

  // Of the schema; 0: there are no tables.
  Result<std::int64_t> version_of(Connection& connection) const {
    PLUMB_TRY(tables, connection.first(
                          "SELECT COUNT(*), COUNT(*) FILTER (WHERE relname = 'plumb_schema') FROM "
                          "pg_class WHERE relkind IN ('r', 'p') AND relnamespace = "
                          "current_schema()::regnamespace"));
    if (tables->integer(0) == 0) return 0;
    if (tables->integer(1) == 0) {
      return fail(ErrorKind::kBadInput,
                  name_ +
                      ": holds tables of something else; give the studio a database of its "
                      "own (`createdb`), or a schema by ?options=-csearch_path%3DNAME");
    }
    PLUMB_TRY(version, connection.count("SELECT version FROM plumb_schema"));
    if (version <= newest()) return version;
    return fail(ErrorKind::kNotAllowed,
                fmt::format("{}: written by a newer plumb (version {} of the schema, this program "
                            "knows {}); use that one",
                            name_, version, newest()));
  }

  // Another program may have made it meanwhile.
  Result<void> make_schema(Connection& writer) const {
    PLUMB_TRY(version, version_of(writer));
    const auto steps = postgres_schema_steps();
    std::string sql;
    if (version == 0) {
      sql =
          "CREATE TABLE plumb_schema(one BIGINT PRIMARY KEY CHECK(one = 1), version BIGINT NOT "
          "NULL); INSERT INTO plumb_schema VALUES(1, 0);\n";
    }
    for (auto i = static_cast<std::size_t>(version); i < steps.size(); ++i) sql += steps[i];
    sql += fmt::format("UPDATE plumb_schema SET version = {}", steps.size());
    return writer.script(sql);
  }

  std::string url_, name_;
  PostgresOptions options_;
};

}  // namespace

Result<std::string> postgres_name(const std::string& url) {
  PLUMB_TRY(parts, parts_of(url));
  std::string name = "postgresql://";
  if (!parts["user"].empty()) name += parts["user"] + "@";
  name += parts["host"];
  if (!parts["port"].empty()) name += ":" + parts["port"];
  return name + "/" + parts["dbname"];
}

Result<std::unique_ptr<Database>> postgres_database(const std::string& url,
                                                    const PostgresOptions& options) {
  PLUMB_TRY(name, postgres_name(url));
  return std::make_unique<PostgresDatabase>(url, std::move(name), options);
}

}  // namespace plumb::study
