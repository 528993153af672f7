// Rows for one table, many in a statement: each statement is an exchange with a server.
//
//   BulkInsert rows(connection, "INSERT INTO t(a, b)");
//   rows.add({1, 2}); ...
//   rows.flush();
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/study/db/database.h"

namespace plumb::study {

class BulkInsert {
 public:
  // head: "INSERT INTO t(a, b)"; tail: "RETURNING ...", whose rows go to `each`.
  BulkInsert(
      Connection& connection, std::string_view head, std::string_view tail = "",
      Connection::EachRow each = [](const Row&) { return Result<void>(); })
      : connection_(connection), head_(head), tail_(tail), each_(std::move(each)) {}

  Result<void> add(std::initializer_list<Value> row) {
    columns_ = row.size();
    values_.insert(values_.end(), row);
    return values_.size() < kRows * columns_ ? Result<void>() : flush();
  }

  Result<void> flush() {
    if (values_.empty()) return {};
    std::string sql = head_ + " VALUES";
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const bool first = i % columns_ == 0;
      sql += fmt::format("{}?{}", !first ? ", " : i == 0 ? "(" : "), (", i + 1);
    }
    auto done = connection_.each(sql + ") " + tail_, values_, each_);
    values_.clear();
    return done;
  }

 private:
  static constexpr std::size_t kRows = 200;

  Connection& connection_;
  std::string head_, tail_;
  Connection::EachRow each_;
  std::size_t columns_ = 0;
  std::vector<Value> values_;
};

}  // namespace plumb::study
