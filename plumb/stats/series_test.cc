#include "plumb/stats/series.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "plumb/base/files.h"
#include "plumb/stats/autoregression.h"
#include "plumb/stats/change_point.h"
#include "plumb/stats/equivalence.h"
#include "plumb/stats/hierarchical.h"
#include "plumb/stats/inequality.h"
#include "plumb/stats/intervals.h"

namespace plumb::stats {
namespace {

using Numbers = std::vector<double>;

// Golden values of NumPy and SciPy: tests/golden/links.py.
nlohmann::json golden(const char* what) {
  return nlohmann::json::parse(read_file("tests/golden/links.json").value())[what];
}

TEST(Gini, IsNumPysAlsoOfNegativeValues) {
  for (const auto& one : golden("gini")) {
    EXPECT_NEAR(*gini(one["values"].get<Numbers>()), one["gini"], 1e-12);
  }
}

TEST(Gini, OfCountsIsThatOfTheCopies) {
  const Numbers values = {3, -1, 2}, copies = {3, 3, 2};
  const std::vector<std::uint32_t> counts = {2, 0, 1};
  EXPECT_NEAR(*gini(values, counts), *gini(copies), 1e-15);
}

TEST(Gini, OfNothingIsUndefined) {
  EXPECT_FALSE(gini(Numbers{}));
  EXPECT_FALSE(gini(Numbers{0, 0}));
  EXPECT_FALSE(gini(Numbers{1, std::numeric_limits<double>::infinity()}));
}

RC_GTEST_PROP(Gini, LiesBetween0And1AndIgnoresTheUnit, (std::vector<int> whole)) {
  Numbers values(whole.begin(), whole.end()), tripled;
  for (double& value : values) value = std::fmod(value, 1000), tripled.push_back(3 * value);
  const Score one = gini(values), other = gini(tripled);
  RC_ASSERT(one.has_value() == other.has_value());
  if (!one) return;
  RC_ASSERT(-1e-12 <= *one && *one <= 1 + 1e-12);
  RC_ASSERT(std::abs(*one - *other) < 1e-9);
}

TEST(Equivalence, IsSciPysTwoOneSidedTests) {
  for (const auto& one : golden("equivalence")) {
    const Equivalence found =
        equivalence_test(one["difference"], one["deviation"], one["freedom"], one["margin"], 0.95);
    EXPECT_NEAR(found.p_value, one["p"], 1e-9);
    EXPECT_NEAR(found.ci.low, one["ci"][0], 1e-9);
    EXPECT_NEAR(found.ci.high, one["ci"][1], 1e-9);
    EXPECT_EQ(found.equivalent, found.ci.low > -one["margin"].get<double>() &&
                                    found.ci.high < one["margin"].get<double>());
  }
}

TEST(Equivalence, OfAnExactDifferenceNeedsNoTest) {
  EXPECT_TRUE(equivalence_test(0.01, 0, 9, 0.02, 0.95).equivalent);
  EXPECT_FALSE(equivalence_test(0.03, 0, 9, 0.02, 0.95).equivalent);
}

TEST(DetectableDifference, IsFoundInFourOfFiveStudies) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_NEAR(detectable_difference(1, infinite, 0.95), 2.8015852, 1e-6);  // 1.959964 + 0.841621
}

TEST(BrokenLine, IsNumPysLeastSquaresOverAllKnots) {
  for (const auto& one : golden("broken")) {
    const auto fit = fit_broken_line(one["x"].get<Numbers>(), one["y"].get<Numbers>());
    EXPECT_EQ(fit->at, one["at"]);
    EXPECT_NEAR(fit->before, one["before"], 1e-9);
    EXPECT_NEAR(fit->after, one["after"], 1e-9);
    EXPECT_NEAR(fit->rss, one["rss"], 1e-9);
    EXPECT_NEAR(fit->line_rss, one["line_rss"], 1e-9);
  }
}

TEST(BrokenLine, NeedsFiveDifferentPlaces) {
  const Numbers x = {0, 1, 1, 2, 3}, y = {1, 2, 3, 4, 5};
  EXPECT_EQ(fit_broken_line(x, y).error().reason, "fewer than five checkpoints");
}

TEST(ChangePoint, OfConstantsWhoseMeanIsRoundedIsUndefined) {
  const Numbers steps = {1, 2, 3, 4, 5, 6, 7, 9}, still(8, 0.7);
  const auto found = change_point_test(steps, still, {.resamples = 99});
  EXPECT_EQ(found.error().reason, "all points are on one line");
}

int changes_found(double autocorrelation, std::uint64_t runs) {
  int found = 0;
  for (std::uint64_t run = 0; run < runs; ++run) {
    Stream stream(3, "line", run);
    Numbers x(20), y(20);
    std::iota(x.begin(), x.end(), 0.0);
    draw_errors(autocorrelation, stream, y);
    for (std::size_t t = 0; t < y.size(); ++t) y[t] += x[t];
    found += change_point_test(x, y, {.resamples = 199, .seed = run})->p_value <= 0.05 ? 1 : 0;
  }
  return found;
}

TEST(ChangePoint, OfALineIsSeldomFoundHoweverItsErrorsHangTogether) {
  for (const double r : {0.0, 0.3, 0.6})
    EXPECT_LE(changes_found(r, 200), 18) << r;  // 10, and 2.58 deviations
}

TEST(ChangePoint, HasNumPysPValue) {
  for (const auto& one : golden("changes")) {
    const auto test = change_point_test(one["x"].get<Numbers>(), one["y"].get<Numbers>(),
                                        {.resamples = 9999, .seed = 1});
    const double p = one["p"];  // of 20,000 draws
    EXPECT_NEAR(test->p_value, p, 4 * std::sqrt(p * (1 - p) * 1.5e-4) + 1e-3);
  }
}

TEST(Autocorrelation, OfDrawnErrorsIsTheOneAskedFor) {
  Stream stream(1, "errors", 0);
  Numbers errors(200000);
  draw_errors(0.6, stream, errors);
  double squares = 0, neighbours = 0;
  for (std::size_t t = 1; t < errors.size(); ++t) {
    squares += errors[t] * errors[t];
    neighbours += errors[t] * errors[t - 1];
  }
  EXPECT_NEAR(neighbours / squares, 0.6, 0.01);
  EXPECT_NEAR(squares / static_cast<double>(errors.size()), 1 / (1 - 0.36), 0.03);
}

TEST(ChangePoint, OfABendIsFoundWhereItIs) {
  const auto bend = golden("broken")[0];
  const auto test =
      change_point_test(bend["x"].get<Numbers>(), bend["y"].get<Numbers>(), {.resamples = 199});
  EXPECT_LE(test->p_value, 0.01);
  EXPECT_NEAR(test->fit.at, 5, 1);
}

void expect_quantiles(double estimate, Interval ci, const nlohmann::json& wanted) {
  EXPECT_NEAR(ci.low, wanted[0], 1e-3);
  EXPECT_NEAR(estimate, wanted[1], 1e-3);
  EXPECT_NEAR(ci.high, wanted[2], 1e-3);
}

TEST(SeriesLink, IsNumPysByDenseMatrices) {
  for (const auto& one : golden("series")) {
    const auto link = series_link(one["x"].get<Numbers>(), one["y"].get<Numbers>(), 0.95);
    expect_quantiles(link->slope, link->slope_ci, one["slope"]);
    expect_quantiles(link->correlation, link->correlation_ci, one["correlation"]);
    EXPECT_NEAR(link->p_value, one["p"], 1e-3);
    EXPECT_NEAR(link->autocorrelation, one["autocorrelation"], 1e-3);
    EXPECT_NEAR(link->pearson, one["pearson"], 1e-12);
  }
}

TEST(SeriesLink, OfFewOrConstantValuesIsUndefined) {
  EXPECT_EQ(series_link(Numbers{1, 2, 3}, Numbers{1, 2, 3}, 0.95).error().reason,
            "fewer than six checkpoints");
  EXPECT_FALSE(series_link(Numbers{1, 1, 1, 1, 1, 1}, Numbers{1, 2, 3, 4, 5, 6}, 0.95));
}

// The mean of eight times 0.7 is not 0.7 in doubles.
TEST(SeriesLink, OfConstantsWhoseMeanIsRoundedIsUndefined) {
  const Numbers steps = {1, 2, 3, 4, 5, 6, 7, 9}, still(8, 0.7);
  const char* reason = "a side does not change over the checkpoints";
  EXPECT_EQ(series_link(steps, still, 0.95).error().reason, reason);
  EXPECT_EQ(series_link(still, steps, 0.95).error().reason, reason);
}

TEST(SeriesLink, IsTheSameFarFromZero) {
  const Numbers x = {0, 1, 2, 3, 4, 5, 6, 7}, y = {1, 2, 1, 4, 3, 6, 4, 5};
  Numbers far;
  for (const double value : y) far.push_back(value + 0x1p40);
  const auto near = series_link(x, y, 0.95).value(), other = series_link(x, far, 0.95).value();
  EXPECT_NEAR(other.slope, near.slope, 1e-9);
  EXPECT_NEAR(other.slope_ci.low, near.slope_ci.low, 1e-6);
  EXPECT_NEAR(other.correlation_ci.low, near.correlation_ci.low, 1e-6);
}

TEST(SeriesLink, WithoutResidualsHasNoError) {
  const auto link = series_link(Numbers{1, 2, 3, 4, 5, 7}, Numbers{-2, -4, -6, -8, -10, -14}, 0.95);
  EXPECT_EQ(link->slope_ci.low, link->slope_ci.high);
  EXPECT_NEAR(link->slope, -2, 1e-12);
  EXPECT_NEAR(link->correlation, -1, 1e-12);
  EXPECT_EQ(link->p_value, 0);
}

// The unit of neither side matters; the slope's sign is that of the correlation, and both exclude 0
// where the p-value is below 1 - level.
RC_GTEST_PROP(SeriesLink, KnowsNoUnitsAndAgreesWithItself, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(6, 20);
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  Stream stream(seed, "series", 0);
  Numbers x, y, scaled;
  for (std::size_t t = 0; t < size; ++t) {
    x.push_back(stream.uniform());
    y.push_back(x.back() + stream.uniform());
    scaled.push_back(1000 * y.back() + 7);
  }
  const auto link = series_link(x, y, 0.95).value(), other = series_link(x, scaled, 0.95).value();
  RC_ASSERT(std::abs(other.slope / 1000 - link.slope) < 1e-6);
  RC_ASSERT(std::abs(other.correlation_ci.low - link.correlation_ci.low) < 1e-6);
  RC_ASSERT(link.slope * link.correlation >= -1e-12);
  RC_ASSERT(link.correlation_ci.low <= link.correlation);
  RC_ASSERT(link.correlation <= link.correlation_ci.high);
  if (std::abs(link.p_value - 0.05) < 1e-6) return;
  for (const Interval& ci : {link.slope_ci, link.correlation_ci}) {
    RC_ASSERT((ci.low > 0 || ci.high < 0) == (link.p_value < 0.05));
  }
}

TEST(NoncentralT, IsSciPysAndHoldsWhereItsSeriesDoesNot) {
  for (const auto& one : golden("above")) {
    EXPECT_NEAR(NoncentralT(one["freedom"]).above(one["t"], one["noncentrality"]), one["p"], 1e-6)
        << one;
  }
}

Draws seed_of(double level, std::uint64_t number) {
  Stream stream(number, "items", 0);
  Numbers items;
  for (int i = 0; i < 40; ++i) items.push_back(level + stream.uniform());
  const auto statistic = [items](Counts counts, std::span<Score> values) {
    values[0] = mean(items, counts);
  };
  return paired_bootstrap(Resampling::of_items(40), 1, statistic, {.resamples = 2000});
}

// By hand: levels 0 and 6 have the variance 18 of single seeds, 9 of their mean; different items
// have nothing in common.
TEST(PooledDraws, VaryAsSeedsDo) {
  const std::vector<Draws> seeds = {seed_of(0, 1), seed_of(6, 2)};
  const Deviation deviation = pooled_deviation(seeds, 0, true).value();
  EXPECT_NEAR(deviation.value, 3, 0.15);
  EXPECT_NEAR(deviation.freedom, 1, 0.01);
  const Draws pooled = pool_draws(seeds, {.seed = 1});
  EXPECT_NEAR(*pooled.points[0], (*seeds[0].points[0] + *seeds[1].points[0]) / 2, 1e-12);
  const Interval ci = student_interval(*pooled.points[0], {3, 1}, 0.95);
  EXPECT_NEAR(ci.high - *pooled.points[0], 12.7062 * 3, 1e-3);
}

// By hand: the items' part of the variance is that of one seed's draws, and seeds that are the same
// vary by it alone.
TEST(PooledDraws, CountWhatItemsHaveInCommonOnce) {
  const std::vector<Draws> same = {seed_of(1, 1), seed_of(1, 1), seed_of(1, 1)};
  const double items = deviation_of(same[0], 0)->value;
  EXPECT_NEAR(pooled_deviation(same, 0, true)->value, items, 1e-12);
  EXPECT_GT(pooled_deviation(same, 0, true)->freedom, 1e9);
  const std::vector<Draws> apart = {seed_of(1, 1), seed_of(1.2, 1)};
  const Deviation both = pooled_deviation(apart, 0, true).value();
  EXPECT_NEAR(both.value, std::sqrt(0.01 + items * items), 1e-12);
  EXPECT_NEAR(both.freedom, std::pow(1 + items * items / 0.01, 2), 1e-9);
  EXPECT_GE(pooled_deviation(apart, 0, false)->value, both.value - 1e-12);
}

// Hesterberg 2015: with ten units t is 2.2622, times sqrt(10 / 9) 2.3845.
TEST(ExpandedLevel, GrowsAsUnitsGetFew) {
  EXPECT_NEAR(expanded_level(0.95, 10), 1 - 2 * normal_cdf(-2.38454), 1e-5);
  EXPECT_NEAR(expanded_level(0.95, 100000), 0.95, 1e-4);
  EXPECT_EQ(expanded_level(0.95, 1), 0.95);
}

}  // namespace
}  // namespace plumb::stats
