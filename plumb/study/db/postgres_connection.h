// A connection of the PostgreSQL backend, on libpq.
//
// An exchange costs two switches between processes, so there are few: what is posted, the start of
// a transaction, and the preparing of a statement, once a connection, travel with the next
// statement (libpq's pipeline mode), and nobody waits for the end of a transaction that only read.
// Rows are read one by one, in constant memory; a statement that is run while another is being read
// first takes the rest of that one into memory.
#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plumb/study/db/database.h"

namespace plumb::study {

struct ClosePostgres {
  void operator()(PGconn* handle) const { PQfinish(handle); }
};
using PostgresHandle = std::unique_ptr<PGconn, ClosePostgres>;

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PostgresResult = std::unique_ptr<PGresult, ClearResult>;

class PostgresConnection : public Connection {
 public:
  // Opens a connection with all its settings made; called again where one was lost.
  using Open = std::function<Result<PostgresHandle>()>;

  struct Options {
    std::string name;                // of the database, for messages
    std::vector<std::string> begin;  // the statements that start a transaction
    // A transaction begins when they are done, after all that others wrote before: what it reads of
    // a clock is later. Else they travel with its first statement.
    bool waits_for_turn = false;
    Open open;
    std::atomic<std::int64_t>* exchanges = nullptr;
  };

  PostgresConnection(Options options, PostgresHandle handle);
  ~PostgresConnection() override;

  Result<void> each(std::string_view sql, const std::vector<Value>& values,
                    const EachRow& row) override;
  Result<void> post(std::string_view sql, const std::vector<Value>& values) override;
  Result<void> settle() override;
  Result<void> script(const std::string& sql) override;
  Result<void> begin() override;
  Result<void> leave() override;
  Result<void> note_growth() override;
  bool in_transaction() const override;
  bool may_try_again() const override { return may_try_again_; }
  std::int64_t changed() const override { return changed_; }

 private:
  struct Statement {
    std::string sql;
    std::vector<Value> values;
  };
  // A statement whose rows are being read.
  struct Reading {
    std::deque<Row> rows;
    Result<void> outcome;
    std::string tag;  // "COMMIT", "UPDATE 1"
    std::int64_t changed = 0;
    bool ended = true;  // nothing more comes
  };
  class Turn;  // ends a Reading, however it is left

  Result<void> run(const Statement& statement, const EachRow& row, Reading& reading);
  Result<void> exchange(const Statement* last, Reading& reading);
  Result<void> try_exchange(const Statement* last, Reading& reading);
  Result<std::vector<std::string>> send_all(const Statement* last);
  Result<void> send(const Statement& statement, std::vector<std::string>& awaited);
  Result<void> take_answer(const std::string& made);
  void read_one(Reading& reading);
  void read_all(Reading& reading);
  Result<void> run_script(const std::string& sql);
  Result<void> reconnect();
  tl::unexpected<Error> error(const PGresult* result);
  tl::unexpected<Error> lost();
  void count_exchange() const;

  Options options_;
  PostgresHandle handle_;
  std::map<std::string, std::string, std::less<>> statements_;  // names, by types and SQL
  std::size_t names_ = 0;                                       // that were given so far
  std::vector<Statement> waiting_;                              // for the next exchange
  bool begins_ = false;         // the transaction starts with what waits
  bool is_left_ = false;        // the answer to leave() is still to be read
  bool was_answered_ = false;   // something of the last exchange was
  Reading* reading_ = nullptr;  // the innermost
  std::int64_t changed_ = 0;
  bool may_try_again_ = false;
  bool in_doubt_ = false;  // COMMIT was sent: whoever hears no answer cannot know what it did
};

// What went wrong with a connection that could not be opened. kNotFound: there is no such database.
// kNotAllowed: it lets nobody in by that name and password. kExhausted: the server is away.
Error connection_error(const std::string& name, const PGconn* handle);

}  // namespace plumb::study
