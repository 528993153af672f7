#include "plumb/mismatch/population/correlations.h"

#include <algorithm>
#include <cmath>

#include "plumb/base/random.h"
#include "plumb/mismatch/population/pairs.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/hypothesis.h"
#include "plumb/stats/intervals.h"

namespace plumb::mismatch {
namespace {

constexpr std::size_t kPermutations = 9999;

std::vector<double> drawn(std::span<const double> values, stats::Counts counts) {
  std::vector<double> result;
  for (std::size_t i = 0; i < values.size(); ++i) result.insert(result.end(), counts[i], values[i]);
  return result;
}

// Spearman's and Pearson's of one metric on the same resamples.
stats::Draws draw_correlations(std::span<const double> metric, std::span<const double> gold,
                               const stats::BootstrapOptions& sampling) {
  const auto statistics = [&](stats::Counts counts, std::span<stats::Score> values) {
    const auto x = drawn(metric, counts), y = drawn(gold, counts);
    values[0] = stats::spearman(x, y);
    values[1] = stats::pearson(x, y);
  };
  return stats::paired_bootstrap(stats::Resampling::of_items(gold.size()), 2, statistics, sampling);
}

// The share of orders of the target that correlate as strongly, the one at hand among them.
double permutation_p(std::span<const double> metric, std::span<const double> gold,
                     std::uint64_t seed) {
  const stats::Score observed = stats::spearman(metric, gold);
  if (!observed) return 1;
  std::vector<double> moved(gold.begin(), gold.end());
  std::size_t as_strong = 1;
  for (std::size_t i = 0; i < kPermutations; ++i) {
    Stream stream(seed, "population permutation", i);
    shuffle(std::span(moved), stream);
    as_strong += std::abs(*stats::spearman(metric, moved)) >= std::abs(*observed) - 1e-12 ? 1 : 0;
  }
  return static_cast<double>(as_strong) / static_cast<double>(kPermutations + 1);
}

MetricCorrelation correlate_one(const std::string& name, std::vector<double> values,
                                const std::string& target, std::span<const double> gold,
                                const CorrelationOptions& options) {
  const bool turned = less_is_better(name);
  if (turned) {
    for (double& value : values) value = -value;
  }
  const stats::Draws draws = draw_correlations(values, gold, options.sampling);
  return {.metric = name,
          .target = target,
          .turned = turned,
          .models = gold.size(),
          .spearman = stats::summarize(draws, 0, options.sampling),
          .pearson = stats::summarize(draws, 1, options.sampling),
          .p = permutation_p(values, gold, options.sampling.seed),
          .detectable = detectable_correlation(gold.size(), options.sampling.level)};
}

}  // namespace

double detectable_correlation(std::size_t n, double level) {
  const double z = stats::normal_quantile((1 + level) / 2) + stats::normal_quantile(0.8);
  return std::tanh(z / std::sqrt(static_cast<double>(n) - 3));
}

void judge_correlations(std::span<MetricCorrelation> rows, const CorrelationOptions& options) {
  std::vector<double> p;
  for (const MetricCorrelation& row : rows) p.push_back(row.p);
  const std::vector<double> adjusted = stats::holm(p);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    MetricCorrelation& row = rows[i];
    row.adjusted_p = adjusted[i];
    row.verdict = Verdict::kInsufficient;
    if (!row.spearman.interval) continue;
    const Verdict alone = verdict_of(*row.spearman.interval, options.resolution);
    const bool sided = alone == Verdict::kAligned || alone == Verdict::kInverted;
    if (sided && row.adjusted_p > 1 - options.sampling.level) continue;
    row.verdict = alone;
  }
}

std::vector<MetricCorrelation> correlate(const std::map<std::string, std::vector<double>>& metrics,
                                         const std::string& target, std::span<const double> gold,
                                         const CorrelationOptions& options) {
  std::vector<MetricCorrelation> rows;
  for (const auto& [name, values] : metrics) {
    rows.push_back(correlate_one(name, values, target, gold, options));
  }
  judge_correlations(rows, options);
  return rows;
}

}  // namespace plumb::mismatch
