#include "plumb/study/db/postgres_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <iterator>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

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

// Of what stands after a failure in its exchange.
tl::unexpected<Error> left_out() {
  return fail(ErrorKind::kInternal, "left out after a statement that failed");
}

// Statements differ by the types of their values too.
std::string key_of(std::string_view sql, const std::vector<Value>& values) {
  std::string key;
  for (const Value& value : values) key += static_cast<char>('a' + value.index());
  key += ' ';
  return key.append(sql);
}

tl::unexpected<Error> no_zero_byte() {
  return fail(ErrorKind::kBadInput, "PostgreSQL stores no text with a zero byte in it");
}

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
    connection_.read_all(reading);
    connection_.reading_ = outer_;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Reading reading;

 private:
  PostgresConnection& connection_;
  Reading* outer_;
};

PostgresConnection::PostgresConnection(Options options, PostgresHandle handle)
    : options_(std::move(options)), handle_(std::move(handle)) {
  PQenterPipelineMode(handle_.get());
}

PostgresConnection::~PostgresConnection() = default;

void PostgresConnection::count_exchange() const {
  if (options_.exchanges != nullptr) ++*options_.exchanges;
}

tl::unexpected<Error> PostgresConnection::lost() {
  may_try_again_ = !in_doubt_;
  return fail(ErrorKind::kExhausted,
              fmt::format("{}: the connection to the database server was lost; what was "
                          "acknowledged is safe, send this again",
                          options_.name));
}

tl::unexpected<Error> PostgresConnection::error(const PGresult* result) {
  const std::string_view state = state_of(result);
  if (state.empty() || is_ending(state) || PQstatus(handle_.get()) == CONNECTION_BAD) return lost();
  if (is_conflict(state)) may_try_again_ = true;
  const char* words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return fail(kind_of(state), fmt::format("{}: {}{}", options_.name,
                                          one_line(words == nullptr ? "" : words), advice(state)));
}

// Adds to `awaited` what each answer will be about: the key of a statement that is prepared, or "".
Result<void> PostgresConnection::send(const Statement& statement,
                                      std::vector<std::string>& awaited) {
  const std::string key = key_of(statement.sql, statement.values);
  auto known = statements_.find(key);
  if (known == statements_.end()) {
    std::vector<Oid> types;
    std::ranges::transform(statement.values, std::back_inserter(types), type_of);
    known = statements_.emplace(key, fmt::format("s{}", names_++)).first;
    awaited.push_back(key);
    if (PQsendPrepare(handle_.get(), known->second.c_str(), with_dollars(statement.sql).c_str(),
                      static_cast<int>(types.size()), types.data()) == 0) {
      return lost();
    }
  }
  awaited.emplace_back();
  const Sent sent(statement.values);
  if (PQsendQueryPrepared(handle_.get(), known->second.c_str(), sent.count(), sent.texts(), nullptr,
                          nullptr, 0) == 0) {
    return lost();
  }
  return {};
}

Result<std::vector<std::string>> PostgresConnection::send_all(const Statement* last) {
  std::vector<std::string> awaited;
  for (const Statement& statement : waiting_) {
    if (auto sent = send(statement, awaited); !sent) return tl::unexpected(sent.error());
  }
  if (last != nullptr) {
    if (auto sent = send(*last, awaited); !sent) return tl::unexpected(sent.error());
    awaited.pop_back();
  }
  if (PQpipelineSync(handle_.get()) == 0) return lost();
  return awaited;
}

// Of one command that was sent. made: what it prepares.
Result<void> PostgresConnection::take_answer(const std::string& made) {
  std::optional<Result<void>> outcome;
  while (const PostgresResult result{PQgetResult(handle_.get())}) {
    const ExecStatusType status = PQresultStatus(result.get());
    const bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    was_answered_ = was_answered_ || done;
    if (done) outcome = Result<void>();
    if (!done) outcome = status == PGRES_PIPELINE_ABORTED ? left_out() : error(result.get());
    if (PQstatus(handle_.get()) == CONNECTION_BAD) break;
  }
  if (!outcome) outcome = lost();
  if (!*outcome && !made.empty()) statements_.erase(made);
  return std::move(*outcome);
}

