#include "plumb/mismatch/measure/sample_checks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "plumb/mismatch/measure/measure.h"
#include "plumb/mismatch/measure/measure_testing.h"

namespace plumb::mismatch {
namespace {

using testing::PlantedSamples;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::vector<rlhf::Sample> grid(std::size_t steps, std::size_t prompts, std::size_t each) {
  std::vector<rlhf::Sample> samples;
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::size_t p = 0; p < prompts; ++p) {
      for (std::size_t i = 0; i < each; ++i) {
        const auto number = static_cast<double>(samples.size());
        samples.push_back({.step = 10 * step,
                           .prompt = fmt::format("prompt {}", p),
                           .completion = fmt::format("text {}", number),
                           .tokens = 8 + i,
                           .proxy = std::fmod(number * 0.618, 1) + static_cast<double>(step),
                           .gold = std::fmod(number * 0.414, 1) + static_cast<double>(step),
                           .kl = static_cast<double>(step)});
      }
    }
  }
  return samples;
}

SampleTable table_of(std::span<const rlhf::Sample> samples) {
  SampleTableBuilder builder;
  for (const rlhf::Sample& one : samples) builder.add(one);
  return builder.finish();
}

TEST(MissingFields, AreNoneWhereAllSamplesHaveThemOrNone) {
  EXPECT_TRUE(missing_fields(table_of(grid(3, 4, 2)), 0).empty());
}

TEST(MissingFields, AreCountedByStep) {
  auto samples = grid(4, 5, 2);
  for (const std::size_t i : {21U, 25U, 32U}) samples[i].gold.reset();
  const auto missing = missing_fields(table_of(samples), 0);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].field, "gold");
  EXPECT_EQ(missing[0].missing, 3U);
  EXPECT_EQ(missing[0].samples, 40U);
  ASSERT_EQ(missing[0].lacking.size(), 2U);
  EXPECT_EQ(missing[0].lacking[0].step, 20U);
  EXPECT_EQ(missing[0].lacking[0].missing, 2U);
  EXPECT_EQ(missing[0].lacking[0].samples, 10U);
  EXPECT_TRUE(missing[0].too_much());
  EXPECT_TRUE(too_much_missing(missing, "gold", 0, 20));
  EXPECT_FALSE(too_much_missing(missing, "gold", 0, 10));
  EXPECT_FALSE(too_much_missing(missing, "proxy", 0, 30));
  EXPECT_EQ(missing_sentences(missing).at(0),
            "\"gold\" is missing in 3 of 40 samples, at 2 of 4 steps from step 20 on (most at step "
            "20, 2 of 10): means are of the rest, and wrong where what is missing hangs on the "
            "answer. No verdict rests on it, since a step lacks more than 5 %; where chance alone "
            "took it, leave these samples out.");
}

// A gold that was measured at some checkpoints, or of some prompts, hangs on no answer.
TEST(MissingFields, OfWholeStepsAndPromptsBiasNothingAndAreSaid) {
  auto samples = grid(4, 5, 2);
  for (rlhf::Sample& one : samples) {
    if (one.step == 10 || one.prompt == "prompt 3") one.gold.reset();
  }
  const auto missing = missing_fields(table_of(samples), 0);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].missing, 0U);
  EXPECT_FALSE(missing[0].too_much());
  EXPECT_EQ(missing_sentences(missing),
            std::vector<std::string>{"\"gold\" is measured at 3 of 4 steps and for 4 of 5 prompts; "
                                     "what rests on it is of these."});
}

TEST(MissingFields, OfDistancesAndLengthsAreSaidToo) {
  auto samples = grid(3, 25, 2);
  samples[1].tokens.reset();
  samples[60].kl.reset();
  const auto sentences = missing_sentences(missing_fields(table_of(samples), 0));
  ASSERT_EQ(sentences.size(), 2U);
  EXPECT_EQ(sentences[0],
            "\"kl\" is missing in 1 of 150 samples, at step 10: distances are of the rest, and "
            "wrong where what is missing hangs on the answer.");
  EXPECT_TRUE(sentences[1].starts_with("\"tokens\" is missing in 1 of 150 samples, at step 0:"));
}

