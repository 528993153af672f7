// The seam between the studio and its database: connections that run SQL.
//
// Everything above speaks SQL that SQLite and PostgreSQL both understand (`?1` stands for the first
// value, ON CONFLICT, RETURNING); what differs, how a connection is opened, the schema's own words
// and what a commit means, is behind Database. A backend is one class, and passes every test that
// runs over testing::backends().
//
//   PLUMB_TRY(rows, connection.query("SELECT name FROM studies WHERE id = ?1", {id}));
//   for (const Row& row : rows) use(row.text(0));
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "plumb/base/result.h"

namespace plumb::study {

// NULL, a whole number, a number, a text.
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;

// NULL for nothing.
template <typename T>
Value or_null(const std::optional<T>& value) {
  return value ? Value(*value) : Value();
}

// What one row of a result holds. Asking for another type than the query selects is a bug.
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}

  bool is_null(std::size_t column) const {
    return std::holds_alternative<std::monostate>(values_[column]);
  }
  std::int64_t integer(std::size_t column) const { return std::get<std::int64_t>(values_[column]); }
  const std::string& text(std::size_t column) const {
    return std::get<std::string>(values_[column]);
  }
  double number(std::size_t column) const {
    const auto* whole = std::get_if<std::int64_t>(&values_[column]);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(values_[column]);
  }
  std::optional<std::int64_t> maybe_integer(std::size_t column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
  }
  std::optional<std::string> maybe_text(std::size_t column) const {
    return is_null(column) ? std::nullopt : std::optional(text(column));
  }

 private:
  std::vector<Value> values_;
};

class Connection {
 public:
  using EachRow = std::function<Result<void>(const Row&)>;

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  // Runs one statement; `row` is called for each row of its result, in constant memory, and ends
  // the statement by an error. kExhausted: disk or memory is full, or the server is away. kBusy:
  // someone else holds the database. kBadInput: the file is no database or damaged. kNotAllowed: it
  // may not be written. kInternal: the rest, a constraint of the schema among it.
  virtual Result<void> each(std::string_view sql, const std::vector<Value>& values,
                            const EachRow& row) = 0;

  // Runs one statement whose result nobody asks for. A database behind a connection may be sent it
  // with the next statement: its error is then that of a later call, of settle() at the latest.
  virtual Result<void> post(std::string_view sql, const std::vector<Value>& values = {});
  // Waits until everything that was posted is done.
  virtual Result<void> settle() { return {}; }

  // Several statements without values: schemas, SAVEPOINT, COMMIT.
  virtual Result<void> script(const std::string& sql) = 0;

  // Starts a transaction: one that will write, of a connection that does. May be posted.
  virtual Result<void> begin() = 0;

  // Ends a transaction that only read, without waiting for that.
  virtual Result<void> leave() { return script("ROLLBACK"); }

  // Whether a transaction is open; a database may end one by itself where it cannot go on.
  virtual bool in_transaction() const = 0;

  // Whether the transaction that just failed did nothing for a reason that may be gone by now: it
  // met one of another program, or its connection was lost before COMMIT.
  virtual bool may_try_again() const { return false; }

  // After many rows were added: tells the database how its tables are filled now, where it plans
  // its reads by that.
  virtual Result<void> note_growth() { return {}; }

  // Rows that the last statement changed.
  virtual std::int64_t changed() const = 0;

  // How many rows were changed.
  Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values = {});
  Result<std::vector<Row>> query(std::string_view sql, const std::vector<Value>& values = {});
  // The first row; nothing where there is none.
  Result<std::optional<Row>> first(std::string_view sql, const std::vector<Value>& values = {});
  // The whole number in the first row. REQUIRES: there is a row, and it holds one.
  Result<std::int64_t> count(std::string_view sql, const std::vector<Value>& values = {});
};

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  // A connection of its own, for one thread at a time. Of several that write, of one program or
  // many, one may at a time; those that only read see the last commit and never wait.
  enum class Use { kRead, kWrite };
  virtual Result<std::unique_ptr<Connection>> connect(Use use) = 0;

  // Makes the schema in an empty database, and brings an older one up to date, in one transaction.
  // kNotAllowed: the database is newer than this program. kBadInput: it is not a studio's.
  virtual Result<void> prepare_schema(Connection& writer) = 0;
  // The same without changing anything: kNotFound where there is no schema.
  virtual Result<void> check_schema(Connection& reader) = 0;
};

}  // namespace plumb::study
