// Which runs to measure, and how: what `mismatch measure` and `report mismatch` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plumb/cli/options.h"
#include "plumb/cli/sample_options.h"
#include "plumb/mismatch/measure/measure.h"

namespace plumb::cli {

struct MeasureArguments {
  std::vector<std::string> runs;
  std::string gold_by, proxy_by, form = "auto";
  std::size_t start = 0;
  std::optional<std::size_t> pool;
  double resolution = 0;
  std::vector<double> budgets;
  SampleFieldOptions fields;
  SamplingOptions sampling;

  void declare(CLI::App& verb);
  mismatch::MeasureOptions options() const;
  // In the order of `runs`, each under the shortest name that tells it from the others.
  Result<std::vector<mismatch::RunMeasure>> measure() const;
};

}  // namespace plumb::cli
