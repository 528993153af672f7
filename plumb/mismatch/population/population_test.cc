#include "plumb/mismatch/population/population.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/mismatch/population/head_attack.h"
#include "plumb/mismatch/population/pairs.h"
#include "plumb/mismatch/study_testing.h"
#include "plumb/rlhf/reward/reward_model.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

TEST(Members, AreEveryCombinationOnce) {
  const auto members =
      members_of({.layers = {1, 3, 1}, .amounts = {0.25, 1}, .noises = {0.1}, .seeds = 2});
  ASSERT_EQ(members.size(), 8U);
  EXPECT_EQ(members[0].name, "layers-1-data-0.25-noise-0.1-seed-0");
  EXPECT_EQ(members[7].name, "layers-3-data-1-noise-0.1-seed-1");
}

// Two prompts of four samples with golds 0, 1, 2, 2.
std::vector<rlhf::Sample> eight_samples() {
  std::vector<rlhf::Sample> samples;
  for (const char* prompt : {"a", "b"}) {
    for (const double gold : {0.0, 1.0, 2.0, 2.0}) {
      rlhf::Sample& one = samples.emplace_back();
      one.prompt = prompt;
      one.completion = std::string(samples.size(), 'x');
      one.gold = gold;
    }
  }
  return samples;
}

TEST(Pairs, AreOfOnePromptDifferInGoldAndStandOnce) {
  const auto samples = eight_samples();
  const auto pairs = random_pairs(samples, 4, {.per_prompt = 9, .seed = 5});
  ASSERT_EQ(pairs.size(), 10U);  // of six pairs of a prompt, one has equal gold
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const PlacedPair& one = pairs[i];
    EXPECT_EQ(samples[one.first].prompt, samples[one.second].prompt);
    EXPECT_EQ(one.share, *samples[one.first].gold > *samples[one.second].gold ? 1 : 0);
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(std::minmax(one.first, one.second), std::minmax(pairs[j].first, pairs[j].second));
    }
  }
}

TEST(Pairs, OfTheBestAreAmongTheHighestScores) {
  const std::vector<double> scores = {3, 2, 1, 0, 0, 0, 1, 1};
  const auto pairs = best_pairs(eight_samples(), 4, scores, {.per_prompt = 6, .seed = 5});
  ASSERT_EQ(pairs.size(), 1U);  // of the second prompt both best ones have gold 2
  EXPECT_EQ(std::max(pairs[0].first, pairs[0].second), 1U);
}

TEST(Pairs, TurnAsManyVotesAsPeopleErr) {
  std::vector<PlacedPair> pairs(2000, {0, 1, 0, 1});
  double turned = 0;
  for (const PlacedPair& one : with_errors(pairs, 0.25, 3)) turned += 1 - one.share;
  EXPECT_NEAR(turned / 2000, 0.25, 4 * std::sqrt(0.25 * 0.75 / 2000));
  EXPECT_EQ(with_errors(pairs, 0, 3), pairs);
}

// By hand: logits 2 * 0.5 = 1 and 2 * -1 = -2, both votes for the first.
TEST(Pairs, AreMeasuredAsTheFormulasSay) {
  const std::vector<PlacedPair> pairs = {{0, 1, 0, 1}, {2, 3, 7, 1}};
  const std::vector<double> scores = {0.5, 0, 0, 1};
  const PairMeasures measures = measure_pairs(pairs, scores, 2, 0.95);
  EXPECT_EQ(measures.pairs, 2U);
  EXPECT_DOUBLE_EQ(measures.values.at("accuracy"), 0.5);
  EXPECT_NEAR(measures.values.at("log_loss"), (0.3132616875 + 2.1269280110) / 2, 1e-9);
  EXPECT_NEAR(measures.values.at("brier"), (0.0723294881 + 0.7758034926) / 2, 1e-9);
  EXPECT_FALSE(measure_pairs({}, scores, 2, 0.95).reason.empty());
}

