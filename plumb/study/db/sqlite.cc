#include "plumb/study/db/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statfs.h>

#include <array>
#include <map>
#include <type_traits>

#include "plumb/base/files.h"
#include "plumb/study/db/schema.h"

namespace plumb::study {
namespace {

constexpr int kBusyMilliseconds = 5000;

ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorKind::kExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::kBusy;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_IOERR:
      return ErrorKind::kBadInput;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return ErrorKind::kNotAllowed;
    default:
      return ErrorKind::kInternal;
  }
}

std::string advice(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "; the disk is full: nothing of this was saved, all that was acknowledged before is; "
             "make room and send it again";
    case SQLITE_BUSY:
      return "; another program holds it";
    case SQLITE_NOTADB:
      return "; is it a file that `plumb study new` made?";
    case SQLITE_CORRUPT:
      return "; copy the file away before anything else is done with it";
    case SQLITE_IOERR:
      return "; the disk failed: what was not acknowledged may be lost";
    default:
      return "";
  }
}

Error error_of(const std::string& path, sqlite3* handle, int code) {
  const char* words = handle != nullptr && sqlite3_errcode(handle) != SQLITE_OK
                          ? sqlite3_errmsg(handle)
                          : sqlite3_errstr(code);
  return {kind_of(code), fmt::format("{}: {}{}", path, words, advice(code))};
}

struct CloseHandle {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, CloseHandle>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// A statement in use; ready for the next use when it goes.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  sqlite3_stmt* statement_;
};

// Texts are bound without a copy: they outlive the statement's run.
int bind(sqlite3_stmt* statement, int place, const Value& value) {
  return std::visit(
      [&](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::int64_t>) {
          return sqlite3_bind_int64(statement, place, held);
        } else if constexpr (std::is_same_v<Held, double>) {
          return sqlite3_bind_double(statement, place, held);
        } else if constexpr (std::is_same_v<Held, std::string>) {
          return sqlite3_bind_text64(statement, place, held.data(), held.size(), SQLITE_STATIC,
                                     SQLITE_UTF8);
        } else {
          return sqlite3_bind_null(statement, place);
        }
      },
      value);
}

Value value_at(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return {};
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    default:
      break;
  }
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  return bytes == nullptr ? Value(std::string()) : Value(std::string(bytes, length));
}

Row row_of(sqlite3_stmt* statement) {
  std::vector<Value> values;
  const int columns = sqlite3_column_count(statement);
  values.reserve(static_cast<std::size_t>(columns));
  for (int c = 0; c < columns; ++c) values.push_back(value_at(statement, c));
  return Row(std::move(values));
}

class SqliteConnection : public Connection {
 public:
  SqliteConnection(std::string path, Handle handle, bool writes)
      : path_(std::move(path)), handle_(std::move(handle)), writes_(writes) {}

  Result<void> each(std::string_view sql, const std::vector<Value>& values,
                    const EachRow& row) override {
    PLUMB_TRY(statement, prepared(sql));
    const Use use(statement);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int code = bind(statement, static_cast<int>(i) + 1, values[i]);
      if (code != SQLITE_OK) return error(code);
    }
    while (true) {
      const int code = sqlite3_step(statement);
      if (code == SQLITE_DONE) return {};
      if (code != SQLITE_ROW) return error(sqlite3_extended_errcode(handle_.get()));
      if (auto taken = row(row_of(statement)); !taken) return taken;
    }
  }

  Result<void> script(const std::string& sql) override {
    const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return error(code);
    return {};
  }

  Result<void> begin() override { return script(writes_ ? "BEGIN IMMEDIATE" : "BEGIN"); }

  bool in_transaction() const override { return sqlite3_get_autocommit(handle_.get()) == 0; }

  std::int64_t changed() const override { return sqlite3_changes64(handle_.get()); }

 private:
  tl::unexpected<Error> error(int code) const {
    return tl::unexpected(error_of(path_, handle_.get(), code));
  }

  Result<sqlite3_stmt*> prepared(std::string_view sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end() && sqlite3_stmt_busy(found->second.get()) == 0) {
      return found->second.get();
    }
    sqlite3_stmt* made = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    Statement statement(made);
    if (code != SQLITE_OK) return error(code);
    if (found == statements_.end()) {
      return statements_.emplace(std::string(sql), std::move(statement)).first->second.get();
    }
    nested_.push_back(std::move(statement));  // the same statement, while it runs
    return nested_.back().get();
  }

  std::string path_;
  Handle handle_;
  bool writes_;
  std::map<std::string, Statement, std::less<>> statements_;
  std::vector<Statement> nested_;
};

// Settings that must hold, and what they must read back as.
struct Setting {
  const char* name;
  const char* value;
  std::int64_t wanted;
};

constexpr std::array<Setting, 3> kSettings = {
    {{"foreign_keys", "ON", 1}, {"trusted_schema", "OFF", 0}, {"cell_size_check", "ON", 1}}};

