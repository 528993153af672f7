#include "plumb/study/db/database.h"

namespace plumb::study {

Result<std::int64_t> Connection::execute(std::string_view sql, const std::vector<Value>& values) {
  auto done = each(sql, values, [](const Row&) { return Result<void>(); });
  if (!done) return tl::unexpected(std::move(done.error()));
  return changed();
}

Result<void> Connection::post(std::string_view sql, const std::vector<Value>& values) {
  return each(sql, values, [](const Row&) { return Result<void>(); });
}

Result<std::vector<Row>> Connection::query(std::string_view sql, const std::vector<Value>& values) {
  std::vector<Row> rows;
  auto done = each(sql, values, [&rows](const Row& row) {
    rows.push_back(row);
    return Result<void>();
  });
  if (!done) return tl::unexpected(std::move(done.error()));
  return rows;
}

Result<std::optional<Row>> Connection::first(std::string_view sql,
                                             const std::vector<Value>& values) {
  PLUMB_TRY(rows, query(sql, values));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

Result<std::int64_t> Connection::count(std::string_view sql, const std::vector<Value>& values) {
  PLUMB_TRY(row, first(sql, values));
  return row->integer(0);
}

}  // namespace plumb::study
