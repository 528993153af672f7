// The options that cut a board from figures, the same for every verb that shows one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/gap/board.h"

namespace plumb::cli {

struct BoardArguments {
  std::vector<std::string> models;  // one; none: the paper's for `hume`, all otherwise
  std::string human = "published";
  std::string language;
  std::string task_type;
  std::vector<std::string> revisions;  // NAME=REVISION
  bool annotators = false;

  void declare(CLI::App& verb);             // all but --annotators
  void declare_annotators(CLI::App& verb);  // where the people are rows
  // kUsage: a --revision without '='.
  Result<gap::BoardOptions> resolve(const std::string& source) const;
};

}  // namespace plumb::cli
