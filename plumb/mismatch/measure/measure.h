// The measurement of one run from its samples: best of n and optimiser on the same axis, the curves
// with their ceilings, the gap of proxy and gold and what it is made of, and which checkpoint each
// rule would have kept.
//
//   PLUMB_TRY(table, read_sample_table("run", {}));
//   RunMeasure run = measure_run("run", table, {});
//   for (const TrajectoryMeasure& one : run.trajectories) one.curves[0].verdict;
//   for (const std::string& reason : run.missing) ...    // what could not be measured, and why
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/mismatch/ceiling.h"
#include "plumb/mismatch/measure/gap_parts.h"
#include "plumb/mismatch/measure/sample_checks.h"
#include "plumb/mismatch/measure/sample_table.h"
#include "plumb/mismatch/measure/trajectory.h"
#include "plumb/mismatch/stop_rules.h"

namespace plumb::mismatch {

struct MeasureOptions {
  std::size_t start = 0;                           // the step that is the start
  std::optional<std::size_t> best_of_n_step = {};  // none: the start, or the only step
  std::optional<stats::CurveForm> form = {};       // none: bon for best of n, rl for a run
  std::optional<double> resolution = {};           // as FitOptions has it
  stats::BootstrapOptions sampling = {.resamples = 1000};
  RuleOptions rules = {};
};

// What a rule chose on one half of the prompts, and what that is worth on the other.
struct RuleMeasure {
  std::string name;
  std::size_t at;  // the step
  double d;
  double gold;  // mean gain over the held-out prompts
  stats::IntervalScore gold_ci;
  // The highest held-out mean of any checkpoint less this one. Noise in the means makes the highest
  // too high, alike for all rules.
  double regret;
};

struct RuleReport {
  std::vector<RuleMeasure> rules;           // empty: see `reason`
  std::optional<std::size_t> stopped_at;    // the step at which the stopping rule stopped
  std::size_t choosing = 0, reporting = 0;  // prompts
  std::string reason;
};

struct TrajectoryMeasure {
  Trajectory trajectory;
  std::vector<CurveReport> curves;  // "gold" and "proxy", those that are measured
  GapReport gap;
  RuleReport rules;  // of runs
};

struct RunMeasure {
  std::string name, file, sha256;
  std::size_t samples = 0, prompts = 0, steps = 0;
  std::vector<TrajectoryMeasure> trajectories;
  std::vector<MissingField> lacking;  // what some samples have and others lack
  std::vector<std::string> missing;   // what was not measured, and why: sentences; what is lacking
  std::vector<std::string> warnings;  // of the samples as a whole: sentences
};

// Where more than kMostMissing of the samples of a step lack gold or proxy, its curve has neither
// ceiling nor verdict, and no rule chooses by it.
RunMeasure measure_run(std::string name, const SampleTable& table, const MeasureOptions& options);

// The curves alone, "best of n/gold", "run/gold", ...: what a fit of a run folder fits. The start
// is step 0. kBadInput, with the reasons: there is none; a quantity that is neither "proxy" nor
// "gold".
Result<std::vector<Curve>> curves_of_samples(const SampleTable& table,
                                             std::span<const std::string> quantities);

// The rules on one half of the prompts, drawn by Stream(seed, "held-out prompts", 0).
RuleReport compare_rules(const Trajectory& run, const MeasureOptions& options);

}  // namespace plumb::mismatch