// One row, or the end: what follows the last answer of an exchange.
void PostgresConnection::read_one(Reading& reading) {
  int nothing = 0;  // one stands between an answer and the end of the exchange
  while (!reading.ended) {
    const PostgresResult result(PQgetResult(handle_.get()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (!result) {
      reading.ended = ++nothing > 1 || PQstatus(handle_.get()) == CONNECTION_BAD;
      if (reading.ended && reading.outcome) reading.outcome = lost();
    } else if (status == PGRES_SINGLE_TUPLE) {
      reading.rows.push_back(row_of(result.get()));
      return;
    } else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      reading.tag = PQcmdStatus(result.get());
      reading.changed = std::get<std::int64_t>(parsed<std::int64_t>(PQcmdTuples(result.get())));
    } else if (status == PGRES_PIPELINE_SYNC) {
      reading.ended = true;
    } else if (reading.outcome) {
      reading.outcome = error(result.get());
      reading.ended = PQstatus(handle_.get()) == CONNECTION_BAD;
    }
  }
}

void PostgresConnection::read_all(Reading& reading) {
  while (!reading.ended) {
    read_one(reading);
    reading.rows.clear();
  }
}

// Sends what waits, and `last` whose rows are then to be read. Where something before it failed,
// the server leaves out the rest.
Result<void> PostgresConnection::try_exchange(const Statement* last, Reading& reading) {
  if (PQstatus(handle_.get()) != CONNECTION_OK) return lost();
  if (std::exchange(is_left_, false)) {
    static_cast<void>(take_answer(""));
    Reading rest;
    rest.ended = false;
    read_all(rest);
  }
  was_answered_ = false;
  count_exchange();
  PLUMB_TRY(awaited, send_all(last));
  for (const std::string& made : awaited) {
    auto taken = take_answer(made);
    if (reading.outcome) reading.outcome = std::move(taken);
  }
  reading.ended = false;
  if (last == nullptr || !reading.outcome) {
    read_all(reading);
  } else {
    PQsetSingleRowMode(handle_.get());
  }
  return reading.outcome;
}

// One that starts a transaction is sent again where the connection turns out to be gone.
Result<void> PostgresConnection::exchange(const Statement* last, Reading& reading) {
  auto done = try_exchange(last, reading);
  if (!done && begins_ && !was_answered_ && may_try_again_) {
    done = reconnect();
    may_try_again_ = false;
    reading = Reading();
    if (done) done = try_exchange(last, reading);
  }
  waiting_.clear();
  begins_ = false;
  return done;
}

Result<void> PostgresConnection::run(const Statement& statement, const EachRow& row,
                                     Reading& reading) {
  if (std::ranges::any_of(statement.values, holds_zero_byte)) return no_zero_byte();
  if (auto sent = exchange(&statement, reading); !sent) return sent;
  while (true) {
    if (reading.rows.empty()) read_one(reading);
    if (reading.rows.empty()) break;
    const Row next = std::move(reading.rows.front());
    reading.rows.pop_front();
    if (auto taken = row(next); !taken) return taken;
  }
  changed_ = reading.changed;
  return reading.outcome;
}

Result<void> PostgresConnection::each(std::string_view sql, const std::vector<Value>& values,
                                      const EachRow& row) {
  Turn turn(*this);
  return run({std::string(sql), values}, row, turn.reading);
}

// So many at most, that their answers never fill what lies between two programs.
Result<void> PostgresConnection::post(std::string_view sql, const std::vector<Value>& values) {
  constexpr std::size_t kMostWaiting = 64;
  if (std::ranges::any_of(values, holds_zero_byte)) return no_zero_byte();
  waiting_.push_back({std::string(sql), values});
  return waiting_.size() < kMostWaiting ? Result<void>() : settle();
}

Result<void> PostgresConnection::settle() {
  if (waiting_.empty()) return {};
  Turn turn(*this);
  return exchange(nullptr, turn.reading);
}

// Many statements at once, which the pipeline does not take.
Result<void> PostgresConnection::run_script(const std::string& sql) {
  if (auto before = settle(); !before) return before;
  const Turn turn(*this);
  count_exchange();
  PQexitPipelineMode(handle_.get());
  const PostgresResult result(PQexec(handle_.get(), sql.c_str()));
  PQenterPipelineMode(handle_.get());
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
  return error(result.get());
}

// A COMMIT of a transaction that failed succeeds, as a ROLLBACK: that is no commit.
Result<void> PostgresConnection::script(const std::string& sql) {
  if (sql.find(';') != std::string::npos) return run_script(sql);
  if (sql == "ROLLBACK") {
    waiting_.clear();                              // a failure of theirs would leave it out
    if (std::exchange(begins_, false)) return {};  // nothing was sent yet
  }
  const bool commits = sql == "COMMIT";
  in_doubt_ = in_doubt_ || commits;
  Turn turn(*this);
  auto done = run(
      {sql, {}}, [](const Row&) { return Result<void>(); }, turn.reading);
  if (done && commits && turn.reading.tag != "COMMIT") {
    return fail(ErrorKind::kInternal, options_.name + ": the transaction had failed before");
  }
  return done;
}

Result<void> PostgresConnection::begin() {
  may_try_again_ = in_doubt_ = was_answered_ = false;
  waiting_.clear();
  for (const std::string& sql : options_.begin) waiting_.push_back({sql, {}});
  begins_ = true;
  return options_.waits_for_turn ? settle() : Result<void>();
}

Result<void> PostgresConnection::leave() {
  if (begins_ || PQstatus(handle_.get()) != CONNECTION_OK) {
    waiting_.clear();
    begins_ = false;
    return {};
  }
  waiting_.clear();
  is_left_ =
      PQsendQueryParams(handle_.get(), "ROLLBACK", 0, nullptr, nullptr, nullptr, nullptr, 0) != 0 &&
      PQpipelineSync(handle_.get()) != 0;
  return is_left_ ? Result<void>() : lost();
}

// The server may be starting again; whoever waits is better served late than by an error.
Result<void> PostgresConnection::reconnect() {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  statements_.clear();
  is_left_ = false;
  for (milliseconds pause{50};; pause *= 2) {
    auto opened = options_.open();
    if (opened) {
      handle_ = std::move(*opened);
      PQenterPipelineMode(handle_.get());
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

// Small tables would never be looked at by the server itself.
Result<void> PostgresConnection::note_growth() {
  return script("ANALYZE studies, tasks, items, annotators, slots, leases, answers");
}

bool PostgresConnection::in_transaction() const {
  if (begins_) return true;
  const PGTransactionStatusType status = PQtransactionStatus(handle_.get());
  return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

}  // namespace plumb::study
