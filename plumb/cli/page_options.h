// What the pages of runs share: their title, how many prompts show their completions, the file.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "plumb/cli/options.h"

namespace plumb::cli {

struct PageOptions {
  std::string output = {}, title = {};
  std::size_t examples = 4;

  void declare(CLI::App& verb);
  // The title that was given, or one of what the page is and the runs on it.
  std::string heading(std::string_view what, std::span<const std::string> runs) const;
  // Writes the page and says so.
  Result<void> write(std::string_view page, std::size_t runs) const;
};

}  // namespace plumb::cli