// A judge that fails on bad answers: what is left of each step's gold rises.
TEST(MeasureRun, HasNoVerdictOnAGoldThatTheWorstAnswersLack) {
  Stream stream(3, "measure", 0);
  SampleTable table = PlantedSamples{.world = {.curve = {1, 0.5}}}.draw(stream);
  const std::size_t middle = table.steps.size() / 2;
  for (const SampleGroup& group : table.groups) {
    if (group.step < middle) continue;
    const auto rows = std::span(table.gold).subspan(group.begin, group.end - group.begin);
    *std::ranges::min_element(rows) = kNone;
  }
  const RunMeasure run = measure_run("run", table, {.sampling = {.resamples = 100}});
  ASSERT_EQ(run.missing.size(), 1U);
  EXPECT_TRUE(run.missing[0].starts_with("\"gold\" is missing in "));
  const TrajectoryMeasure& steps = run.trajectories.at(1);
  ASSERT_EQ(steps.curves[0].name, "gold");
  ASSERT_FALSE(steps.curves[0].ceiling);
  EXPECT_EQ(steps.curves[0].ceiling.error().reason, kTooMuchMissing);
  EXPECT_EQ(steps.curves[0].verdict, Verdict::kInsufficient);
  EXPECT_TRUE(steps.curves[1].ceiling) << "the proxy is whole";
  EXPECT_EQ(steps.rules.reason, "more than 5 % of the samples of a step lack gold");
  EXPECT_TRUE(run.trajectories[0].curves[0].ceiling) << "the start is whole";
  const auto curves = curves_of_samples(table, std::vector<std::string>{"gold"}).value();
  EXPECT_EQ(curves.at(1).doubt, kTooMuchMissing);
  EXPECT_EQ(curves.at(1).notes, run.missing);
}

TEST(MeasureRun, KeepsItsVerdictWhereAFewSamplesLackGoldAndSaysSo) {
  Stream stream(3, "measure", 0);
  SampleTable table = PlantedSamples{.world = {.curve = {1, 0.5}}}.draw(stream);
  for (std::size_t i = 7; i < table.samples(); i += 50) table.gold[i] = kNone;
  const RunMeasure run = measure_run("run", table, {.sampling = {.resamples = 100}});
  ASSERT_EQ(run.missing.size(), 1U);
  EXPECT_EQ(run.missing[0].find("No verdict"), std::string::npos);
  EXPECT_EQ(run.trajectories.at(1).curves[0].verdict, Verdict::kInverted);
  EXPECT_EQ(run.trajectories[1].trajectory.cells[1].without_gold, 2U)
      << "samples 7 and 807, the first at the start";
}

// What the prompts that have both say, whatever the proxy of the others is.
TEST(MeasureGap, IsOfThePromptsThatHaveProxyAndGold) {
  auto samples = grid(1, 6, 8);
  for (rlhf::Sample& one : samples) {
    if (one.prompt >= "prompt 4") one.proxy = 10 * *one.proxy;
  }
  auto part = samples;
  std::erase_if(part, [](const rlhf::Sample& one) { return one.prompt >= "prompt 4"; });
  samples[33].gold.reset();
  samples[47].gold.reset();
  const Trajectory whole = best_of_n_trajectory(table_of(samples), 0).value();
  const GapPoint all = measure_gap(whole, {.resamples = 50}).points.at(2);
  EXPECT_EQ(all.with_proxy, 6U);
  EXPECT_EQ(all.with_gold, 4U);
  EXPECT_EQ(all.with_both, 4U);
  const Trajectory four = best_of_n_trajectory(table_of(part), 0).value();
  const GapReport report = measure_gap(four, {.resamples = 50});
  double proxy = 0;
  for (const Cell& cell : four.cells) proxy += cell.point == 2 ? cell.proxy / 4 : 0;
  const GapReport with = measure_gap(whole, {.resamples = 50});
  const double expected = proxy / with.proxy_deviation - *all.gold.value / with.gold_deviation;
  EXPECT_NEAR(*all.gap.value, expected, 1e-12);
  EXPECT_NEAR(*all.regressional.value + *all.length.value + *all.rest.value, *all.gap.value, 1e-12);
  EXPECT_EQ(report.points.at(2).with_both, 4U);
}

