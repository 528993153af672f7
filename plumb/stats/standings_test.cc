#include "plumb/stats/standings.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

// competitors x units scores: competitor c is `gap` * c below the first, plus uniform noise.
std::vector<double> noisy_scores(std::size_t competitors, std::size_t units, double gap) {
  std::vector<double> scores(competitors * units);
  Stream stream(5, "test", 0);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = stream.uniform() - gap * static_cast<double>(i / units);
  }
  return scores;
}

// Two competitors; the first wins by the given amounts.
ResampledScores two_with_differences(const std::vector<double>& differences, double point) {
  ResampledScores scores{2, {point, 0}, {}};
  for (const double d : differences) scores.draws.insert(scores.draws.end(), {d, 0.0});
  return scores;
}

bool same_bytes(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST(MeanStatistic, WeighsUnitsByTheirCounts) {
  const std::vector<double> scores = {1, 2, 3, 10, 20, 60};
  std::vector<double> means(2), sums(2);
  mean_statistic(scores, 2)(std::vector<std::uint32_t>{1, 1, 1}, means);
  EXPECT_EQ(means, (std::vector<double>{2, 30}));
  mean_statistic(scores, 2)(std::vector<std::uint32_t>{0, 3, 1}, means);
  EXPECT_EQ(means, (std::vector<double>{2.25, 30}));
  sum_statistic(scores, 2)(std::vector<std::uint32_t>{0, 3, 1}, sums);
  EXPECT_EQ(sums, (std::vector<double>{9, 120}));
}

TEST(ResampleScores, GivesTheSameBytesWithOneAndTwoThreads) {
  const auto statistic = mean_statistic(noisy_scores(4, 9, 0.1), 4);
  const std::vector<int> strata = {2, 0, 0, 1, 2, 2, 1, 0, 0};
  for (const auto& groups : {std::vector<int>{}, strata}) {
    const auto one = resample_scores(4, 9, groups, statistic, {.resamples = 999, .threads = 1});
    const auto two = resample_scores(4, 9, groups, statistic, {.resamples = 999, .threads = 2});
    EXPECT_TRUE(same_bytes(one.draws, two.draws));
    EXPECT_TRUE(same_bytes(one.point, two.point));
  }
}

TEST(ResampleScores, AnotherSeedGivesOtherDraws) {
  const auto statistic = mean_statistic(noisy_scores(2, 9, 0), 2);
  const auto a = resample_scores(2, 9, {}, statistic, {.resamples = 10, .seed = 1});
  const auto b = resample_scores(2, 9, {}, statistic, {.resamples = 10, .seed = 2});
  EXPECT_EQ(a.point, b.point);
  EXPECT_NE(a.draws, b.draws);
}

TEST(ResampleScores, EachResampleHasAsManyUnitsAsTheDataInEachStratum) {
  const std::vector<int> strata = {7, 7, -1, 7, 3, -1};
  const CountedStatistic check = [&](std::span<const std::uint32_t> counts,
                                     std::span<double> scores) {
    scores[0] = counts[0] + counts[1] + counts[3];
    scores[1] = counts[2] + counts[5];
    scores[2] = counts[4];
  };
  const auto scores = resample_scores(3, 6, strata, check, {.resamples = 200});
  for (std::size_t i = 0; i < scores.draws.size(); ++i) {
    EXPECT_EQ(scores.draws[i], (std::vector<double>{3, 2, 1}[i % 3]));
  }
}

// The standard error of a mean of n values is sqrt(sum of squares about the mean) / n.
TEST(ResampleScores, SpreadsLikeTheStandardErrorOfAMean) {
  std::vector<double> values(25);
  std::iota(values.begin(), values.end(), 0.0);
  const auto scores = resample_scores(1, 25, {}, mean_statistic(values, 1), {.resamples = 20000});
  double squares = 0;
  for (const double draw : scores.draws) squares += (draw - 12) * (draw - 12);
  EXPECT_NEAR(std::sqrt(squares / 20000), std::sqrt(1300.0) / 25, 0.02);
}

// numpy.percentile(range(41), [2.5, 97.5]) = [1, 39]; numpy.percentile([0, 1, 3, 10], [10, 90]) =
// [0.3, 7.9]
TEST(PairedDifferenceInterval, IsNumpysLinearPercentile) {
  std::vector<double> forty(41);
  std::iota(forty.begin(), forty.end(), 0.0);
  std::ranges::reverse(forty);
  const Interval wide = paired_difference_interval(two_with_differences(forty, 20), 0, 1, 0.95);
  EXPECT_NEAR(wide.low, 1, 1e-12);
  EXPECT_NEAR(wide.high, 39, 1e-12);
  const Interval few =
      paired_difference_interval(two_with_differences({10, 0, 3, 1}, 3), 0, 1, 0.8);
  EXPECT_NEAR(few.low, 0.3, 1e-12);
  EXPECT_NEAR(few.high, 7.9, 1e-12);
}

TEST(PairedDifferenceInterval, IsNarrowWhereCompetitorsMoveTogether) {
  std::vector<double> scores = noisy_scores(1, 30, 0);
  for (int u = 0; u < 30; ++u) scores.push_back(scores[static_cast<std::size_t>(u)] - 0.01);
  const auto draws = resample_scores(2, 30, {}, mean_statistic(scores, 2));
  const Interval gap = paired_difference_interval(draws, 0, 1, 0.95);
  EXPECT_NEAR(gap.low, 0.01, 1e-9);
  EXPECT_NEAR(gap.high, 0.01, 1e-9);
  EXPECT_GT(standings(draws, 0.95)[1].ci.high, standings(draws, 0.95)[0].score);
}

TEST(Standings, CountTheStrictlyHigher) {
  const ResampledScores scores{5, {3, 5, 3, 1, 5}, {3, 5, 3, 1, 5}};
  std::vector<int> ranks;
  for (const Standing& row : standings(scores, 0.95)) ranks.push_back(row.rank);
  EXPECT_EQ(ranks, (std::vector<int>{3, 1, 3, 5, 1}));
}

TEST(Standings, TheNoiseOfASumIsNoRank) {
  const double a = 0.1 + 0.2, b = 0.3;
  ASSERT_NE(a, b);
  const auto rows = standings({2, {a, b}, {a, b}}, 0.95);
  EXPECT_EQ(rows[0].rank, 1);
  EXPECT_EQ(rows[1].rank, 1);
  EXPECT_EQ(rows[1].rank_high, 1);
  EXPECT_EQ(rows[1].tie_group, 1);
}

// In 3 of 41 draws the first is behind; the 97.5th percentile of its rank lies between the draws 38
// and 39 of 0 .. 40, which both are 2.
TEST(Standings, RankIntervalsAreRoundedOutwards) {
  std::vector<double> differences(41, 1.0);
  std::fill_n(differences.begin(), 3, -1.0);
  auto rows = standings(two_with_differences(differences, 1), 0.95);
  EXPECT_EQ(rows[0].rank_low, 1);
  EXPECT_EQ(rows[0].rank_high, 2);
  EXPECT_EQ(rows[1].rank_low, 1);
  EXPECT_EQ(rows[1].rank_high, 2);
  differences.resize(40, 1.0);  // 97.5 % is now at 38.025 of 0 .. 39
  rows = standings(two_with_differences(differences, 1), 0.95);
  EXPECT_EQ(rows[0].rank_high, 2);
  differences = std::vector<double>(41, 1.0);
  differences[0] = -1;  // at 39 of 0 .. 40, which is 1
  rows = standings(two_with_differences(differences, 1), 0.95);
  EXPECT_EQ(rows[0].rank_high, 1);
  differences.pop_back();  // at 38.025 of 0 .. 39: between 1 and 2, so 2
  rows = standings(two_with_differences(differences, 1), 0.95);
  EXPECT_EQ(rows[0].rank_high, 2);
}

// Rows 0.0, -0.6, -1.2 with noise of 1 in the difference of any two: the second ties with the
// first, the third does not (and would tie with the second).
TEST(Standings, ATieGroupIsMeasuredAgainstItsFirstRow) {
  ResampledScores scores{3, {-1.2, 0, -0.6}, {}};
  for (int i = -10; i <= 10; ++i) {
    const double noise = 0.1 * i;
    scores.draws.insert(scores.draws.end(), {-1.2 + (i % 2 == 0 ? noise : 0), 0, -0.6 - noise});
  }
  const auto rows = standings(scores, 0.999);
  EXPECT_EQ(rows[1].tie_group, 1);
  EXPECT_EQ(rows[2].tie_group, 1);
  EXPECT_EQ(rows[0].tie_group, 2);
  const Interval neighbours = paired_difference_interval(scores, 2, 0, 0.999);
  EXPECT_LT(neighbours.low, 0);
  EXPECT_GT(neighbours.high, 0);
}

TEST(Standings, EqualCompetitorsShareOneGroupAndTheFirstRank) {
  std::vector<double> scores = noisy_scores(1, 12, 0);
  const std::vector<double> first = scores;
  for (int copies = 0; copies < 3; ++copies) {
    scores.insert(scores.end(), first.begin(), first.end());
  }
  for (const Standing& row :
       standings(resample_scores(4, 12, {}, mean_statistic(scores, 4)), 0.95)) {
    EXPECT_EQ(row.rank, 1);
    EXPECT_EQ(row.rank_high, 1);
    EXPECT_EQ(row.tie_group, 1);
  }
}

TEST(Standings, ClearDifferencesMakeAGroupOfEach) {
  const auto rows =
      standings(resample_scores(3, 20, {}, mean_statistic(noisy_scores(3, 20, 2), 3)), 0.95);
  for (int c = 0; c < 3; ++c) {
    const Standing& row = rows[static_cast<std::size_t>(c)];
    EXPECT_EQ(row.rank, c + 1);
    EXPECT_EQ(row.rank_low, c + 1);
    EXPECT_EQ(row.rank_high, c + 1);
    EXPECT_EQ(row.tie_group, c + 1);
  }
}

TEST(Standings, OfNobodyAreEmpty) { EXPECT_TRUE(standings({}, 0.95).empty()); }

TEST(Standings, ASingleUnitLeavesNoDoubt) {
  const auto rows =
      standings(resample_scores(2, 1, {}, mean_statistic(std::vector{1.0, 2.0}, 2)), 0.95);
  EXPECT_EQ(rows[0].ci.low, 1);
  EXPECT_EQ(rows[0].ci.high, 1);
  EXPECT_EQ(rows[0].rank, 2);
}

RC_GTEST_PROP(Standings, DoNotDependOnTheOrderOfCompetitors, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 6);
  const std::size_t units = 7;
  const auto values = *rc::gen::container<std::vector<int>>(n * units, rc::gen::inRange(0, 5));
  const std::vector<double> scores(values.begin(), values.end());
  std::vector<double> reversed;
  for (std::size_t c = n; c-- > 0;) {
    reversed.insert(reversed.end(), scores.begin() + static_cast<std::ptrdiff_t>(c * units),
                    scores.begin() + static_cast<std::ptrdiff_t>((c + 1) * units));
  }
  const ResampleOptions options{.resamples = 60};
  const auto rows =
      standings(resample_scores(n, units, {}, mean_statistic(scores, n), options), 0.9);
  const auto back =
      standings(resample_scores(n, units, {}, mean_statistic(reversed, n), options), 0.9);
  for (std::size_t c = 0; c < n; ++c) {
    const Standing &a = rows[c], &b = back[n - 1 - c];
    RC_ASSERT(a.score == b.score);
    RC_ASSERT(a.rank == b.rank);
    RC_ASSERT(a.rank_low == b.rank_low);
    RC_ASSERT(a.rank_high == b.rank_high);
    RC_ASSERT(a.ci.low <= a.ci.high);
    RC_ASSERT(1 <= a.rank_low && a.rank_low <= a.rank_high && a.rank_high <= static_cast<int>(n));
  }
}

}  // namespace
}  // namespace plumb::stats
