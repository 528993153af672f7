// Which runs to measure, and how: what `mismatch measure` and `report mismatch` share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plumb/cli/measured_runs.h"
#include "plumb/cli/options.h"
#include "plumb/mismatch/measure/measure.h"

namespace plumb::cli {

struct MeasureArguments : MeasuredRuns {
  std::string form = "auto";
  std::size_t start = 0;
  std::optional<std::size_t> pool;
  double resolution = 0;
  std::vector<double> budgets;
  SamplingOptions sampling;

  void declare(CLI::App& verb);
  mismatch::MeasureOptions options() const;
  // In the order of `runs`, each under the shortest name that tells it from the others. `look` is
  // called after each, with what the samples were read by.
  using Look = std::function<Result<void>(const std::string& run, const mismatch::RunMeasure&,
                                          const mismatch::TableOptions&)>;
  Result<std::vector<mismatch::RunMeasure>> measure(const Look& look = {}) const;
};

}  // namespace plumb::cli
