#include "plumb/mismatch/population/pairs.h"

#include <algorithm>
#include <numeric>

#include "plumb/base/random.h"
#include "plumb/rlhf/reward/reward_metrics.h"
#include "plumb/stats/calibration.h"

namespace plumb::mismatch {
namespace {

constexpr std::size_t kBins = 10, kNullDraws = 100;

// Pairs among some samples of one prompt.
void add_pairs(std::span<const rlhf::Sample> samples, std::span<const std::size_t> places,
               std::uint32_t prompt, const PairDrawing& how, std::vector<PlacedPair>& pairs) {
  std::vector<PlacedPair> all;
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const rlhf::Sample &a = samples[places[i]], &b = samples[places[j]];
      if (*a.gold == *b.gold || a.completion == b.completion) continue;
      all.push_back({places[i], places[j], prompt, *a.gold > *b.gold ? 1.0 : 0.0});
    }
  }
  Stream stream(how.seed, "population pairs", prompt);
  shuffle(std::span(all), stream);
  all.resize(std::min(all.size(), how.per_prompt));
  for (PlacedPair& pair : all) {
    if (stream.below(2) == 0) pair = {pair.second, pair.first, prompt, 1 - pair.share};
    pairs.push_back(pair);
  }
}

}  // namespace

std::vector<PlacedPair> random_pairs(std::span<const rlhf::Sample> samples, std::size_t group,
                                     const PairDrawing& how) {
  std::vector<PlacedPair> pairs;
  std::vector<std::size_t> places(group);
  for (std::size_t first = 0; first < samples.size(); first += group) {
    std::iota(places.begin(), places.end(), first);
    add_pairs(samples, places, static_cast<std::uint32_t>(first / group), how, pairs);
  }
  return pairs;
}

std::vector<PlacedPair> best_pairs(std::span<const rlhf::Sample> samples, std::size_t group,
                                   std::span<const double> scores, const PairDrawing& how) {
  std::vector<PlacedPair> pairs;
  std::vector<std::size_t> places(group);
  const std::size_t kept = std::min(group, std::max<std::size_t>(group / 4, 2));
  for (std::size_t first = 0; first < samples.size(); first += group) {
    std::iota(places.begin(), places.end(), first);
    std::ranges::stable_sort(places, std::greater{}, [&](std::size_t i) { return scores[i]; });
    add_pairs(samples, std::span(places).first(kept), static_cast<std::uint32_t>(first / group),
              how, pairs);
  }
  return pairs;
}

std::vector<PlacedPair> with_errors(std::vector<PlacedPair> pairs, double share,
                                    std::uint64_t seed) {
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    Stream stream(seed, "population votes", i);
    if (stream.uniform() < share) pairs[i].share = 1 - pairs[i].share;
  }
  return pairs;
}

bool less_is_better(std::string_view metric) {
  return metric.find("accuracy") == std::string_view::npos;
}

PairMeasures measure_pairs(std::span<const PlacedPair> pairs, std::span<const double> scores,
                           double scale, double level) {
  PairMeasures measures;
  measures.pairs = pairs.size();
  std::vector<double> first, second, shares, logits;
  std::vector<std::uint32_t> prompts;
  std::map<std::uint32_t, std::uint32_t> numbers;  // without the prompts that have no pair
  for (const PlacedPair& pair : pairs) {
    first.push_back(scores[pair.first]);
    second.push_back(scores[pair.second]);
    shares.push_back(pair.share);
    logits.push_back(scale * (first.back() - second.back()));
    const auto next = static_cast<std::uint32_t>(numbers.size());
    prompts.push_back(numbers.emplace(pair.prompt, next).first->second);
  }
  const auto accuracy = rlhf::pair_accuracy(first, second, shares, prompts, level);
  if (!accuracy) {
    measures.reason = "no two completions of a prompt differ in gold";
    return measures;
  }
  measures.accuracy_ci = accuracy->half_tie.ci;
  const std::vector<std::size_t> votes(shares.size(), 1);
  measures.values = {
      {"accuracy", accuracy->half_tie.value},
      {"log_loss", *stats::log_loss(logits, shares)},
      {"ece",
       stats::debiased_calibration_error(logits, shares, votes, kBins, kNullDraws, 0)->debiased},
      {"brier", *stats::brier_score(logits, shares)}};
  return measures;
}

}  // namespace plumb::mismatch
