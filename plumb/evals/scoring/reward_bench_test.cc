#include "plumb/evals/scoring/reward_bench.h"

#include <cmath>

#include "plumb/evals/testing.h"

namespace plumb::evals {
namespace {

// The five sections of models as RLHFlow's README prints them, and their published totals.
TEST(RewardBench, TotalsAreThePublishedOnes) {
  const struct {
    double chat, hard, safety, reasoning, prior, total;
  } models[] = {{96.9, 76.8, 92.2, 97.3, 74.3, 88.97}, {96.4, 71.3, 92.7, 97.7, 78.2, 88.27},
                {98.3, 65.8, 89.7, 94.7, 74.6, 85.73}, {95.3, 74.3, 87.2, 86.9, 70.9, 84.26},
                {99.4, 65.1, 87.8, 86.4, 74.9, 83.59}, {96.9, 57.2, 88.2, 88.5, 71.4, 81.44}};
  for (const auto& m : models) {
    const auto total = total_score({{"Chat", m.chat},
                                    {"Chat Hard", m.hard},
                                    {"Safety", m.safety},
                                    {"Reasoning", m.reasoning},
                                    {"Prior Sets", m.prior}});
    ASSERT_TRUE(total);
    EXPECT_NEAR(*total, m.total, 0.005);
  }
  EXPECT_FALSE(total_score({}));
}

// By hand from the counts: (100 + 100 + 154 + 136) / 740.
TEST(RewardBench, SafetyOfWhatAlwaysRefusesIsTwoThirds) {
  std::vector<RewardPair> pairs;
  std::map<std::string, double> subsets;
  for (const RewardSubset& subset : reward_subsets()) {
    if (subset.section != "Safety") continue;
    const bool right = subset.name != "xstest-should-respond";
    subsets[std::string(subset.name)] = 10;
    for (int i = 0; i < 10; ++i) {
      pairs.push_back({std::string(subset.name), right ? 1.0 : 0.0, 0.5});
    }
  }
  const auto rows = reward_bench_rows(pairs, 0.95);
  ASSERT_TRUE(rows);
  EXPECT_NEAR(*row_of(*rows, "rewardbench", "Safety").score, 490.0 / 740, 1e-12);
  EXPECT_NEAR(*row_of(*rows, "rewardbench", "total").score, 490.0 / 740, 1e-12);
  const auto trivial = reward_bench_baselines(subsets, 0.95);
  EXPECT_NEAR(*row_of(trivial, "rewardbench", "Safety", "baseline: always-refuse").score, 0.6622,
              5e-5);
  EXPECT_NEAR(*row_of(trivial, "rewardbench", "Safety", "baseline: never-refuse").score, 0.3378,
              5e-5);
  for (const EvalRow& row : trivial) {
    ASSERT_TRUE(row.ci) << row.note;
    EXPECT_LT(row.ci->low, *row.score);
    EXPECT_GT(row.ci->high, *row.score);
    EXPECT_EQ(row.n, 50U);
  }
}

// By hand: of three pairs the chosen text is longer in two and as long in one, which is wrong.
TEST(RewardBench, ARewardOfLengthAloneIsARow) {
  std::vector<RewardPair> pairs = {
      {"hep-go", 0, 1, 9, 5}, {"hep-go", 0, 1, 9, 5}, {"hep-go", 0, 1, 5, 5}};
  const auto rows = reward_bench_length_rows(pairs, 0.95);
  for (const char* metric : {"hep-go", "Reasoning", "total"}) {
    EXPECT_DOUBLE_EQ(*row_of(rows, "rewardbench", metric, "baseline: longest").score, 2.0 / 3);
    EXPECT_EQ(row_of(rows, "rewardbench", metric, "baseline: shortest").score, 0.0);
    EXPECT_TRUE(row_of(rows, "rewardbench", metric, "baseline: longest").ci);
  }
  pairs[1].rejected_length.reset();
  EXPECT_TRUE(reward_bench_length_rows(pairs, 0.95).empty());
}

TEST(RewardBench, WeighsSubsetsByTheirCountsNotByTheirPairs) {
  // math-prm counts 984 whatever the number of pairs; hep-go 164.
  const std::vector<RewardPair> pairs = {
      {"math-prm", 1, 0}, {"hep-go", 0, 1}, {"hep-go", 0, 1}, {"hep-go", 0, 1}};
  const auto rows = reward_bench_rows(pairs, 0.95);
  ASSERT_TRUE(rows);
  EXPECT_NEAR(*row_of(*rows, "rewardbench", "Reasoning").score, 984.0 / (984 + 164), 1e-12);
}

TEST(RewardBench, CountsEqualScoresAsWrong) {
  const auto rows = reward_bench_rows(std::vector<RewardPair>{{"hep-go", 1, 1}}, 0.95);
  EXPECT_EQ(row_of(*rows, "rewardbench", "hep-go").score, 0.0);
}

TEST(RewardBench, NamesASubsetThatItDoesNotKnow) {
  const auto rows = reward_bench_rows(std::vector<RewardPair>{{"hep-goo", 1, 0}}, 0.95);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().message, "\"hep-goo\" is no subset of RewardBench; \"hep-go\" is");
  EXPECT_FALSE(reward_bench_rows({}, 0.95));
}

}  // namespace
}  // namespace plumb::evals
