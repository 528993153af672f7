// What the verbs share that read completions and reward them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plumb/cli/options.h"
#include "plumb/rlhf/reward.h"
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

// A planted world ("world:story+noise"), a reward model's folder, a program ("length").
Result<std::unique_ptr<rlhf::Reward>> open_reward(const std::string& name);

}  // namespace plumb::cli
