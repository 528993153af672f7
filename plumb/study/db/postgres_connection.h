// A connection of the PostgreSQL backend, on libpq.
//
// Statements are prepared once a connection. Rows are read one by one, in constant memory; a
// statement that is run while another is being read first takes the rest of that one into memory.
#pragma once

#include <libpq-fe.h>

#include <deque>
#include <map>
#include <memory>
#include <string>

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

  // name: of the database, for messages. begin: the statements that start a transaction.
  PostgresConnection(std::string name, std::string begin, Open open, PostgresHandle handle);
  ~PostgresConnection() override;

  Result<void> each(std::string_view sql, const std::vector<Value>& values,
                    const EachRow& row) override;
  Result<void> script(const std::string& sql) override;
  Result<void> begin() override;
  bool in_transaction() const override;
  bool may_try_again() const override { return may_try_again_; }
  std::int64_t changed() const override { return changed_; }

 private:
  // A statement whose rows are being read.
  struct Reading {
    std::deque<Row> rows;
    Result<void> outcome;
    std::int64_t changed = 0;
    bool ended = true;  // nothing more comes
  };
  class Turn;  // ends a Reading, however it is left

  Result<const char*> prepared(std::string_view sql, const std::vector<Value>& values);
  Result<void> send(const char* statement, const std::vector<Value>& values);
  void read_one(Reading& reading);
  Result<void> reconnect();
  tl::unexpected<Error> error(const PGresult* result);
  tl::unexpected<Error> lost();

  std::string name_, begin_;
  Open open_;
  PostgresHandle handle_;
  std::map<std::string, std::string, std::less<>> statements_;  // names, by types and SQL
  Reading* reading_ = nullptr;                                  // the innermost
  std::int64_t changed_ = 0;
  bool may_try_again_ = false;
  bool in_doubt_ = false;  // COMMIT was sent: whoever hears no answer cannot know what it did
};

// What went wrong with a connection that could not be opened. kNotFound: there is no such database.
// kNotAllowed: it lets nobody in by that name and password. kExhausted: the server is away.
Error connection_error(const std::string& name, const PGconn* handle);

}  // namespace plumb::study