TEST(Correlations, AreTurnedRoundWhereLessIsBetterAndCorrected) {
  std::vector<double> gold, accuracy, loss, nothing;
  for (int i = 0; i < 24; ++i) {
    gold.push_back(i);
    accuracy.push_back(i + 3 * std::sin(7.0 * i));
    loss.push_back(-accuracy.back());
    nothing.push_back(std::abs(i - 11.5));  // as high at either end
  }
  const std::map<std::string, std::vector<double>> metrics = {
      {"base_accuracy", accuracy},
      {"base_log_loss", loss},
      {"constant_accuracy", std::vector<double>(24, 0.5)},
      {"nothing_accuracy", nothing}};
  const auto rows = correlate(metrics, "best of n", gold, {});
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_FALSE(rows[0].turned);
  EXPECT_TRUE(rows[1].turned);
  EXPECT_DOUBLE_EQ(*rows[0].spearman.point, *rows[1].spearman.point);
  EXPECT_EQ(rows[0].verdict, Verdict::kAligned);
  EXPECT_DOUBLE_EQ(rows[0].p, 1.0 / 10000);           // no order of 9,999 was as strong
  EXPECT_DOUBLE_EQ(rows[0].adjusted_p, 4.0 / 10000);  // the least of four
  EXPECT_FALSE(rows[2].spearman.point);
  EXPECT_EQ(rows[2].verdict, Verdict::kInsufficient);
  EXPECT_EQ(rows[3].verdict, Verdict::kInsufficient);
  EXPECT_GT(rows[3].p, 0.05);
}

// tanh((1.959963985 + 0.841621234) / sqrt(n - 3)), by Python.
TEST(Correlations, SayWhatWouldHaveBeenFound) {
  EXPECT_NEAR(detectable_correlation(24, 0.95), 0.545081, 1e-6);
  EXPECT_NEAR(detectable_correlation(103, 0.95), 0.273052, 1e-6);
}

HeadProblem random_problem() {
  HeadProblem problem{.width = 6, .group = 5};
  Stream stream(9, "head problem", 0);
  const auto normal = [&] { return 2 * stream.uniform() - 1; };
  for (std::size_t i = 0; i < 6; ++i) problem.head.push_back(normal());
  for (std::size_t i = 0; i < 40 * 6; ++i) problem.differences.push_back(normal() + 0.2);
  for (std::size_t i = 0; i < 20 * 5 * 6; ++i) problem.features.push_back(normal());
  for (std::size_t i = 0; i < 20 * 5; ++i) {
    problem.gold.push_back(problem.features[i * 6] + problem.features[i * 6 + 3]);
  }
  return problem;
}

TEST(HeadAttack, HasTheGradientsThatDifferencesSay) {
  const HeadProblem problem = random_problem();
  std::vector<double> loss(6), gold(6), ignored(6);
  head_loss(problem, problem.head, loss);
  soft_gold(problem, problem.head, 3, gold);
  constexpr double kStep = 1e-5;
  for (std::size_t i = 0; i < 6; ++i) {
    std::vector<double> up = problem.head, down = problem.head;
    up[i] += kStep;
    down[i] -= kStep;
    EXPECT_NEAR((head_loss(problem, up, ignored) - head_loss(problem, down, ignored)) / (2 * kStep),
                loss[i], 1e-8);
    EXPECT_NEAR(
        (soft_gold(problem, up, 3, ignored) - soft_gold(problem, down, 3, ignored)) / (2 * kStep),
        gold[i], 1e-8);
  }
}

TEST(HeadAttack, KeepsTheLossAndRuinsTheGold) {
  HeadProblem problem = random_problem();
  problem.head = {1, 0.5, 0.5, 1, 0.5, 0.5};  // what the gold rewards, and what the pairs prefer
  const RuinedHead ruined = ruin_head(problem, {.tolerance = 0.02});
  EXPECT_LE(ruined.loss, ruined.loss_before + 0.02);
  EXPECT_LT(ruined.gold, ruined.gold_before - 0.3);
  const RuinedHead none = ruin_head(problem, {.steps = 0});
  EXPECT_EQ(none.head, problem.head);
}

