// What `plumb score TASK` and `plumb gap TASK --humans FILE...` share.
#pragma once

#include <string>
#include <vector>

#include "plumb/cli/model_options.h"
#include "plumb/cli/options.h"
#include "plumb/tasks/scoring.h"

namespace plumb::cli {

// Resamples of single items cost more than those of a few subsets.
inline constexpr std::size_t kItemResamples = 2000;

struct ItemOptions {
  std::vector<std::string> humans, answers;
  std::string metric;
  std::size_t cutoff = 0;
  std::string ties = "expected";
  std::string missing = "leave-out";
  std::string items_file;
  std::string mteb_folder, subset = "default";
  ModelOptions models;

  // people: the verb has --humans, and --models of its own.
  void declare(CLI::App& verb, bool people);

  tasks::MetricOptions metric_options() const;

  // Reads the task and the sheets, asks the models, adds the baselines, compares and writes.
  Result<void> run(const std::string& path, const SamplingOptions& sampling,
                   const OutputOptions& output, bool corrected, bool published) const;
};

}  // namespace plumb::cli
