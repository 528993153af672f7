// Which runs to measure the links of, and with what beside them: what `mismatch links` and
// `report links` share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plumb/cli/measured_runs.h"
#include "plumb/cli/options.h"
#include "plumb/mismatch/links/links.h"
#include "plumb/report/mismatch/links_report.h"

namespace plumb::cli {

struct LinksArguments : MeasuredRuns {
  std::string reward = "auto";
  std::string evaluations, population, pairs, perturbations, labels, gold_run, relabelled;
  std::optional<double> beta;
  mismatch::LinkOptions links;
  SamplingOptions sampling;

  void declare(CLI::App& verb);

  struct Found {
    mismatch::LinkReport report;
    std::vector<std::array<std::string, 3>> inputs;  // see report::LinksContext
    std::vector<mismatch::EvalSeries> evaluations;
  };
  // `look` is called after each run, with its table's reading options.
  using Look = std::function<Result<void>(const std::string& run, const mismatch::RunLinks&,
                                          const mismatch::TableOptions&)>;
  Result<Found> measure(const Look& look = {}) const;

 private:
  mismatch::LinkOptions options() const;
  Result<void> add_inputs(Found& found) const;
  Result<void> add_own_evaluations(const std::string& run, const std::string& title,
                                   Found& found) const;
  Result<mismatch::SampleTable> read(const std::string& run,
                                     const mismatch::TableOptions& reading) const;
  Result<std::vector<mismatch::LinkRow>> outside(const mismatch::LinkOptions& options) const;
  Result<mismatch::SwapReport> swap(const mismatch::SampleTable& run,
                                    const mismatch::TableOptions& reading,
                                    const mismatch::LinkOptions& options) const;
  Result<std::vector<mismatch::EvalSeries>> read_evaluations() const;
};

}  // namespace plumb::cli
