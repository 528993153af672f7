// Files of a run folder that grow by whole lines of JSON, and are cut back when a run is taken up
// again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"

namespace plumb::lm {

class LineFile {
 public:
  // Goes on behind what the file holds.
  explicit LineFile(std::filesystem::path file);

  // Whole lines, each with its line feed; flushed. Errors: see file_error().
  Result<void> add(std::string_view lines);

 private:
  std::filesystem::path file_;
  std::ofstream out_;
};

std::string json_line(const Json& value);  // with its line feed

// Drops what stands in the file from the first line whose "step" is `step` or later on, and from
// the first line that is not whole; returns the rest. Lines are in the order of their steps.
Result<std::vector<Json>> keep_lines_before(const std::filesystem::path& file, std::size_t step);

// Keeps the first `count` lines. kBadInput: there are fewer.
Result<void> keep_first_lines(const std::filesystem::path& file, std::size_t count);

}  // namespace plumb::lm
