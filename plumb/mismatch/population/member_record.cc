#include "plumb/mismatch/population/member_record.h"

#include <fmt/format.h>

#include <numeric>
#include <optional>

#include "plumb/mismatch/chain/samples.h"
#include "plumb/stats/best_of_n.h"
#include "plumb/stats/intervals.h"

namespace plumb::mismatch {
namespace {

Json interval_json(const stats::Interval& ci) { return Json::array({ci.low, ci.high}); }

// Of each prompt the expected gold of the best of n, and of one sample.
struct ChosenGold {
  std::vector<double> best, gain;
  bool ties = false;
};

ChosenGold chosen_gold(const PopulationPools& pools, const std::vector<double>& scores,
                       std::size_t n, int threads) {
  std::vector<double> gold;
  for (const rlhf::Sample& sample : pools.measured) gold.push_back(*sample.gold);
  const std::size_t sizes[] = {1, n};
  const auto curves = stats::best_of_n_curves({.prompts = scores.size() / pools.measured_group,
                                               .samples = pools.measured_group,
                                               .proxy = scores,
                                               .gold = gold},
                                              std::span(sizes).subspan(n == 1 ? 1 : 0), threads);
  ChosenGold chosen;
  chosen.ties = curves.ties;
  const std::size_t k = curves.n.size();
  for (std::size_t p = 0; p < curves.prompts(); ++p) {
    chosen.best.push_back(curves.gold[p * k + k - 1]);
    chosen.gain.push_back(chosen.best.back() - curves.gold[p * k]);
  }
  return chosen;
}

void add_measures(const std::string& distribution, const PairMeasures& measures, Json& record) {
  record["pairs"][distribution] = measures.pairs;
  if (!measures.reason.empty()) {
    record["missing"][distribution] = measures.reason;
    return;
  }
  for (const std::string_view metric : kPairMetrics) {
    record[fmt::format("{}_{}", distribution, metric)] = measures.values.at(std::string(metric));
  }
  record["accuracy_ci"][distribution] = interval_json(measures.accuracy_ci);
}

}  // namespace

std::vector<std::string> pair_distributions() { return {"base", "people", "best", "shifted"}; }

Json mean_json(const std::vector<double>& values, double level) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  const std::optional<stats::Interval> ci = stats::student_interval(values, level);
  return {{"value", sum / static_cast<double>(values.size())},
          {"ci", ci ? interval_json(*ci) : Json()}};
}

Result<std::vector<double>> scores_of(rlhf::Reward& reward,
                                      const std::vector<rlhf::Sample>& samples, int threads) {
  return reward.score(completed_texts(samples), threads);
}

Result<Json> member_record(const std::string& name, rlhf::LearnedReward& reward,
                           const PopulationPools& pools, const RecordOptions& options) {
  PLUMB_TRY(validation, scores_of(reward, pools.validation, options.threads));
  PLUMB_TRY(shifted, scores_of(reward, pools.shifted, options.threads));
  PLUMB_TRY(measured, scores_of(reward, pools.measured, options.threads));
  const ChosenGold chosen = chosen_gold(pools, measured, options.n, options.threads);
  const Json gold = mean_json(chosen.best, options.level);
  const Json gain = mean_json(chosen.gain, options.level);
  Json record = {{"reward_model", name},
                 {"gold", gold["value"]},
                 {"gold_ci", gold["ci"]},
                 {"policy",
                  {{"method", "best of n"},
                   {"n", options.n},
                   {"kl", stats::best_of_n_kl(static_cast<double>(options.n))},
                   {"kl_is_bound", chosen.ties},
                   {"prompts", chosen.best.size()},
                   {"gain", gain["value"]},
                   {"gain_ci", gain["ci"]}}}};
  const double scale = reward.logit_scale();
  const auto add = [&](const char* distribution, const std::vector<PlacedPair>& pairs,
                       const std::vector<double>& scores) {
    add_measures(distribution, measure_pairs(pairs, scores, scale, options.level), record);
  };
  add("base", pools.base, validation);
  add("people", pools.people, validation);
  add("best",
      best_pairs(pools.validation, pools.validation_group, validation,
                 {.per_prompt = options.best_pairs, .seed = options.seed}),
      validation);
  add("shifted", pools.shifted_pairs, shifted);
  return record;
}

}  // namespace plumb::mismatch
