#include "plumb/stats/intervals.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

namespace plumb::stats {
namespace {

void expect_interval(const Interval& interval, double low, double high, double tolerance = 1e-12) {
  EXPECT_NEAR(interval.low, low, tolerance);
  EXPECT_NEAR(interval.high, high, tolerance);
}

// A share in [0, 1] that is often at an edge.
double any_share() { return *rc::gen::inRange(0, 101) / 100.0; }

TEST(NormalQuantile, EqualsSciPys) {  // scipy.stats.norm.ppf 1.10.1
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-12);
  EXPECT_NEAR(normal_quantile(0.025), -1.9599639845400545, 1e-12);
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_NEAR(normal_quantile(0.9), 1.2815515655446004, 1e-12);
  EXPECT_NEAR(normal_quantile(0.999999), 4.753424308817087, 1e-10);
}

TEST(NormalQuantile, InvertsTheDistribution) {
  for (const double z : {-5.0, -1.0, 0.0, 0.3, 2.0}) {
    EXPECT_NEAR(normal_quantile(normal_cdf(z)), z, 1e-9);
  }
}

TEST(Wilson, EqualsStatsmodels) {  // proportion_confint(method="wilson") 0.13.5
  expect_interval(wilson(0, 10, 0.95), 0, 0.27753279986288926);
  expect_interval(wilson(1, 10, 0.95), 0.017876213095072924, 0.40415002679523854);
  expect_interval(wilson(37, 48, 0.95), 0.6346073590999655, 0.8669217373308877);
  expect_interval(wilson(10, 10, 0.95), 0.7224672001371106, 1);
  expect_interval(wilson(36.5, 48, 0.95), 0.6233395963849981, 0.8588999194138989);
  expect_interval(wilson(37, 48, 0.9), 0.6582268472425125, 0.8545376007618412);
}

TEST(Wilson, HoldsTheEstimateAndStaysInsideTheRange) {
  EXPECT_TRUE(rc::check([] {
    const double trials = *rc::gen::inRange(1, 2000), share = any_share();
    const Interval interval = wilson(share * trials, trials, 0.95);
    RC_ASSERT(0 <= interval.low && interval.low <= share);
    RC_ASSERT(share <= interval.high && interval.high <= 1);
    RC_ASSERT(interval.low < interval.high);
  }));
}

// NumPy 1.24.2: deff = sum(bincount(c, v - m)^2) / (m (1 - m) n) * k / (k - 1), then Wilson's
// formula with n / deff trials and scipy.stats.norm.ppf(0.975).
TEST(ClusteredWilson, HasTheTrialsThatItsDesignEffectLeaves) {
  const std::vector<double> values = {1, 1, 1, 0, 0, 0, 0, 1, 1, 0.5, 0, 0};
  const std::vector<std::uint32_t> clusters = {0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4};
  const ClusteredShare share = clustered_wilson(values, clusters, 0.95).value();
  EXPECT_NEAR(share.value, 0.4583333333333333, 1e-15);
  EXPECT_NEAR(share.design_effect, 2.3994755244755246, 1e-12);
  expect_interval(share.ci, 0.1475262954248756, 0.8053427683146268);
}

TEST(ClusteredWilson, IsWilsonsWhereClustersAreSingleItems) {
  const std::vector<double> values = {1, 0, 0, 1, 1, 0, 0, 0, 0, 0};
  std::vector<std::uint32_t> clusters(values.size());
  std::iota(clusters.begin(), clusters.end(), 0);
  const Interval plain = wilson(3, 10, 0.95);
  expect_interval(clustered_wilson(values, clusters, 0.95)->ci, plain.low, plain.high);
  EXPECT_FALSE(clustered_wilson({}, {}, 0.95));
}

TEST(ClusteredWilson, TakesClustersAsTrialsWhereAllValuesAreAlike) {
  const std::vector<double> none(30, 0);
  std::vector<std::uint32_t> clusters(none.size());
  for (std::size_t i = 0; i < clusters.size(); ++i)
    clusters[i] = static_cast<std::uint32_t>(i % 10);
  const Interval ten = wilson(0, 10, 0.95);
  expect_interval(clustered_wilson(none, clusters, 0.95)->ci, ten.low, ten.high);
}

TEST(ClusteredWilson, NeverHasMoreTrialsThanItems) {
  EXPECT_TRUE(rc::check([] {
    const auto quarters =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5)));
    std::vector<double> values;
    std::vector<std::uint32_t> clusters;
    for (const int quarter : quarters) {
      clusters.push_back(static_cast<std::uint32_t>(values.size() / 3));
      values.push_back(quarter / 4.0);
    }
    const ClusteredShare share = clustered_wilson(values, clusters, 0.9).value();
    RC_ASSERT(share.design_effect >= 1);
    RC_ASSERT(0 <= share.ci.low && share.ci.low <= share.value + 1e-12);
    RC_ASSERT(share.value <= share.ci.high + 1e-12 && share.ci.high <= 1);
  }));
}

TEST(FisherZ, EqualsSciPys) {  // scipy.stats.pearsonr(...).confidence_interval 1.10.1
  expect_interval(fisher_z(0.7917946548886294, 6, 0.95).value(), -0.05530515967334017,
                  0.9761145801153426);
  expect_interval(fisher_z(0.7917946548886294, 6, 0.8).value(), 0.3241880429696928,
                  0.9484509641256396);
}

