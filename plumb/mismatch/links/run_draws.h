// What the links need of one run, on the data and on resamples of its prompts: at each checkpoint
// what proxy and gold have gained and how well the proxy still orders and knows the policy's own
// samples, and what follows from all checkpoints together. Seeds of one training pool.
//
//   PLUMB_TRY(run, draw_run("grpo", table, {}));
//   run.draws.points[run.column(k, PointColumn::kGold)];
//   PLUMB_TRY(pooled, pool_runs(runs, "seeds", options));
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/mismatch/links/rows.h"
#include "plumb/mismatch/measure/sample_table.h"
#include "plumb/mismatch/measure/trajectory.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/hierarchical.h"

namespace plumb::mismatch {

// At a checkpoint, the start among them; means over prompts.
enum class PointColumn : std::size_t {
  kProxy,  // gains over the start, in their own units
  kGold,
  // Of pairs of a prompt's samples that differ in gold, ordered as gold does; ties half. This and
  // the next two are undefined where no prompt's samples differ in the proxy.
  kAccuracy,
  kTau,  // Kendall's tau-b of proxy and gold within prompts
  // By how much the proxy is surer of pairs than it is right: the mean of 1 / (1 + e^-|delta| / T)
  // less the accuracy, with the temperature T fitted to the pairs of the start.
  kOverconfidence,
};
inline constexpr std::size_t kPointColumns = 5;

// Over all checkpoints.
enum class RunColumn : std::size_t {
  kProxyDeviation,  // within prompts of the start; of the end where the start has none
  kGoldDeviation,
  // Gold gained per proxy gained, each in deviations of the start: the ratio of both slopes on the
  // number of the checkpoint, since a regression of one noisy mean on the other would be too flat.
  kEfficiency,
  kLaterEfficiency,  // over the second half of the checkpoints
  kGap,              // at the end: proxy gain less gold gain, in deviations of the start
  kFalls,            // share of prompts whose gold at the end is below their start
  kGini,             // of the prompts' gold gains at the end (stats/inequality.h)
  kAccuracyChange,   // end less start, as the next two
  kTauChange,
  kOverconfidenceChange,
};
inline constexpr std::size_t kRunColumns = 10;

struct LinkPoint {
  std::size_t at;  // the step, or n of best of n
  std::optional<double> d = {};
  KlSource source = KlSource::kNone;
};

struct RunDraws {
  std::string name, file, sha256;
  std::size_t samples = 0, prompts = 0, steps = 0, seeds = 1;
  Trajectory path;                 // of the first seed
  std::vector<LinkPoint> points;   // the start first
  std::vector<std::string> texts;  // [prompts]
  stats::Draws draws;              // kRunColumns, then kPointColumns a point
  // Of pooled seeds, [columns].
  std::vector<tl::expected<stats::Deviation, stats::Undefined>> deviations = {};
  bool has_proxy = false, has_gold = false;
  // All samples of a prompt have one proxy at the start, as of a policy's own reward: nothing is
  // ordered there.
  bool flat_start = false;
  std::string no_temperature;  // why calibration is not measured; "": it is
  std::vector<std::string> warnings;

  std::size_t column(RunColumn column) const { return static_cast<std::size_t>(column); }
  std::size_t column(std::size_t point, PointColumn column) const {
    return kRunColumns + point * kPointColumns + static_cast<std::size_t>(column);
  }
  tl::expected<stats::Deviation, stats::Undefined> deviation(std::size_t column) const;
  stats::BootstrapResult summary(std::size_t column, const stats::BootstrapOptions& options) const;
  // With deviation, degrees of freedom and n in prompts.
  LinkRow row(Link link, std::string measure, std::size_t column,
              const stats::BootstrapOptions& options) const;
};

// Of more checkpoints, this many evenly.
inline constexpr std::size_t kMostPoints = 60;

// Of a run with checkpoints after `start`; without these of the best of n from the start's samples.
// kBadInput, the reasons in words: neither can be measured.
Result<RunDraws> draw_run(std::string name, const SampleTable& table, std::size_t start,
                          const stats::BootstrapOptions& options);

// Seeds of one training, on the same prompts; where prompts differ intervals are on the safe side,
// and a warning says so. kBadInput: their checkpoints differ.
Result<RunDraws> pool_runs(std::span<const RunDraws> runs, std::string name,
                           const stats::BootstrapOptions& options);

// Whether exact and sampled divergence agree: checkpoints at which the mean of k1 lies more than
// four standard errors, over prompts, from the mean exact KL; and those at which it lies as far
// below 0, as it does where the two log-probabilities are swapped. Sentences; none: nothing to say.
std::vector<std::string> check_divergence(const SampleTable& table);

}  // namespace plumb::mismatch