class PopulationRun : public SmallStudyTest {
 protected:
  PopulationOptions options(const fs::path& folder, int threads = 2) const {
    PopulationOptions o{.base = {model_}, .folder = folder, .gold = "length"};
    o.grid = {.layers = {1, 2}, .amounts = {0.5, 1}, .noises = {0, 0.4}, .seeds = 1};
    o.epochs = 1;
    o.training_prompts = 16;
    o.validation_prompts = o.measured_prompts = 8;
    o.prompt_words = 3;
    o.max_tokens = 16;
    o.pairs = 3;
    o.samples = 8;
    o.n = 4;
    o.correlation.sampling.resamples = 50;
    o.seed = 4;
    o.threads = threads;
    return o;
  }
};

TEST_F(PopulationRun, TakenUpAfterAKillEndsWithTheSameBytes) {
  PopulationOptions whole = options(run_folder("whole"));
  whole.rloo_steps = 2;
  const auto report = run_population(whole, {});
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->members.size(), 8U);
  ASSERT_EQ(report->attacks.size(), 1U);
  const Json& attack = report->attacks[0]["attack"];
  EXPECT_LE(attack["loss"], attack["loss_before"].get<double>() + 0.01);
  EXPECT_LE(attack["soft_gold"], attack["soft_gold_before"]);
  EXPECT_EQ(report->correlations.size(), 16U + 17U);  // the gold of best of n foretells RLOO's too
  // Every number of a line but the gold is a metric.
  std::size_t numbers = 0;
  for (const Json& value : report->members[0]) numbers += value.is_number() ? 1 : 0;
  EXPECT_EQ(numbers, 1U + 16U);
  // Reward models say in which folder their base lies: the run is taken up where it was.
  const fs::path kept = folder_ / "kept";
  fs::copy(whole.folder, kept, fs::copy_options::recursive);
  const std::string last = report->members[7]["reward_model"],
                    first = report->members[0]["reward_model"];
  for (const std::string& part :
       {std::string("population.jsonl"), std::string("attack.jsonl"), std::string("attacks"),
        "records/" + report->attacks[0]["reward_model"].get<std::string>() + ".json",
        std::string("shifted.jsonl"), "records/" + last + ".json", "models/" + last,
        "records/" + first + ".json", "policies/" + first + "/model"}) {
    ASSERT_GT(fs::remove_all(whole.folder / part), 0U) << part;
  }
  whole.threads = 1;
  ASSERT_TRUE(run_population(whole, {}));
  EXPECT_EQ(differing_files(kept, whole.folder), std::vector<std::string>());
}

TEST_F(PopulationRun, RefusesAnotherConfigurationAndTooFewModels) {
  PopulationOptions o = options(run_folder("run"));
  o.attacks = 0;
  o.grid.seeds = 0;
  const auto few = run_population(o, {});
  ASSERT_FALSE(few);
  EXPECT_NE(few.error().message.find("population of 0 reward models"), std::string::npos);
  o.grid.seeds = 1;
  o.n = 9;
  EXPECT_NE(run_population(o, {}).error().message.find("best of 9 of 8 samples"),
            std::string::npos);
  o.n = 4;
  o.grid.layers = {1, 3};
  EXPECT_NE(run_population(o, {}).error().message.find("the base model has 2"), std::string::npos);
  o.grid.layers = {1, 2};
  ASSERT_TRUE(run_population(o, {}));
  o.grid.noises = {0, 0.3};
  const auto other = run_population(o, {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kBusy);
  EXPECT_NE(other.error().message.find("its noise is [0.0,0.4], not [0.0,0.3]"), std::string::npos)
      << other.error().message;
}

TEST_F(PopulationRun, SaysThatNothingCanBePreferred) {
  PopulationOptions o = options(run_folder("run"));
  o.gold = "word:nowhere";
  const auto report = run_population(o, {});
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("no two completions of a prompt differ in the gold"),
            std::string::npos);
}

}  // namespace
}  // namespace plumb::mismatch