TEST(FisherZ, IsUndefinedWithThreePairsOrAPerfectCorrelation) {
  EXPECT_EQ(fisher_z(0.5, 3, 0.95).error().reason, "fewer than four pairs");
  EXPECT_FALSE(fisher_z(1, 50, 0.95));
  EXPECT_FALSE(fisher_z(-1, 50, 0.95));
  EXPECT_TRUE(fisher_z(0.5, 4, 0.95));
}

TEST(SpearmanInterval, FollowsBonettAndWright) {  // the formula in NumPy: r = 0.8, n = 40
  expect_interval(spearman_interval(0.8, 40, 0.95).value(), 0.6220942, 0.89935028, 1e-7);
}

TEST(SpearmanInterval, IsWiderThanFishersUnlessTheCorrelationIsZero) {
  EXPECT_TRUE(rc::check([] {
    const double r = 0.99 * (2 * any_share() - 1);
    const auto n = *rc::gen::inRange<std::size_t>(4, 500);
    const Interval fisher = *fisher_z(r, n, 0.95), spearman = *spearman_interval(r, n, 0.95);
    RC_ASSERT(spearman.low <= fisher.low && fisher.low < r);
    RC_ASSERT(r < fisher.high && fisher.high <= spearman.high);
  }));
}

TEST(DifferenceInterval, OfWilsonIntervalsIsNewcombesMethod10) {
  // Newcombe 1998, table II, cases (a), (d) and (h); digits by statsmodels 0.13.5
  // (method="newcomb").
  const auto newcombe = [](double a, double m, double b, double n) {
    return difference_interval(a / m, wilson(a, m, 0.95), b / n, wilson(b, n, 0.95));
  };
  expect_interval(newcombe(56, 70, 48, 80), 0.05243147240236498, 0.33387265403690614);
  expect_interval(newcombe(9, 10, 3, 10), 0.1705227239345029, 0.809017973535488);
  expect_interval(newcombe(10, 10, 0, 10), 0.6075093504305241, 1);
}

TEST(DifferenceInterval, TurnsItsSignWhenTheSidesAreExchanged) {
  const Interval a{0.2, 0.7}, b{0.1, 0.35};
  const Interval forward = difference_interval(0.5, a, 0.3, b);
  const Interval backward = difference_interval(0.3, b, 0.5, a);
  EXPECT_DOUBLE_EQ(forward.low, -backward.high);
  EXPECT_DOUBLE_EQ(forward.high, -backward.low);
}

// Closed forms of the quantile at p: with one degree of freedom tan(pi (p - 1/2)), with two
// (2 p - 1) / sqrt(2 p (1 - p)).
TEST(StudentInterval, IsThatOfTheClosedForms) {
  const double two[] = {0.5, -1.5}, three[] = {1, 2, 6};
  const double one_degree = std::tan(std::numbers::pi * 0.475);
  expect_interval(*student_interval(two, 0.95), -0.5 - one_degree, -0.5 + one_degree);
  const double reach = 0.95 / std::sqrt(2 * 0.975 * 0.025) * std::sqrt(14.0 / 2 / 3);
  expect_interval(*student_interval(three, 0.95), 3 - reach, 3 + reach);
}

// scipy.stats.t.interval of the mean and its standard error, SciPy 1.10, whose quantiles are right
// to nine digits.
TEST(StudentInterval, IsScipys) {
  const double six[] = {3.25, -2, 7, 0.5, 11, 4};
  expect_interval(*student_interval(six, 0.95), -0.8918780811938327, 8.8085447478605, 1e-8);
  expect_interval(*student_interval(six, 0.8), 1.173613719291339, 6.743052947375328, 1e-8);
}

TEST(StudentInterval, NeedsTwoValuesAndIsAPointWhereTheyAreEqual) {
  const double equal[] = {3, 3, 3};
  expect_interval(*student_interval(equal, 0.95), 3, 3);
  EXPECT_FALSE(student_interval(std::span(equal, 1), 0.95));
  EXPECT_FALSE(student_interval({}, 0.95));
}

TEST(BoundedMeanInterval, OfZeroesAndOnesIsWilsons) {
  const Interval expected = wilson(37, 48, 0.95);
  expect_interval(bounded_mean_interval(37.0 / 48, 48, 0, 1, 0.95), expected.low, expected.high);
}

TEST(BoundedMeanInterval, HoldsEveryMeanWithinZErrorsOfTheLargestVariance) {
  const double mean = 2.5, low = 1, high = 5, z = normal_quantile(0.975);
  const Interval interval = bounded_mean_interval(mean, 30, low, high, 0.95);
  for (const double edge : {interval.low, interval.high}) {
    EXPECT_NEAR(std::abs(mean - edge), z * std::sqrt((high - edge) * (edge - low) / 30), 1e-12);
  }
}

TEST(BoundedMeanInterval, StaysInsideTheRangeAndHasAWidth) {
  EXPECT_TRUE(rc::check([] {
    const double low = *rc::gen::inRange(-50, 50) / 7.0;
    const double high = low + *rc::gen::inRange(1, 50) / 3.0;
    const double mean = std::min(high, low + (high - low) * any_share());
    const auto n = *rc::gen::inRange<std::size_t>(1, 1000);
    const Interval interval = bounded_mean_interval(mean, n, low, high, 0.9);
    RC_ASSERT(low <= interval.low && interval.high <= high);
    RC_ASSERT(interval.low <= mean + 1e-12 && mean - 1e-12 <= interval.high);
    RC_ASSERT(interval.low < interval.high);
  }));
}

}  // namespace
}  // namespace plumb::stats
