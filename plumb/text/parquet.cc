#include "plumb/text/parquet.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace plumb {

bool is_parquet(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  char magic[4] = {};
  std::ifstream file(path, std::ios::binary);
  return file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "PAR1";
}

std::string parquet_advice(std::string_view files) {
  return fmt::format(
      "make JSON lines of Parquet: python3 -c \"import sys, pandas; pandas.concat(map("
      "pandas.read_parquet, sys.argv[1:])).to_json('samples.jsonl', orient='records', "
      "lines=True)\" {}",
      files);
}

}  // namespace plumb
