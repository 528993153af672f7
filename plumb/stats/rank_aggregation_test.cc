#include "plumb/stats/rank_aggregation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

namespace plumb::stats {
namespace {

// Three competitors on four units; the third has no score on the last.
const std::vector<double> kScores = {9, 5, 1, 7,  //
                                     8, 5, 3, 7,  //
                                     7, 6, 2, 0};
const std::vector<std::uint8_t> kPresent = {1, 1, 1, 1,  //
                                            1, 1, 1, 1,  //
                                            1, 1, 1, 0};
const ScoreMatrix kMatrix{.competitors = 3, .units = 4, .scores = kScores, .present = kPresent};

// scipy.stats.rankdata([-x for x in column]) of each column, without the missing cell
TEST(UnitRanks, ShareTheMeanRankInATieAndSkipWhatIsMissing) {
  EXPECT_EQ(unit_ranks(kMatrix), (std::vector<double>{1, 2.5, 3, 1.5,  //
                                                      2, 2.5, 1, 1.5,  //
                                                      3, 1, 2, 0}));
}

// By hand: 3 - rank, summed; the missing cell earns nothing.
TEST(BordaPoints, CountTheCompetitorsBelow) {
  EXPECT_EQ(borda_points(kMatrix), (std::vector<double>{4, 5, 3}));
}

TEST(BordaPoints, TakeCountsOfUnits) {
  EXPECT_EQ(borda_points(kMatrix, std::vector<std::uint32_t>{2, 0, 1, 1}),
            (std::vector<double>{5.5, 5.5, 1}));
}

TEST(MeanRanks, AverageOverTheUnitsThatHaveTheCompetitor) {
  const auto ranks = mean_ranks(kMatrix);
  EXPECT_DOUBLE_EQ(ranks[0].value(), 2);
  EXPECT_DOUBLE_EQ(ranks[1].value(), 1.75);
  EXPECT_DOUBLE_EQ(ranks[2].value(), 2);
}

TEST(MeanRanks, AreUndefinedWithoutAUnit) {
  const auto ranks = mean_ranks(kMatrix, std::vector<std::uint32_t>{0, 0, 0, 3});
  EXPECT_DOUBLE_EQ(ranks[0].value(), 1.5);
  ASSERT_FALSE(ranks[2].has_value());
  EXPECT_EQ(ranks[2].error().reason, "no unit has this competitor");
}

TEST(PairwiseCounts, CompareOnSharedUnits) {
  const PairwiseCounts pairs = pairwise_counts(kMatrix);
  EXPECT_EQ(pairs.wins, (std::vector<double>{0, 1, 1,  //
                                             1, 0, 2,  //
                                             2, 1, 0}));
  EXPECT_EQ(pairs.ties, (std::vector<double>{0, 2, 0,  //
                                             2, 0, 0,  //
                                             0, 0, 0}));
}

TEST(PairwiseCounts, TakeCountsOfUnits) {
  const PairwiseCounts pairs = pairwise_counts(kMatrix, std::vector<std::uint32_t>{3, 0, 1, 2});
  EXPECT_EQ(pairs.win(0, 1), 3);
  EXPECT_EQ(pairs.win(1, 0), 1);
  EXPECT_EQ(pairs.tie(1, 0), 2);
  EXPECT_EQ(pairs.win(0, 2), 3);
}

TEST(CopelandScores, CountMajorities) {
  EXPECT_EQ(copeland_scores(pairwise_counts(kMatrix)), (std::vector<double>{-1, 1, 0}));
}

TEST(RankAggregation, OfNobodyIsEmpty) {
  EXPECT_TRUE(borda_points({}).empty());
  EXPECT_TRUE(mean_ranks({}).empty());
  EXPECT_TRUE(copeland_scores(pairwise_counts({})).empty());
}

TEST(BordaStatistic, GivesStandingsWithTheBordaPointsAsScores) {
  const auto rows = standings(resample_scores(3, 4, {}, borda_statistic(kMatrix)), 0.95);
  EXPECT_EQ(rows[1].score, 5);
  EXPECT_EQ(rows[1].rank, 1);
  EXPECT_EQ(rows[2].rank, 3);
}

std::vector<double> any_scores(std::size_t cells) {
  const auto values = *rc::gen::container<std::vector<int>>(cells, rc::gen::inRange(0, 4));
  return {values.begin(), values.end()};
}

// In each unit the points sum to n (n - 1) / 2 whatever the ties, and the order is that of the mean
// ranks.
RC_GTEST_PROP(BordaPoints, AreMeanRanksTurnedAround, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 6);
  const auto units = *rc::gen::inRange<std::size_t>(1, 6);
  const auto scores = any_scores(n * units);
  const ScoreMatrix matrix{.competitors = n, .units = units, .scores = scores, .present = {}};
  const auto points = borda_points(matrix);
  const auto sum = std::accumulate(points.begin(), points.end(), 0.0);
  RC_ASSERT(sum == static_cast<double>(units * n * (n - 1)) / 2);
  const auto ranks = mean_ranks(matrix);
  for (std::size_t c = 0; c < n; ++c) {
    const double mean_points = points[c] / static_cast<double>(units);
    RC_ASSERT(std::abs(mean_points - (static_cast<double>(n) - *ranks[c])) < 1e-9);
  }
}

// Borda points are pairwise wins with ties as halves.
RC_GTEST_PROP(BordaPoints, ArePairwiseWinsAndHalfTheTies, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 6);
  const auto units = *rc::gen::inRange<std::size_t>(1, 6);
  const auto scores = any_scores(n * units);
  const ScoreMatrix matrix{.competitors = n, .units = units, .scores = scores, .present = {}};
  const PairwiseCounts pairs = pairwise_counts(matrix);
  const auto points = borda_points(matrix);
  for (std::size_t i = 0; i < n; ++i) {
    double expected = 0;
    for (std::size_t j = 0; j < n; ++j) expected += pairs.win(i, j) + pairs.tie(i, j) / 2;
    RC_ASSERT(points[i] == expected);
  }
}

}  // namespace
}  // namespace plumb::stats
