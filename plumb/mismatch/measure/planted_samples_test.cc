// What the measurement of a run promises, counted through its own path, from samples to curves to
// ceilings, over runs whose truth is known.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "plumb/mismatch/ceiling.h"
#include "plumb/mismatch/measure/measure.h"
#include "plumb/mismatch/measure/measure_testing.h"

namespace plumb::mismatch {
namespace {

using testing::PlantedSamples;

constexpr std::uint64_t kRuns = 200;

struct Outcome {
  int covered = 0, detected = 0;
};

Outcome count(const PlantedSamples& planted, std::string_view purpose) {
  const double truth = stats::curve_peak(planted.world.form, planted.world.curve);
  Outcome outcome;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    Stream stream(5, purpose, run);
    const SampleTable table = planted.draw(stream);
    const Trajectory path = run_trajectory(table, 0).value();
    const auto reports =
        fit_curves(std::vector{curve_of(path, Quantity::kGold, "gold")},
                   {.form = planted.world.form, .sampling = {.resamples = 500, .seed = run}});
    const stats::Ceiling& ceiling = *reports[0].ceiling;
    outcome.covered += ceiling.d_star_ci.low <= truth && truth <= ceiling.d_star_ci.high ? 1 : 0;
    outcome.detected += ceiling.detected ? 1 : 0;
  }
  return outcome;
}

// 93 to 97 of a hundred; two samples a prompt, so the start of each prompt is noisy too.
TEST(PlantedSamples, HaveTheirCeilingInItsIntervalAsOftenAsItSays) {
  const Outcome outcome =
      count({.world = {.curve = {1, 0.5}, .prompts = 100}, .each = 2}, "samples");
  RecordProperty("covered", outcome.covered);
  RecordProperty("detected", outcome.detected);
  EXPECT_GE(outcome.covered, 186);
  EXPECT_LE(outcome.covered, 194);
  EXPECT_GE(outcome.detected, 100);
}

TEST(PlantedSamples, HaveNoCeilingDetectedWhereThereIsNone) {
  for (const double b : {0.0, 1 / (1 + std::log(12.0))}) {
    const Outcome outcome =
        count({.world = {.curve = {1, b}, .prompts = 60}, .each = 1}, fmt::format("no {}", b));
    RecordProperty(fmt::format("{:.2f}", b), outcome.detected);
    EXPECT_LE(outcome.detected, static_cast<int>(kRuns) / 20) << b;
  }
}

// Runs with ceilings from a third of the way to beyond the end; every rule chooses on one half of
// the prompts, and loses what the planted curve says.
TEST(PlantedSamples, LoseLeastByTheStoppingRule) {
  std::map<std::string, double> regrets;
  MeasureOptions options;
  options.rules.kl_budgets = {4, 9, 16, 25, 36, 49, 64, 81, 100, 121};
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    Stream stream(5, "rules", run);
    const double peak = 3 + 17 * stream.uniform();  // of d; the run ends at 12
    PlantedSamples planted{.world = {.prompts = 120}, .each = 1};
    planted.world.curve = {1, 1 / (1 + std::log(peak))};
    const auto truth = planted.world.true_gold();
    options.sampling.seed = run;
    const RuleReport report =
        compare_rules(run_trajectory(planted.draw(stream), 0).value(), options);
    for (const RuleMeasure& rule : report.rules) {
      regrets[rule.name] += regret(truth, rule.at - 1) / kRuns;
    }
  }
  ASSERT_GE(regrets.size(), 10U);
  for (const auto& [name, value] : regrets) RecordProperty(name, fmt::format("{:.4f}", value));
  for (const auto& [name, value] : regrets) {
    if (name == "ceiling") continue;
    EXPECT_LT(regrets.at("ceiling"), value) << name;
  }
}

// Worlds of single samples at the start: gold is normal, the proxy adds a multiple of the length,
// and noise. Best of n of it is in each part of the gap what was planted.
struct LengthWorld {
  double per_token = 0.1, noise = 0;

  SampleTable draw(std::uint64_t run) const {
    Stream stream(6, "length", run);
    SampleTableBuilder builder;
    for (int p = 0; p < 60; ++p) {
      for (int i = 0; i < 32; ++i) {
        const double gold = testing::normal(stream);
        const std::size_t tokens = 5 + stream.below(20);
        const double error = noise * testing::normal(stream);
        builder.add({.step = 0,
                     .prompt = std::to_string(p),
                     .completion = "x",
                     .tokens = tokens,
                     .proxy = gold + per_token * static_cast<double>(tokens) + error,
                     .gold = gold});
      }
    }
    return builder.finish();
  }
};

TEST(LengthBias, IsInItsIntervalAndTakesItsPartOfTheGap) {
  int covered = 0;
  for (std::uint64_t run = 0; run < 100; ++run) {
    const SampleTable table = LengthWorld{.noise = 0.5}.draw(run);
    const GapReport gap = measure_gap(best_of_n_trajectory(table, 0).value(), {.resamples = 300});
    const stats::Interval ci = *gap.proxy_per_token.ci;
    covered += ci.low <= 0.1 && 0.1 <= ci.high ? 1 : 0;
  }
  RecordProperty("covered", covered);
  EXPECT_GE(covered, 88);  // of 95 expected; 2.2 is the binomial deviation
  const GapReport gap =
      measure_gap(best_of_n_trajectory(LengthWorld{}.draw(0), 0).value(), {.resamples = 300});
  // Without noise gold is a line of proxy and length, exactly: nothing is left to other causes.
  for (const GapPoint& point : gap.points) EXPECT_NEAR(*point.rest.value, 0, 1e-9);
  EXPECT_NEAR(*gap.proxy_per_token.value, 0.1, 1e-9);
}

TEST(Noise, IsRegressionalOnly) {
  const SampleTable table = LengthWorld{.per_token = 0, .noise = 1}.draw(1);
  const GapReport gap = measure_gap(best_of_n_trajectory(table, 0).value(), {.resamples = 300});
  EXPECT_NEAR(*gap.correlation.value, std::sqrt(0.5), 0.05);
  const GapPoint& last = gap.points.back();
  EXPECT_GT(last.regressional.ci->low, 0);
  EXPECT_LT(last.rest.ci->low, 0.1);
  EXPECT_GT(last.rest.ci->high, -0.1);
  EXPECT_NEAR(*last.length.value, 0, 0.05);
}

TEST(PerfectProxy, HasNoGap) {
  const SampleTable table = LengthWorld{.per_token = 0, .noise = 0}.draw(2);
  const GapReport gap = measure_gap(best_of_n_trajectory(table, 0).value(), {.resamples = 300});
  for (const GapPoint& point : gap.points) EXPECT_NEAR(*point.gap.value, 0, 1e-12);
}

}  // namespace
}  // namespace plumb::mismatch