Result<void> set(Connection& connection, const Setting& setting) {
  auto done = connection.script(fmt::format("PRAGMA {} = {}", setting.name, setting.value));
  if (!done) return done;
  PLUMB_TRY(is, connection.count(fmt::format("PRAGMA {}", setting.name)));
  if (is == setting.wanted) return {};
  return fail(ErrorKind::kInternal,
              fmt::format("SQLite does not take {} = {}", setting.name, setting.value));
}

Result<void> set_up_writer(Connection& connection, const SqliteOptions& options) {
  PLUMB_TRY(mode, connection.first("PRAGMA journal_mode = WAL"));
  if (mode->text(0) != "wal") {
    return fail(ErrorKind::kNotAllowed,
                fmt::format("SQLite cannot keep a write-ahead log here (it says \"{}\"); put the "
                            "file on a local disk",
                            mode->text(0)));
  }
  const std::string pages = fmt::format("{}", options.checkpoint_pages);
  auto done = set(connection, {"wal_autocheckpoint", pages.c_str(), options.checkpoint_pages});
  if (!done) return done;
  return set(connection, options.weak_durability ? Setting{"synchronous", "NORMAL", 1}
                                                 : Setting{"synchronous", "FULL", 2});
}

// Magic numbers of statfs(2).
bool is_network_file_system(long type) {
  return type == 0x6969 || type == 0x517b || type == 0xff534d42L || type == 0xfe534d42L;
}

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(std::string path, SqliteOptions options)
      : path_(std::move(path)), options_(std::move(options)) {}

  Result<std::unique_ptr<Connection>> connect(Use use) override {
    const bool writes = use == Use::kWrite;
    sqlite3* opened = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (writes ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(path_.c_str(), &opened, flags,
                                     options_.vfs.empty() ? nullptr : options_.vfs.c_str());
    Handle handle(opened);
    if (code != SQLITE_OK) return tl::unexpected(error_of(path_, opened, code));
    sqlite3_busy_timeout(opened, kBusyMilliseconds);
    auto connection = std::make_unique<SqliteConnection>(path_, std::move(handle), writes);
    for (const Setting& setting : kSettings) {
      if (auto done = set(*connection, setting); !done) return tl::unexpected(done.error());
    }
    auto done =
        writes ? set_up_writer(*connection, options_) : set(*connection, {"query_only", "ON", 1});
    if (!done) return tl::unexpected(done.error());
    return connection;
  }

  Result<void> prepare_schema(Connection& writer) override {
    PLUMB_TRY(version, version_of(writer));
    const auto steps = sqlite_schema_steps();
    if (version == static_cast<std::int64_t>(steps.size())) return {};
    std::string sql = "BEGIN IMMEDIATE;";
    for (const char* step : steps.subspan(static_cast<std::size_t>(version))) sql += step;
    sql += fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
                       kApplicationId, steps.size());
    auto made = writer.script(sql);
    if (!made && writer.in_transaction()) static_cast<void>(writer.script("ROLLBACK"));
    return made;
  }

  Result<void> check_schema(Connection& reader) override {
    PLUMB_TRY(version, version_of(reader));
    if (version == static_cast<std::int64_t>(sqlite_schema_steps().size())) return {};
    if (version == 0) return fail(ErrorKind::kNotFound, path_ + ": there is no study in it");
    return fail(ErrorKind::kNotAllowed,
                path_ + ": made by an older plumb; a verb that writes brings it up to date");
  }

 private:
  // Of the schema; 0: the file is empty.
  Result<std::int64_t> version_of(Connection& connection) const {
    PLUMB_TRY(application, connection.count("PRAGMA application_id"));
    PLUMB_TRY(version, connection.count("PRAGMA user_version"));
    PLUMB_TRY(tables, connection.count("SELECT COUNT(*) FROM sqlite_master"));
    if (application == 0 && version == 0 && tables == 0) return 0;
    if (application != kApplicationId) {
      return fail(ErrorKind::kBadInput,
                  path_ + ": a database, but not a studio's; name another file by --data");
    }
    if (version > static_cast<std::int64_t>(sqlite_schema_steps().size())) {
      return fail(
          ErrorKind::kNotAllowed,
          fmt::format("{}: written by a newer plumb (version {} of the schema, this program "
                      "knows {}); use that one",
                      path_, version, sqlite_schema_steps().size()));
    }
    return version;
  }

  std::string path_;
  SqliteOptions options_;
};

}  // namespace

Result<std::unique_ptr<Database>> sqlite_database(const std::filesystem::path& path,
                                                  const SqliteOptions& options) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  struct statfs system {};
  if (::statfs(folder.c_str(), &system) != 0) {
    return tl::unexpected(file_error("open the folder of the study", folder, errno));
  }
  if (is_network_file_system(static_cast<long>(system.f_type))) {
    return fail(ErrorKind::kNotAllowed,
                fmt::format("{}: lies on a network file system, whose locks do not protect a "
                            "database; put it on a local disk",
                            path.string()));
  }
  return std::make_unique<SqliteDatabase>(path.string(), options);
}

}  // namespace plumb::study
