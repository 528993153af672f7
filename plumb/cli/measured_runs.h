// Which runs' samples are read, and by which rewards they are scored anew: what the verbs share
// that measure runs.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "plumb/cli/options.h"
#include "plumb/cli/sample_options.h"
#include "plumb/mismatch/measure/sample_table.h"
#include "plumb/rlhf/reward/reward.h"

namespace plumb::cli {

struct MeasuredRuns {
  std::vector<std::string> runs;
  std::string gold_by, proxy_by;
  SampleFieldOptions fields;

  // RUN, --gold-by, --proxy-by, --start.
  void declare_runs(CLI::App& verb, std::size_t& start);

  struct Reading {
    std::unique_ptr<rlhf::Reward> proxy, gold;
    mismatch::TableOptions options = {};  // refers to them
  };
  Result<Reading> reading(int threads) const;
};

}  // namespace plumb::cli