TEST(MeasureRun, SaysOfHowManyPromptsTheGapIs) {
  auto samples = grid(1, 6, 8);
  samples[33].gold.reset();
  const RunMeasure run = measure_run("run", table_of(samples), {.sampling = {.resamples = 20}});
  const auto& warnings = run.trajectories.at(0).trajectory.warnings;
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0],
            "The gap and its parts are of the prompts that have both: at n = 2 proxy stands in 6, "
            "gold in 5, both in 5; the gold of the best of n needs that of all samples of a "
            "prompt.");
}

// Wilson's interval of 10 of 10: 10 / (10 + 1.96^2).
TEST(MeasureGap, DoesNotExcludeWhatItHasNotSeenOfAShare) {
  std::vector<rlhf::Sample> samples = grid(2, 10, 4);
  for (rlhf::Sample& one : samples) one.proxy = *one.gold;
  const GapPoint point =
      measure_gap(run_trajectory(table_of(samples), 0).value(), {.resamples = 50}).points.at(0);
  EXPECT_EQ(*point.accuracy.value, 1);
  EXPECT_NEAR(point.accuracy.ci->low, 10 / (10 + 3.841459), 1e-6);
  EXPECT_EQ(*point.falls.value, 0);
  EXPECT_NEAR(point.falls.ci->high, 3.841459 / (10 + 3.841459), 1e-6);
}

TEST(Repeats, AreSaidWhereLinesStandTwice) {
  auto samples = grid(3, 5, 4);
  EXPECT_EQ(repeats_sentence(table_of(samples), 0), "");
  auto twice = samples;
  twice.insert(twice.end(), samples.begin() + 20, samples.begin() + 40);
  const SampleTable table = table_of(twice);
  EXPECT_EQ(table.repeats, (std::vector<std::size_t>{0, 20, 0}));
  const std::string told = repeats_sentence(table, 0);
  EXPECT_TRUE(told.starts_with("20 of 40 samples of 1 step (the first is step 10) repeat")) << told;
  for (rlhf::Sample& one : samples) one.completion = "the same";
  EXPECT_EQ(repeats_sentence(table_of(samples), 0), "") << "their proxies differ";
}

TEST(SampleTable, HasTheSameContentsInAnyOrder) {
  const auto samples = grid(3, 5, 4);
  auto other = samples;
  std::ranges::reverse(other);
  EXPECT_EQ(table_of(samples).contents, table_of(other).contents);
  EXPECT_NE(table_of(samples).sha256, table_of(other).sha256);
  other[7].completion += "!";
  EXPECT_NE(table_of(samples).contents, table_of(other).contents);
}

TEST(MeasureRun, AsksWhetherLogProbabilitiesAreSwapped) {
  auto samples = grid(3, 12, 4);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    rlhf::Sample& one = samples[i];
    one.log_probability = -20 - static_cast<double>(one.step) - 0.1 * static_cast<double>(i % 5);
    one.reference_log_probability = -20;
  }
  const RunMeasure run = measure_run("run", table_of(samples), {.sampling = {.resamples = 20}});
  ASSERT_EQ(run.warnings.size(), 1U);
  EXPECT_NE(run.warnings[0].find("swapped?"), std::string::npos);
}

}  // namespace
}  // namespace plumb::mismatch
