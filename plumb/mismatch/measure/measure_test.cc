#include "plumb/mismatch/measure/measure.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "plumb/base/files.h"
#include "plumb/mismatch/measure/measure_testing.h"
#include "plumb/mismatch/measure/run_details.h"
#include "plumb/rlhf/worlds/world.h"

namespace plumb::mismatch {
namespace {

using testing::PlantedSamples;

// Golden values of NumPy's least squares with a column a prompt: tests/golden/mismatch_measure.py.
class Golden : public ::testing::Test {
 protected:
  nlohmann::json golden_ =
      nlohmann::json::parse(read_file("tests/golden/mismatch_measure.json").value());

  SampleTable table() const {
    SampleTableBuilder builder;
    for (const auto& sample : golden_["samples"]) {
      builder.add({.step = sample["step"],
                   .prompt = sample["prompt"],
                   .completion = sample["completion"],
                   .tokens = sample["tokens"].get<std::size_t>(),
                   .proxy = sample["proxy"].get<double>(),
                   .gold = sample["gold"].get<double>(),
                   .kl = sample["kl"].get<double>()});
    }
    return builder.finish();
  }
};

TEST_F(Golden, GainsGapAndItsPartsAreNumPys) {
  const Trajectory run = run_trajectory(table(), 0).value();
  const GapReport gap = measure_gap(run, {.resamples = 200});
  constexpr double kNear = 1e-9;
  EXPECT_NEAR(gap.proxy_deviation, golden_["proxy_deviation"], kNear);
  EXPECT_NEAR(gap.gold_deviation, golden_["gold_deviation"], kNear);
  EXPECT_NEAR(*gap.correlation.value, golden_["correlation"], kNear);
  EXPECT_NEAR(*gap.proxy_per_token.value, golden_["proxy_per_token"], kNear);
  EXPECT_NEAR(*gap.gold_per_token.value, golden_["gold_per_token"], kNear);
  ASSERT_EQ(gap.points.size(), 2U);
  for (std::size_t k = 0; k < 2; ++k) {
    const auto& expected = golden_["points"][k];
    const GapPoint& point = gap.points[k];
    EXPECT_EQ(run.points[k].at, expected["at"]);
    EXPECT_NEAR(*run.points[k].kl, expected["kl"], kNear);
    EXPECT_NEAR(*point.proxy.value, expected["proxy"], kNear);
    EXPECT_NEAR(*point.gold.value, expected["gold"], kNear);
    EXPECT_NEAR(*point.gap.value, expected["gap"], kNear);
    EXPECT_NEAR(*point.regressional.value, expected["regressional"], kNear);
    EXPECT_NEAR(*point.length.value, expected["length"], kNear);
    EXPECT_NEAR(*point.rest.value, expected["rest"], kNear);
    EXPECT_TRUE(point.gap.ci);
    EXPECT_LE(point.gap.ci->low, *point.gap.value);
    EXPECT_GE(point.gap.ci->high, *point.gap.value);
  }
}

TEST_F(Golden, MeasuresDependNeitherOnThreadsNorOnUnits) {
  const Trajectory run = run_trajectory(table(), 0).value();
  const GapReport one = measure_gap(run, {.resamples = 300, .threads = 1});
  const GapReport three = measure_gap(run, {.resamples = 300, .threads = 3});
  EXPECT_EQ(one.points[1].rest.ci->low, three.points[1].rest.ci->low);
  SampleTable scaled = table();
  for (double& value : scaled.proxy) value = 5 + 100 * value;
  const GapReport other = measure_gap(run_trajectory(scaled, 0).value(), {.resamples = 300});
  EXPECT_NEAR(*other.points[1].gap.value, *one.points[1].gap.value, 1e-9);
  EXPECT_NEAR(*other.points[1].length.value, *one.points[1].length.value, 1e-9);
}

rlhf::Sample sample(std::size_t step, const std::string& prompt, double proxy, double gold,
                    double kl) {
  return {
      .step = step, .prompt = prompt, .completion = "x", .proxy = proxy, .gold = gold, .kl = kl};
}

SampleTable table_of(const std::vector<rlhf::Sample>& samples) {
  SampleTableBuilder builder;
  for (const rlhf::Sample& one : samples) builder.add(one);
  return builder.finish();
}

std::string reason_of(const Result<Trajectory>& trajectory) {
  return trajectory ? "" : trajectory.error().message;
}

TEST(SampleTable, IsSortedByStepAndPromptWhateverTheOrder) {
  const SampleTable table = table_of({sample(7, "b", 1, 2, 3), sample(0, "a", 4, 5, 0),
                                      sample(7, "a", 6, 7, 8), sample(7, "b", 9, 10, 11)});
  EXPECT_EQ(table.prompts, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(table.steps, (std::vector<std::size_t>{0, 7}));
  EXPECT_EQ(table.proxy, (std::vector<double>{4, 1, 9, 6}));
  ASSERT_EQ(table.at_step(1).size(), 2U);
  EXPECT_EQ(table.at_step(1)[0].prompt, 0U);
  EXPECT_EQ(measured_mean(table.gold, table.at_step(1)[0].begin, table.at_step(1)[0].end), 6);
  EXPECT_TRUE(table.at_step(2).empty());
}

TEST(Trajectory, LeavesOutPromptsThatAreNotAtEveryStep) {
  std::vector<rlhf::Sample> samples;
  for (const unsigned step : {0U, 1U, 2U}) {
    for (const char* prompt : {"a", "b", "c"}) {
      samples.push_back(sample(step, prompt, step, 2 * step, 4 * step));
    }
  }
  samples.push_back(sample(1, "d", 100, 100, 100));
  samples.push_back(sample(0, "e", 100, 100, 0));
  const Trajectory run = run_trajectory(table_of(samples), 0).value();
  EXPECT_EQ(run.prompts.size(), 3U);
  EXPECT_TRUE(run.complete);
  EXPECT_EQ(*run.points[1].kl, 8);
  EXPECT_EQ(*run.points[1].d, std::sqrt(8.0));
  for (const Cell& cell : run.cells) EXPECT_EQ(cell.gold, 2.0 * (cell.point + 1));
  ASSERT_EQ(run.warnings.size(), 1U);
  EXPECT_EQ(run.warnings[0],
            "Prompts differ between steps: measured are the 3 that stand at every step; 2 others "
            "are left out.");
}

TEST(Trajectory, MeasuresAgainstTheMeanOfTheStartWherePromptsHaveNone) {
  const Trajectory run =
      run_trajectory(table_of({sample(0, "a", 1, 10, 0), sample(0, "b", 3, 30, 0),
                               sample(5, "c", 4, 50, 1), sample(5, "d", 5, 60, 3)}),
                     0)
          .value();
  EXPECT_FALSE(run.complete);
  ASSERT_EQ(run.cells.size(), 2U);
  EXPECT_EQ(run.cells[0].gold, 30);
  EXPECT_EQ(run.cells[1].proxy, 3);
  EXPECT_NE(run.warnings.at(0).find("as \"c\""), std::string::npos);
  const RuleReport rules = compare_rules(run, {});
  EXPECT_EQ(rules.reason, "prompts differ between steps");
}

TEST(Trajectory, TakesTheEstimateWhereThereIsNoExactDivergence) {
  std::vector<rlhf::Sample> samples;
  for (const unsigned step : {0U, 1U, 2U, 3U}) {
    for (const char* prompt : {"a", "b"}) {
      rlhf::Sample one{.step = step, .prompt = prompt, .completion = "x", .gold = 1};
      if (step < 3) {
        one.log_probability = -5;
        one.reference_log_probability = step == 1 ? -7 : -4.5;
      }
      samples.push_back(one);
    }
  }
  const Trajectory run = run_trajectory(table_of(samples), 0).value();
  EXPECT_EQ(run.points[0].source, KlSource::kEstimate);
  EXPECT_EQ(*run.points[0].d, std::sqrt(2.0));
  EXPECT_EQ(*run.points[1].kl, -0.5);
  EXPECT_FALSE(run.points[1].d);
  EXPECT_EQ(run.points[2].source, KlSource::kNone);
  ASSERT_EQ(run.warnings.size(), 3U);
  EXPECT_NE(run.warnings[0].find("1 of 3 steps have neither"), std::string::npos);
  EXPECT_NE(run.warnings[1].find("2 of 3 steps is an estimate"), std::string::npos);
  EXPECT_NE(run.warnings[2].find("of 1 steps is below 0"), std::string::npos);
}

// By hand: of the pairs with different gold (1,2) (1,3) (2,3) of the proxies 5, 5, 4: a tie, wrong
// and wrong; of the second prompt one pair, right.
TEST(Trajectory, KnowsHowOftenTheProxyOrdersPairsAsGoldDoes) {
  const Trajectory run =
      run_trajectory(
          table_of({sample(0, "a", 0, 0, 0), sample(0, "b", 0, 0, 0), sample(1, "a", 5, 1, 1),
                    sample(1, "a", 5, 2, 1), sample(1, "a", 4, 3, 1), sample(1, "b", 1, 1, 1),
                    sample(1, "b", 2, 2, 1), sample(2, "a", 0, 0, 1), sample(2, "b", 0, 0, 1)}),
          0)
          .value();
  EXPECT_FALSE(run.start.accuracy);
  EXPECT_DOUBLE_EQ(run.cells[0].accuracy, 0.5 / 3);
  EXPECT_EQ(run.cells[1].accuracy, 1);
  EXPECT_TRUE(std::isnan(run.cells[2].accuracy));
  const GapReport gap = measure_gap(run, {.resamples = 100});
  EXPECT_DOUBLE_EQ(*gap.points[0].accuracy.value, (1 + 0.5 / 3) / 2);
  EXPECT_FALSE(gap.points[1].accuracy.value);
}

TEST(Trajectory, SaysWhatItLacks) {
  const SampleTable one_step = table_of({sample(4, "a", 1, 1, 0), sample(4, "b", 1, 1, 0)});
  EXPECT_EQ(reason_of(run_trajectory(one_step, 0)),
            "there are no samples of step 0, the start that rewards are relative to; there are "
            "steps 4; --start names another");
  EXPECT_EQ(reason_of(run_trajectory(one_step, 4)), "no step follows step 4");
  EXPECT_EQ(reason_of(best_of_n_trajectory(one_step, 4)),
            "step 4 has 1 sample a prompt; four or more are needed");
  EXPECT_EQ(reason_of(best_of_n_trajectory(one_step, 0)), "there are no samples of step 0");
  std::vector<rlhf::Sample> one_prompt(6, sample(0, "a", 1, 1, 0));
  EXPECT_EQ(reason_of(best_of_n_trajectory(table_of(one_prompt), 0)),
            "there is one prompt; two or more are needed");
  for (rlhf::Sample& each : one_prompt) each.proxy.reset(), each.gold.reset();
  EXPECT_EQ(reason_of(best_of_n_trajectory(table_of(one_prompt), 0)),
            "no sample has a proxy reward to choose the best by");
  one_prompt[0].step = 1;
  EXPECT_EQ(reason_of(run_trajectory(table_of(one_prompt), 0)),
            "step 0 has neither proxy nor gold rewards");
}

TEST(Trajectory, OfOnePromptStandsAtEveryStep) {
  std::vector<rlhf::Sample> samples;
  for (const unsigned step : {0U, 1U, 2U}) {
    for (int i = 0; i < 4; ++i) samples.push_back(sample(step, "a", step + i, step, step));
  }
  const Trajectory run = run_trajectory(table_of(samples), 0).value();
  EXPECT_TRUE(run.complete);
  EXPECT_TRUE(run.warnings.empty()) << run.warnings[0];
  EXPECT_EQ(run.cells.at(1).gold, 2);
  samples.push_back(sample(1, "b", 0, 0, 1));  // of no start: the prompts do differ
  EXPECT_FALSE(run_trajectory(table_of(samples), 0).value().complete);
}

// The mean of ten times -0.1 is not -0.1 in doubles, nor is that of three times 0.1.
TEST(Trajectory, FindsNothingInWhatDoesNotVary) {
  std::vector<rlhf::Sample> samples;
  for (unsigned i = 0; i < 10; ++i) {
    for (const char* prompt : {"a", "b"}) {
      samples.push_back(sample(0, prompt, -0.1, 0.1 * i, 0));
      samples.push_back(sample(1, prompt, i, 0.1 * i, 1));
    }
  }
  const Trajectory run = run_trajectory(table_of(samples), 0).value();
  for (const Moments& prompt : run.start.moments) {
    EXPECT_EQ(prompt.pp, 0);
    EXPECT_EQ(prompt.pg, 0);
    EXPECT_EQ(prompt.proxy, -0.1);
  }
  const GapReport report = measure_gap(run, {.resamples = 100});
  EXPECT_EQ(report.proxy_deviation, 0);
  EXPECT_EQ(report.points[0].gap.value.error().reason,
            "the proxy is the same in all samples of the start");
}

TEST(Trajectory, HasNoGainWhereEqualScoresAreOfOtherNumbersOfSamples) {
  std::vector<rlhf::Sample> samples;
  for (unsigned i = 0; i < 10; ++i) {
    for (const char* prompt : {"a", "b"}) {
      samples.push_back(sample(0, prompt, i, 0.1, 0));
      if (i < 3) samples.push_back(sample(1, prompt, i, 0.1, 1));
    }
  }
  const Trajectory run = run_trajectory(table_of(samples), 0).value();
  for (const Cell& cell : run.cells) EXPECT_EQ(cell.gold, 0);
  // Of three prompts, one of which stands at the next step.
  const Trajectory others =
      run_trajectory(
          table_of({sample(0, "a", 1, 0.1, 0), sample(0, "b", 2, 0.1, 0), sample(0, "c", 3, 0.1, 0),
                    sample(1, "a", 4, 0.1, 1), sample(1, "d", 5, 0.1, 1)}),
          0)
          .value();
  ASSERT_FALSE(others.complete);
  for (const Cell& cell : others.cells) EXPECT_EQ(cell.gold, 0);
}

TEST(StartDeviations, OfSingleSamplesThatDoNotVaryAreUndefined) {
  Start start;
  start.moments.assign(10, {.n = 1, .proxy = -0.1, .gold = 0});
  for (std::size_t p = 0; p < 10; ++p) start.moments[p].gold = static_cast<double>(p % 2);
  const std::vector<std::uint32_t> once(10, 1);
  EXPECT_FALSE(start_deviations(start, once).proxy);
  EXPECT_NEAR(*start_deviations(start, once).gold, std::sqrt(2.5 / 9), 1e-15);
}

// By hand: proxies 1 2 3 4 with gold 10 20 30 40; the best of two is 4 in 3 of 6 pairs, 3 in 2, 2
// in one: 40/2 + 30/3 + 20/6 = 33 1/3, of one 25, of four 40.
TEST(BestOfN, IsTheExpectationOverAllChoices) {
  std::vector<rlhf::Sample> samples;
  for (const char* prompt : {"a", "b"}) {
    for (int i = 1; i <= 4; ++i) samples.push_back(sample(0, prompt, i, 10.0 * i, 0));
  }
  const Trajectory best = best_of_n_trajectory(table_of(samples), 0).value();
  ASSERT_EQ(best.points.size(), 2U);
  EXPECT_EQ(best.points[0].at, 2U);
  EXPECT_EQ(best.points[0].source, KlSource::kExact);
  EXPECT_DOUBLE_EQ(*best.points[0].kl, std::log(2.0) - 0.5);
  EXPECT_NEAR(best.cells[0].gold, 100.0 / 3 - 25, 1e-12);
  EXPECT_NEAR(best.cells[0].proxy, (100.0 / 3 - 25) / 10, 1e-12);
  EXPECT_NEAR(best.cells[2].gold, 15, 1e-12);
  samples[1].proxy = 1;
  EXPECT_EQ(best_of_n_trajectory(table_of(samples), 0)->points[0].source, KlSource::kBound);
}

TEST(BestOfN, LeavesOutPromptsWithFewSamples) {
  std::vector<rlhf::Sample> samples;
  for (const char* prompt : {"a", "b", "c"}) {
    for (int i = 1; i <= 8; ++i) samples.push_back(sample(0, prompt, i, i, 0));
  }
  samples.push_back(sample(0, "d", 1, 1, 0));
  const Trajectory best = best_of_n_trajectory(table_of(samples), 0).value();
  EXPECT_EQ(best.prompts.size(), 3U);
  EXPECT_EQ(best.points.size(), 3U);
  EXPECT_EQ(best.warnings.size(), 1U);
}

TEST(MeasureRun, FindsThePlantedCeilingAndKeepsItsCheckpoint) {
  Stream stream(3, "measure", 0);
  const SampleTable table = PlantedSamples{.world = {.curve = {1, 0.5}}}.draw(stream);
  const RunMeasure run = measure_run("run", table, {.sampling = {.resamples = 300}});
  ASSERT_EQ(run.trajectories.size(), 2U) << run.missing.size();
  const TrajectoryMeasure& steps = run.trajectories[1];
  ASSERT_EQ(steps.curves.size(), 2U);
  EXPECT_TRUE(steps.curves[0].ceiling->detected);
  EXPECT_NEAR(steps.curves[0].ceiling->d_star, std::exp(1.0), 0.5);
  EXPECT_EQ(steps.curves[0].verdict, Verdict::kInverted);
  EXPECT_FALSE(steps.curves[1].ceiling->detected);
  EXPECT_EQ(steps.curves[1].verdict, Verdict::kAligned);
  EXPECT_GT(steps.gap.points.back().gap.ci->low, 0);
  ASSERT_FALSE(steps.rules.rules.empty()) << steps.rules.reason;
  EXPECT_EQ(steps.rules.rules[0].name, "ceiling");
  EXPECT_NEAR(steps.rules.rules[0].d, std::exp(1.0), 1.01);
  EXPECT_LT(steps.rules.rules[0].regret, steps.rules.rules[1].regret);
  EXPECT_EQ(steps.rules.choosing + steps.rules.reporting, 200U);
}

TEST(MeasureRun, ClaimsNothingFromFewPrompts) {
  for (const std::size_t prompts : {5U, 8U}) {
    Stream stream(3, "few", prompts);
    const PlantedSamples planted{
        .world = {.curve = {1, 0.5}, .prompts = prompts, .spread = 0.05, .noise = 0.1}};
    const RunMeasure run =
        measure_run("run", planted.draw(stream), {.sampling = {.resamples = 300}});
    const CurveReport& gold = run.trajectories[1].curves[0];
    EXPECT_TRUE(gold.ceiling->turns_below_end());
    EXPECT_EQ(gold.ceiling->detected, prompts == 8);
    EXPECT_EQ(gold.verdict, prompts == 8 ? Verdict::kInverted : Verdict::kInsufficient);
    EXPECT_TRUE(gold.few);
    EXPECT_EQ(stages_of(run)[1].name, prompts == 8 ? "ceiling" : "highest gold");
  }
}

// Rewards are from a start half way, distances from the reference: no curve of both starts at 0.
TEST(MeasureRun, ClaimsNoCeilingWhereTheStartIsFarFromTheReference) {
  Stream stream(3, "measure", 0);
  const SampleTable table = PlantedSamples{.world = {.curve = {1, 0.5}}}.draw(stream);
  const std::size_t middle = table.steps[table.steps.size() / 2];
  const RunMeasure run =
      measure_run("run", table, {.start = middle, .sampling = {.resamples = 100}});
  for (const CurveReport& curve : run.trajectories[1].curves) {
    EXPECT_FALSE(curve.ceiling);
    EXPECT_EQ(curve.verdict, Verdict::kInsufficient);
  }
  EXPECT_TRUE(run.trajectories[0].curves[0].ceiling) << "best of n starts where it draws";
}

// 0.1 has no exact sum: the best of n of equal scores is still their score.
TEST(MeasureRun, ShowsNoCeilingOfAGoldThatIsTheSameEverywhere) {
  for (const double gold : {0.0, 0.1, 1.0}) {
    Stream stream(1, "constant gold", 0);
    std::vector<rlhf::Sample> samples;
    for (const unsigned step : {0U, 10U, 20U}) {
      for (std::size_t i = 0; i < 96; ++i) {
        samples.push_back(sample(step, "prompt " + std::to_string(i % 12), stream.uniform() + step,
                                 gold, step / 4.0));
      }
    }
    const RunMeasure run = measure_run("run", table_of(samples), {.sampling = {.resamples = 50}});
    ASSERT_EQ(run.trajectories.size(), 2U);
    for (const TrajectoryMeasure& one : run.trajectories) {
      EXPECT_EQ(one.curves[0].name, "gold");
      ASSERT_FALSE(one.curves[0].ceiling) << gold;
      EXPECT_EQ(one.curves[0].verdict, Verdict::kInsufficient);
      EXPECT_TRUE(one.curves[1].ceiling);
    }
  }
}

TEST(MeasureRun, SaysWhatIsMissingAndMeasuresTheRest) {
  Stream stream(3, "no-gold", 0);
  SampleTable table = PlantedSamples{.world = {.prompts = 20}}.draw(stream);
  table.gold.assign(table.gold.size(), std::nan(""));
  const RunMeasure run = measure_run("run", table, {.sampling = {.resamples = 100}});
  ASSERT_EQ(run.missing.size(), 1U);
  EXPECT_TRUE(run.missing[0].starts_with("No sample has a \"gold\""));
  const TrajectoryMeasure& steps = run.trajectories.at(1);
  ASSERT_EQ(steps.curves.size(), 1U);
  EXPECT_EQ(steps.curves[0].name, "proxy");
  EXPECT_EQ(steps.gap.points[0].gap.value.error().reason, "the gold is not measured");
  EXPECT_NE(steps.rules.reason.find("the gold of a prompt is missing"), std::string::npos);
}

// One sample a prompt at each step: no best of n, no lines within prompts, but curves and a gap.
TEST(MeasureRun, NeedsOnlyOneSampleAPromptForCurves) {
  Stream stream(3, "one-each", 0);
  const SampleTable table = PlantedSamples{.world = {}, .each = 1}.draw(stream);
  const RunMeasure run = measure_run("run", table, {.sampling = {.resamples = 100}});
  ASSERT_EQ(run.missing.size(), 1U);
  EXPECT_EQ(run.missing[0], "Best of n: step 0 has 1 sample a prompt; four or more are needed.");
  const GapReport& gap = run.trajectories.at(0).gap;
  EXPECT_FALSE(gap.within_prompts);
  EXPECT_TRUE(gap.points[0].gap.value);
  EXPECT_EQ(gap.points[0].rest.value.error().reason, "the start has one sample a prompt");
}

TEST(ReadSampleTable, ScoresAnewWithTheRewardsThatItIsGiven) {
  const std::string path = ::testing::TempDir() + fmt::format("measure_{}.jsonl", ::getpid());
  std::string lines;
  for (int i = 0; i < 5000; ++i) {
    lines += fmt::format(
        R"({{"step":{},"prompt":"Mia had a red kite.","completion":" Mia {} the kite and was happy.","gold":7}})"
        "\n",
        i % 2, i % 3 == 0 ? "found" : "lost");
  }
  ASSERT_TRUE(write_file_atomic(path, lines));
  const auto gold = rlhf::open_world("world:happy").value();
  const SampleTable table = read_sample_table(path, {.gold_by = gold.get()}).value();
  EXPECT_EQ(table.samples(), 5000U);
  EXPECT_NEAR(measured_mean(table.gold, 0, 5000), 1667.0 / 5000, 1e-12);
  EXPECT_TRUE(std::isnan(table.proxy[0]));
  EXPECT_EQ(read_sample_table(path, {}).value().gold[0], 7);
}

}  // namespace
}  // namespace plumb::mismatch
