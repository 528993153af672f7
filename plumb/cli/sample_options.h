// What the verbs share that read completions and reward them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plumb/cli/options.h"
#include "plumb/rlhf/samples.h"

namespace plumb::cli {

// --map, --format, --step-is: how other trainers write samples.
struct SampleFieldOptions {
  std::vector<std::string> map;
  std::string format;
  std::optional<std::size_t> step;

  void declare(CLI::App& verb);
  Result<rlhf::SampleFields> fields() const;
};

}  // namespace plumb::cli
