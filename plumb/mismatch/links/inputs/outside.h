// What link B, reward model and evaluation, takes from beside a run: a population of reward models,
// pairs that evaluations give, and labels that were given more than once.
//
//   population: {"reward_model":"half-1","accuracy":0.64,"log_loss":0.63,"gold":0.31}
//   pairs:      {"eval":"gsm8k","prompt":"p1","chosen":1.2,"rejected":-0.3}
//   labels:     {"item":"pair 1","label":"a"}          one line a label
//
// JSON lines or tables. Every number of a population's line but "gold", "reward_model" and "seed"
// is a metric of that model; "gold" is what the policy earned that was chosen by it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/mismatch/links/rows.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::mismatch {

struct Population {
  std::string file;
  std::vector<double> gold;                            // [models]
  std::map<std::string, std::vector<double>> metrics;  // [models] each
};

// A file, or a folder with population.jsonl. kBadInput with file and line: no number "gold"; a
// metric that the first line has and this one lacks; fewer than four models.
Result<Population> read_population(const std::filesystem::path& path);

// Spearman's correlation of each metric with the gold, over models (interval: Bonett and Wright
// 2000). Metrics of which less is better ("loss", "ece", "brier" or "error" in their name) are
// turned round, and their row says so. Accuracies are the headline; without one all metrics.
std::vector<LinkRow> population_rows(const Population& population, double level);

struct ScoredPairs {
  std::string eval;
  std::vector<double> right;           // 1, 0, or 0.5 for a tie
  std::vector<std::uint32_t> cluster;  // the prompt of each; a pair of its own without one
  std::size_t ties = 0;
};

// By evaluation, in their order. kBadInput with file and line: a score is missing.
Result<std::vector<ScoredPairs>> read_scored_pairs(const std::filesystem::path& file);

// The share of pairs whose better side scores higher, ties half: clustered Wilson intervals.
std::vector<LinkRow> pair_rows(const std::vector<ScoredPairs>& pairs, double level);

// [items][labels]. kBadInput with file and line: a field is missing; no item has two labels.
Result<std::vector<std::vector<std::string>>> read_labels(const std::filesystem::path& file);

// Two labels of one pair, each wrong with chance e, agree with chance a = 1 - 2 e (1 - e): the best
// accuracy against such labels is 1 - e = (1 + sqrt(2 a - 1)) / 2. Intervals over items.
std::vector<LinkRow> noise_ceiling_rows(const std::vector<std::vector<std::string>>& labels,
                                        const stats::BootstrapOptions& options);

}  // namespace plumb::mismatch
