// Parquet files, which plumb does not read: how they are known, and what to do with them.
//
//   if (is_parquet(path)) return bad(path + ": Parquet is not read; " + parquet_advice(path));
#pragma once

#include <string>
#include <string_view>

namespace plumb {

// By its first bytes. A pipe, which can be read but once, is none.
bool is_parquet(const std::string& path);

// The command that makes JSON lines of files, separated by blanks.
std::string parquet_advice(std::string_view files);

}  // namespace plumb
