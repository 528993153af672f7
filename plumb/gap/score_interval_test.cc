#include "plumb/gap/score_interval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "plumb/gap/gap.h"
#include "plumb/gap/testing.h"

namespace plumb::gap {
namespace {

BoardSubset subset_of(const char* task) {
  BoardSubset subset;
  subset.suite = tasks::find_task(task);
  subset.type = subset.suite->type;
  subset.items = subset.suite->subsets[0].items;
  return subset;
}

TEST(ScoreInterval, HoldsTheScoreAndGrowsWithTheLevel) {
  NoiseCurves curves;
  for (const char* task : {"HUMEEmotionClassification", "HUMEWikiCitiesClustering",
                           "HUMECore17InstructionReranking", "HUMESTS12"}) {
    for (const double score : {0.4, 0.6, 0.8, 0.95}) {
      const auto usual = score_interval(subset_of(task), score, 0.95, curves);
      const auto wide = score_interval(subset_of(task), score, 0.99, curves);
      ASSERT_TRUE(usual && wide) << task;
      EXPECT_LE(usual->low, score);
      EXPECT_GE(usual->high, score);
      EXPECT_LE(wide->low, usual->low) << task << score;
      EXPECT_GE(wide->high, usual->high) << task << score;
    }
  }
}

TEST(ScoreInterval, OfAPerfectClusteringDoesNotClaimCertainty) {
  NoiseCurves curves;
  const auto ci = score_interval(subset_of("HUMEWikiCitiesClustering"), 1, 0.95, curves);
  EXPECT_LT(ci->low, 0.97);
  EXPECT_DOUBLE_EQ(ci->high, 1);
}

// 3 of 7 relevant, all last: (1/5 + 2/6 + 3/7) / 3 = 0.321.
TEST(ScoreInterval, OfAnAveragePrecisionThatNoOrderEarnsIsUndefined) {
  NoiseCurves curves;
  const BoardSubset subset = subset_of("HUMECore17InstructionReranking");
  EXPECT_FALSE(score_interval(subset, 0.30, 0.95, curves));
  EXPECT_TRUE(score_interval(subset, 0.3206, 0.95, curves));  // published figures are rounded
}

TEST(ScoreInterval, WithoutANumberOfItemsIsUndefined) {
  NoiseCurves curves;
  EXPECT_FALSE(score_interval(BoardSubset{}, 0.5, 0.95, curves));
  EXPECT_FALSE(paper_interval(BoardSubset{}, 0.5, 0.95));
}

// Two people at 0.4 and 0.6: their mean has the standard error |a - b| / 2 = 0.1, by hand.
TEST(WithSpread, AddsWhatSeparatesTheAnnotators) {
  const std::vector<double> people = {0.4, 0.6};
  const stats::Interval ci = with_spread({0.5, 0.5}, 0.5, people, {0, 1}, 0.95);
  EXPECT_NEAR(ci.low, 0.5 - 1.959964 * 0.1, 1e-6);
  EXPECT_NEAR(ci.high, 0.5 + 1.959964 * 0.1, 1e-6);
  EXPECT_EQ(with_spread({0.1, 0.9}, 0.5, {people.data(), 1}, {0, 1}, 0.95).low, 0.1);
}

// 0 and 1 are 0.98 to either side of their mean: past both ends of an accuracy, not of a
// correlation.
TEST(WithSpread, EndsWhereTheMetricDoes) {
  const std::vector<double> people = {0, 1};
  const stats::Interval share = with_spread({0.5, 0.5}, 0.5, people, {0, 1}, 0.95);
  EXPECT_EQ(share.low, 0);
  EXPECT_EQ(share.high, 1);
  const stats::Interval correlation = with_spread({0.5, 0.5}, 0.5, people, {-1, 1}, 0.95);
  EXPECT_NEAR(correlation.low, 0.5 - 1.959964 * 0.5, 1e-6);
  EXPECT_EQ(correlation.high, 1);
  EXPECT_EQ(score_range(tasks::TaskType::kSts).low, -1);
  EXPECT_EQ(score_range(tasks::TaskType::kReranking).low, 0);
}

// Wilson's interval of 0.4 of one item, by hand with z = 1.96: [0.0358, 0.9229]. The experiments
// of the model reach past both ends of the scale, so the difference lies
// hypot(0.4 - 0.0358, 1 - 0.4) below and hypot(0.9229 - 0.4, 0.4 - 0) above nothing.
TEST(MeasureGaps, KeepScoresAndDifferencesOnTheirScale) {
  Cell person = accuracy_cell("A", 0.4);
  person.scores.emplace_back(kept_metric("f1"), 0.4);
  person.items = 1;
  Cell model = person;
  model.experiments = {0, 1};
  Figures figures;
  figures.entries = {{"baseline/Human", "1", {}, {person}}, {"a/M", "1", {}, {model}}};
  const auto gaps = measure_gaps(make_board(figures, {}).value(), {}).value();
  ASSERT_EQ(gaps.size(), 1U);
  ASSERT_TRUE(gaps[0].model_ci) << gaps[0].model_ci.error().reason;
  ASSERT_TRUE(gaps[0].ci) << gaps[0].ci.error().reason;
  EXPECT_EQ(gaps[0].model_ci->low, 0);
  EXPECT_EQ(gaps[0].model_ci->high, 100);
  EXPECT_NEAR(gaps[0].ci->low, -100 * std::hypot(0.4 - 0.0358, 0.6), 0.01);
  EXPECT_NEAR(gaps[0].ci->high, 100 * std::hypot(0.9229 - 0.4, 0.4), 0.01);
}

}  // namespace
}  // namespace plumb::gap
