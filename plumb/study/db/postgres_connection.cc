#include "plumb/study/db/postgres_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <thread>
#include <type_traits>

namespace plumb::study {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{
    5000};  // with a server that is away, at the start of a transaction

// Types by their numbers in pg_type.dat, which are the same in every database.
constexpr Oid kBool = 16, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kFloat4 = 700,
              kFloat8 = 701, kNumeric = 1700;

// By class and code, PostgreSQL 15, Appendix A.
ErrorKind kind_of(std::string_view state) {
  const std::string_view family = state.substr(0, 2);
  if (family == "53" || family == "57" || family == "08") return ErrorKind::kExhausted;
  if (family == "40" || state == "55P03" || state == "55006") return ErrorKind::kBusy;
  if (state == "25006" || state == "42501" || family == "28") return ErrorKind::kNotAllowed;
  if (state == "22021" || state == "22P05" || family == "XX") return ErrorKind::kBadInput;
  return ErrorKind::kInternal;
}

std::string_view advice(std::string_view state) {
  if (state == "53100") {
    return "; the disk is full: nothing of this was saved, all that was acknowledged before is; "
           "make room and send it again";
  }
  if (state == "55P03") return "; another program has been writing all the while; try again";
  if (state == "53300") return "; raise max_connections, or run fewer servers";
  if (state == "22021" || state == "22P05") return "; the text holds what PostgreSQL cannot store";
  return "";
}

bool is_conflict(std::string_view state) { return state == "40001" || state == "40P01"; }

// The server ended the session, or is about to.
bool is_ending(std::string_view state) {
  return state == "57P01" || state == "57P02" || state == "57P03" || state == "57P05" ||
         state == "25P03" || state.starts_with("08");
}

std::string_view state_of(const PGresult* result) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? std::string_view() : std::string_view(state);
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '\n' || c == '\t' ? ' ' : c;
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

template <typename Number>
Value parsed(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Value value_at(const PGresult* result, int column) {
  if (PQgetisnull(result, 0, column) != 0) return {};
  const std::string_view text(PQgetvalue(result, 0, column),
                              static_cast<std::size_t>(PQgetlength(result, 0, column)));
  switch (PQftype(result, column)) {
    case kBool:
      return std::int64_t{text == "t"};
    case kInt2:
    case kInt4:
    case kInt8:
      return parsed<std::int64_t>(text);
    case kFloat4:
    case kFloat8:
      return parsed<double>(text);
    case kNumeric:
      return text.find_first_of(".N") == std::string_view::npos ? parsed<std::int64_t>(text)
                                                                : parsed<double>(text);
    default:
      return std::string(text);
  }
}

Row row_of(const PGresult* result) {
  std::vector<Value> values;
  const int columns = PQnfields(result);
  values.reserve(static_cast<std::size_t>(columns));
  for (int c = 0; c < columns; ++c) values.push_back(value_at(result, c));
  return Row(std::move(values));
}

// The type that a value is sent as; 0: whatever fits there.
Oid type_of(const Value& value) {
  constexpr std::array<Oid, 4> kTypes = {0, kInt8, kFloat8, kText};  // in the order of Value
  return kTypes[value.index()];
}

// "?1" is "$1" here. No text of our statements holds a question mark.
std::string with_dollars(std::string_view sql) {
  std::string text(sql);
  std::ranges::replace(text, '?', '$');
  return text;
}

// Values as libpq takes them: texts with an end, in memory that lasts as long as this does.
class Sent {
 public:
  explicit Sent(const std::vector<Value>& values) {
    numbers_.reserve(values.size());
    for (const Value& value : values) {
      texts_.push_back(std::visit([this](const auto& held) { return text_of(held); }, value));
    }
  }
  int count() const { return static_cast<int>(texts_.size()); }
  const char* const* texts() const { return texts_.data(); }

 private:
  template <typename Held>
  const char* text_of(const Held& held) {
    if constexpr (std::is_same_v<Held, std::monostate>) return nullptr;
    if constexpr (std::is_same_v<Held, std::string>) return held.c_str();
    if constexpr (std::is_arithmetic_v<Held>) {
      return numbers_.emplace_back(fmt::format("{}", held)).c_str();
    }
  }

  std::vector<std::string> numbers_;  // never moved: all there is room for
  std::vector<const char*> texts_;
};

bool holds_zero_byte(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && text->find('\0') != std::string::npos;
}

}  // namespace

Error connection_error(const std::string& name, const PGconn* handle) {
  const std::string words = one_line(PQerrorMessage(handle));
  const auto says = [&words](std::string_view part) {
    return words.find(part) != std::string::npos;
  };
  if (says("does not exist") && says("database")) {
    return {ErrorKind::kNotFound, fmt::format("{}: {}; `createdb` makes one", name, words)};
  }
  for (const char* part : {"authentication failed", "pg_hba.conf", "no password supplied",
                           "does not exist", "certificate"}) {
    if (says(part)) {
      return {ErrorKind::kNotAllowed,
              fmt::format("{}: {}; check the name, and the password in PGPASSWORD or ~/.pgpass",
                          name, words)};
    }
  }
  return {ErrorKind::kExhausted,
          fmt::format("{}: the database server does not answer ({}); nothing of this was saved, "
                      "send it again when it runs",
                      name, words)};
}

// The innermost statement, while it is read. Its end leaves the connection free for the next,
// also where the rows were not all wanted.
class PostgresConnection::Turn {
 public:
  explicit Turn(PostgresConnection& connection)
      : connection_(connection), outer_(connection.reading_) {
    while (outer_ != nullptr && !outer_->ended) connection.read_one(*outer_);
    connection.reading_ = &reading;
  }
  ~Turn() {
    while (!reading.ended) {
      connection_.read_one(reading);
      reading.rows.clear();
    }
    connection_.reading_ = outer_;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Reading reading;

 private:
  PostgresConnection& connection_;
  Reading* outer_;
};

PostgresConnection::PostgresConnection(std::string name, std::string begin, Open open,
                                       PostgresHandle handle)
    : name_(std::move(name)),
      begin_(std::move(begin)),
      open_(std::move(open)),
      handle_(std::move(handle)) {}

PostgresConnection::~PostgresConnection() = default;

tl::unexpected<Error> PostgresConnection::lost() {
  may_try_again_ = !in_doubt_;
  return fail(ErrorKind::kExhausted,
              fmt::format("{}: the connection to the database server was lost; what was "
                          "acknowledged is safe, send this again",
                          name_));
}

tl::unexpected<Error> PostgresConnection::error(const PGresult* result) {
  const std::string_view state = state_of(result);
  if (state.empty() || is_ending(state) || PQstatus(handle_.get()) == CONNECTION_BAD) return lost();
  if (is_conflict(state)) may_try_again_ = true;
  const char* words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return fail(kind_of(state), fmt::format("{}: {}{}", name_,
                                          one_line(words == nullptr ? "" : words), advice(state)));
}

Result<const char*> PostgresConnection::prepared(std::string_view sql,
                                                 const std::vector<Value>& values) {
  std::string key;
  std::vector<Oid> types;
  for (const Value& value : values) {
    types.push_back(type_of(value));
    key += static_cast<char>('a' + value.index());
  }
  key += ' ';
  key += sql;
  const auto found = statements_.find(key);
  if (found != statements_.end()) return found->second.c_str();
  const std::string name = fmt::format("s{}", statements_.size());
  const PostgresResult made(PQprepare(handle_.get(), name.c_str(), with_dollars(sql).c_str(),
                                      static_cast<int>(types.size()), types.data()));
  if (PQresultStatus(made.get()) != PGRES_COMMAND_OK) return error(made.get());
  return statements_.emplace(std::move(key), name).first->second.c_str();
}

Result<void> PostgresConnection::send(const char* statement, const std::vector<Value>& values) {
  const Sent sent(values);
  if (PQsendQueryPrepared(handle_.get(), statement, sent.count(), sent.texts(), nullptr, nullptr,
                          0) == 0) {
    return lost();
  }
  PQsetSingleRowMode(handle_.get());
  return {};
}

// One row, or the end.
void PostgresConnection::read_one(Reading& reading) {
  while (true) {
    const PostgresResult result(PQgetResult(handle_.get()));
    if (!result) {
      reading.ended = true;
      return;
    }
    switch (PQresultStatus(result.get())) {
      case PGRES_SINGLE_TUPLE:
        reading.rows.push_back(row_of(result.get()));
        return;
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
        reading.changed = std::get<std::int64_t>(parsed<std::int64_t>(PQcmdTuples(result.get())));
        break;
      default:
        reading.outcome = error(result.get());
        if (PQstatus(handle_.get()) == CONNECTION_BAD) reading.ended = true;
    }
    if (reading.ended) return;
  }
}

Result<void> PostgresConnection::each(std::string_view sql, const std::vector<Value>& values,
                                      const EachRow& row) {
  if (std::ranges::any_of(values, holds_zero_byte)) {
    return fail(ErrorKind::kBadInput, "PostgreSQL stores no text with a zero byte in it");
  }
  Turn turn(*this);
  Reading& reading = turn.reading;
  PLUMB_TRY(statement, prepared(sql, values));
  if (auto sent = send(statement, values); !sent) return sent;
  reading.ended = false;
  while (true) {
    if (reading.rows.empty() && !reading.ended) read_one(reading);
    if (reading.rows.empty()) break;
    const Row next = std::move(reading.rows.front());
    reading.rows.pop_front();
    if (auto taken = row(next); !taken) return taken;
  }
  changed_ = reading.changed;
  return reading.outcome;
}

// A COMMIT of a transaction that failed succeeds, as a ROLLBACK: that is no commit.
Result<void> PostgresConnection::script(const std::string& sql) {
  const Turn turn(*this);
  const bool commits = sql == "COMMIT";
  in_doubt_ = in_doubt_ || commits;
  const PostgresResult result(PQexec(handle_.get(), sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  const bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  const bool undone = commits && done && std::string_view(PQcmdStatus(result.get())) != "COMMIT";
  Result<void> outcome;
  if (!done) outcome = error(result.get());
  if (undone) outcome = fail(ErrorKind::kInternal, name_ + ": the transaction had failed before");
  return outcome;
}

Result<void> PostgresConnection::begin() {
  may_try_again_ = in_doubt_ = false;
  auto begun = PQstatus(handle_.get()) == CONNECTION_OK ? script(begin_) : lost();
  if (begun || !may_try_again_) return begun;
  if (auto back = reconnect(); !back) return back;
  may_try_again_ = false;
  return script(begin_);
}

// The server may be starting again; whoever waits is better served late than by an error.
Result<void> PostgresConnection::reconnect() {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  statements_.clear();
  for (milliseconds pause{50};; pause *= 2) {
    auto opened = open_();
    if (opened) {
      handle_ = std::move(*opened);
      return {};
    }
    const bool is_away = opened.error().kind == ErrorKind::kExhausted;
    if (!is_away || std::chrono::steady_clock::now() + pause > until) {
      may_try_again_ = false;
      return tl::unexpected(std::move(opened.error()));
    }
    std::this_thread::sleep_for(pause);
  }
}

bool PostgresConnection::in_transaction() const {
  const PGTransactionStatusType status = PQtransactionStatus(handle_.get());
  return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

}  // namespace plumb::study
