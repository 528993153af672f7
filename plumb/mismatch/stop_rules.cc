#include "plumb/mismatch/stop_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace plumb::mismatch {
namespace {

std::size_t highest(std::span<const double> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

std::vector<double> mean_gold(const MeasuredRun& run) {
  std::vector<double> means;
  for (std::size_t c = 0; c < run.d.size(); ++c) {
    const auto row = std::span(run.gold).subspan(c * run.prompts, run.prompts);
    means.push_back(std::accumulate(row.begin(), row.end(), 0.0));
  }
  return means;
}

std::size_t within_budget(const MeasuredRun& run, double budget) {
  std::size_t last = 0;
  for (std::size_t c = 0; c < run.d.size(); ++c) {
    if (run.d[c] * run.d[c] <= budget) last = c;
  }
  return last;
}

}  // namespace

std::vector<RuleChoice> choose_checkpoints(const MeasuredRun& run, const RuleOptions& options) {
  std::vector<RuleChoice> rules = {
      {"ceiling", stats::ceiling_stop(run.curves(), options.stop).chosen},
      {"last", run.d.size() - 1},
      {"highest proxy", highest(run.proxy)},
      {"highest measured gold", highest(mean_gold(run))}};
  for (const double budget : options.kl_budgets) {
    rules.push_back({fmt::format("KL <= {:g}", budget), within_budget(run, budget)});
  }
  return rules;
}

double regret(std::span<const double> true_gold, std::size_t checkpoint) {
  return std::ranges::max(true_gold) - true_gold[checkpoint];
}

}  // namespace plumb::mismatch
