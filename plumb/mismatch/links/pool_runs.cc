#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plumb/mismatch/links/run_draws.h"

namespace plumb::mismatch {

Result<RunDraws> pool_runs(std::span<const RunDraws> runs, std::string name,
                           const stats::BootstrapOptions& options) {
  RunDraws pooled = runs[0];
  pooled.name = std::move(name);
  std::vector<stats::Draws> draws;
  for (const RunDraws& run : runs) {
    if (!std::ranges::equal(run.points, pooled.points, {}, &LinkPoint::at, &LinkPoint::at)) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: its checkpoints are not those of {}; seeds of one training have "
                              "the same",
                              run.file, runs[0].file));
    }
    const auto twin = std::find_if(runs.data(), &run, [&](const RunDraws& other) {
      return !run.contents.empty() && other.contents == run.contents;
    });
    if (twin != &run) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: holds the same samples as {}: one training, not two seeds of it",
                              run.file, twin->file));
    }
    draws.push_back(run.draws);
    if (&run == runs.data()) continue;
    pooled.samples += run.samples;
    pooled.prompts = std::min(pooled.prompts, run.prompts);
    for (std::size_t c = 0; c < pooled.measured.size(); ++c) {
      pooled.measured[c] = std::min(pooled.measured[c], run.measured[c]);
    }
    pooled.lacking.insert(pooled.lacking.end(), run.lacking.begin(), run.lacking.end());
    pooled.has_gold = pooled.has_gold && run.has_gold;
    pooled.has_proxy = pooled.has_proxy && run.has_proxy;
    pooled.warnings.insert(pooled.warnings.end(), run.warnings.begin(), run.warnings.end());
  }
  pooled.seeds = runs.size();
  pooled.draws = stats::pool_draws(draws, options);
  const bool shared =
      std::ranges::all_of(runs, [&](const RunDraws& run) { return run.texts == pooled.texts; });
  if (!shared) {
    pooled.warnings.emplace_back(
        "The seeds' prompts differ, or their order: what prompts have in common is counted as if "
        "it were each seed's own, and intervals are wider than they need be.");
  }
  for (std::size_t c = 0; draws.size() > 1 && c < pooled.draws.columns; ++c) {
    pooled.deviations.push_back(stats::pooled_deviation(draws, c, shared));
  }
  return pooled;
}

}  // namespace plumb::mismatch
