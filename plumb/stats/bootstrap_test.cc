#include "plumb/stats/bootstrap.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/intervals.h"

namespace plumb::stats {
namespace {

using Values = std::vector<double>;
using CountVector = std::vector<std::uint32_t>;

Values normals(std::size_t size, Stream& stream) {
  Values values(size);
  for (double& value : values) {
    value = normal_quantile(std::clamp(stream.uniform(), 1e-12, 1 - 1e-12));
  }
  return values;
}

Statistic mean_of(const Values& values) {
  return [&values](Counts counts) { return mean(values, counts); };
}

bool same_bytes(const Score& a, const Score& b) {
  return a.has_value() == b.has_value() && (!a || std::memcmp(&*a, &*b, sizeof *a) == 0);
}

bool same_bytes(const std::vector<Score>& a, const std::vector<Score>& b) {
  return std::ranges::equal(a, b, [](const Score& x, const Score& y) { return same_bytes(x, y); });
}

double width(const BootstrapResult& result) { return result.interval->high - result.interval->low; }

// NumPy 1.24.2 and SciPy 1.10.1; see the script of the same name.
nlohmann::json golden() {
  return nlohmann::json::parse(read_file("tests/golden/bootstrap.json").value());
}

TEST(PercentileInterval, EqualsNumPysQuantiles) {
  for (const auto& test : golden()) {
    const Interval interval =
        percentile_interval(test["draws"].get<Values>(), test["level"]).value();
    EXPECT_NEAR(interval.low, test["percentile"][0], 1e-13);
    EXPECT_NEAR(interval.high, test["percentile"][1], 1e-13);
  }
}

TEST(PercentileInterval, OfOneDrawIsThatDraw) {
  const Interval interval = percentile_interval(Values{4}, 0.95).value();
  EXPECT_EQ(interval.low, 4);
  EXPECT_EQ(interval.high, 4);
  EXPECT_FALSE(percentile_interval(Values{}, 0.95));
}

TEST(BcaInterval, EqualsSciPysOnTheSameDraws) {
  for (const auto& test : golden()) {
    const Interval interval = bca_interval(test["point"], test["draws"].get<Values>(),
                                           test["jackknife"].get<Values>(), test["level"])
                                  .value();
    EXPECT_NEAR(interval.low, test["bca"][0], 1e-12);
    EXPECT_NEAR(interval.high, test["bca"][1], 1e-12);
  }
}

TEST(BcaInterval, IsThePercentileIntervalWithoutBiasAndSkew) {
  const Values draws = {1, 2, 3, 4, 5, 6, 7, 8, 9}, symmetric = {4, 5, 6};
  const Interval bca = bca_interval(5, draws, symmetric, 0.8).value();
  const Interval percentile = percentile_interval(draws, 0.8).value();
  EXPECT_NEAR(bca.low, percentile.low, 1e-12);
  EXPECT_NEAR(bca.high, percentile.high, 1e-12);
}

TEST(BcaInterval, IsUndefinedWithAllDrawsOnOneSideOfThePoint) {
  EXPECT_EQ(bca_interval(0, Values{1, 2, 3}, Values{1, 2}, 0.95).error().reason,
            "all resamples lie on one side of the point");
  EXPECT_FALSE(bca_interval(9, Values{1, 2, 3}, Values{1, 2}, 0.95));
}

TEST(BcaInterval, OfAConstantIsThatConstant) {
  const Values ones(20, 1.0);
  const auto result = bootstrap(Resampling::of_items(20), mean_of(ones),
                                {.resamples = 100, .method = IntervalMethod::kBca});
  EXPECT_EQ(result.interval->low, 1);
  EXPECT_EQ(result.interval->high, 1);
}

TEST(Mean, WeighsEachValueWithItsCount) {
  EXPECT_EQ(mean(Values{1, 5, 9}, CountVector{3, 0, 1}).value(), 3);
  EXPECT_EQ(mean(Values{1, 5}, CountVector{0, 0}).error().reason, "there are no items");
  EXPECT_FALSE(mean(Values{1, NAN}, CountVector{1, 1}));
}

TEST(Resampling, DrawsAsManyItemsAsThereAre) {
  EXPECT_TRUE(rc::check([] {
    const auto items = *rc::gen::inRange<std::size_t>(0, 200);
    Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "test", 0);
    CountVector counts(items, 99);
    Resampling::of_items(items).draw(stream, counts);
    RC_ASSERT(std::accumulate(counts.begin(), counts.end(), std::size_t{0}) == items);
  }));
}

TEST(Resampling, DrawsClustersWhole) {
  const CountVector cluster = {0, 1, 0, 2, 2, 2};
  const Resampling resampling = Resampling::of_clusters(cluster);
  EXPECT_EQ(resampling.units(), 3u);
  for (std::uint64_t i = 0; i < 50; ++i) {
    Stream stream(1, "test", i);
    CountVector counts(6);
    resampling.draw(stream, counts);
    EXPECT_EQ(counts[0], counts[2]);
    EXPECT_EQ(counts[3], counts[4]);
    EXPECT_EQ(counts[3], counts[5]);
    EXPECT_EQ(counts[0] + counts[1] + counts[3], 3u);
  }
}

TEST(Jackknife, LeavesOutOneUnitAtATime) {
  const Values values = {1, 2, 6};
  const auto by_item = jackknife(Resampling::of_items(3), mean_of(values), 1);
  EXPECT_EQ(by_item[0].value(), 4);
  EXPECT_EQ(by_item[2].value(), 1.5);
  const auto by_cluster =
      jackknife(Resampling::of_clusters(CountVector{0, 0, 1}), mean_of(values), 1);
  ASSERT_EQ(by_cluster.size(), 2u);
  EXPECT_EQ(by_cluster[0].value(), 6);
}

TEST(Bootstrap, HasTheVarianceOfTheMean) {
  Stream stream(3, "test", 0);
  const Values values = normals(50, stream);
  const double centre = mean(values, CountVector(50, 1)).value();
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  const double expected = squares / 50 / 50;  // sigma^2 / n with the plug-in sigma^2

  const Draws draws = paired_bootstrap(
      Resampling::of_items(50), 1,
      [&](Counts counts, std::span<Score> out) { out[0] = mean(values, counts); }, {});
  double variance = 0;
  for (const Score& draw : draws.values) variance += (*draw - centre) * (*draw - centre) / 10000;
  EXPECT_NEAR(variance / expected, 1, 0.07);  // five standard errors
}

TEST(Bootstrap, CoversTheTrueMeanAsOftenAsItSays) {
  for (const IntervalMethod method : {IntervalMethod::kPercentile, IntervalMethod::kBca}) {
    int covered = 0;
    const int studies = 400;
    for (int i = 0; i < studies; ++i) {
      Stream stream(4, "test", static_cast<std::uint64_t>(i));
      const Values values = normals(40, stream);
      const auto result =
          bootstrap(Resampling::of_items(40), mean_of(values),
                    {.resamples = 400, .level = 0.9, .threads = 1, .method = method});
      covered += result.interval->low <= 0 && 0 <= result.interval->high;
    }
    EXPECT_NEAR(covered, 0.9 * studies, 30);  // five standard errors
  }
}

TEST(Bootstrap, OfClustersIsWiderThanOfItemsWhereClustersDiffer) {
  Stream stream(5, "test", 0);
  Values values;
  CountVector cluster;
  for (std::uint32_t c = 0; c < 12; ++c) {
    const double level = normals(1, stream)[0];
    for (const double noise : normals(10, stream)) {
      values.push_back(level + 0.1 * noise);
      cluster.push_back(c);
    }
  }
  const auto by_item = bootstrap(Resampling::of_items(120), mean_of(values), {.resamples = 1000});
  const auto by_cluster =
      bootstrap(Resampling::of_clusters(cluster), mean_of(values), {.resamples = 1000});
  EXPECT_GT(width(by_cluster), 2 * width(by_item));
}

// An arena repeats the row of a clear victory three times to weigh it, and then resamples rows: its
// intervals are the square root of three too narrow. By item a copy adds nothing.
TEST(Bootstrap, OfRowsThreeTimesIsThatOfTheRowsOnceWhereItemsAreDrawn) {
  Stream stream(6, "test", 0);
  const Values rows = normals(200, stream);
  Values three_times;
  CountVector item;
  for (std::uint32_t i = 0; i < 200; ++i) {
    three_times.insert(three_times.end(), 3, rows[i]);
    item.insert(item.end(), 3, i);
  }
  const auto once = bootstrap(Resampling::of_items(200), mean_of(rows), {});
  const auto by_item = bootstrap(Resampling::of_clusters(item), mean_of(three_times), {});
  const auto by_row = bootstrap(Resampling::of_items(600), mean_of(three_times), {});
  EXPECT_NEAR(by_item.interval->low, once.interval->low, 1e-12);
  EXPECT_NEAR(by_item.interval->high, once.interval->high, 1e-12);
  EXPECT_NEAR(width(by_item) / width(by_row), std::sqrt(3.0), 0.05);
}

TEST(Bootstrap, OfSingletonClustersIsThatOfItems) {
  const Values values = {1, 4, 2, 8, 5, 7};
  CountVector each_its_own(6);
  std::iota(each_its_own.begin(), each_its_own.end(), 0u);
  const auto items = bootstrap(Resampling::of_items(6), mean_of(values), {});
  const auto clusters = bootstrap(Resampling::of_clusters(each_its_own), mean_of(values), {});
  EXPECT_EQ(items.interval->low, clusters.interval->low);
  EXPECT_EQ(items.interval->high, clusters.interval->high);
}

TEST(Bootstrap, CountsUndefinedResamplesAndLeavesThemOut) {
  const Values values = {0, 1, 2, 3};
  const Statistic needs_the_first = [&](Counts counts) -> Score {
    return counts[0] == 0 ? Score(undefined("the first item is missing")) : mean(values, counts);
  };
  const double expected = std::pow(0.75, 4);  // P(an item is not drawn)
  const auto tolerant =
      bootstrap(Resampling::of_items(4), needs_the_first, {.undefined_share = 0.5});
  EXPECT_EQ(tolerant.resamples, 10000u);
  EXPECT_NEAR(static_cast<double>(tolerant.undefined), 10000 * expected, 235);
  EXPECT_TRUE(tolerant.interval);

  const auto strict = bootstrap(Resampling::of_items(4), needs_the_first, {});
  EXPECT_EQ(strict.undefined, tolerant.undefined);
  EXPECT_EQ(strict.interval.error().reason, "too many resamples are undefined");
}

TEST(Bootstrap, OfAnUndefinedScoreSaysWhy) {
  const auto result = bootstrap(Resampling::of_items(5),
                                [](Counts) { return undefined("no reason"); }, {.resamples = 10});
  EXPECT_EQ(result.point.error().reason, "no reason");
  EXPECT_EQ(result.interval.error().reason, "no reason");
  EXPECT_EQ(result.undefined, 10u);
}

TEST(Bootstrap, HasNoIntervalWithFewerThanTwoUnits) {
  const Values one = {3}, three = {1, 2, 3};
  const auto of_one = bootstrap(Resampling::of_items(1), mean_of(one), {});
  EXPECT_EQ(of_one.point.value(), 3);
  EXPECT_EQ(of_one.interval.error().reason, "there is nothing to resample");
  EXPECT_FALSE(
      bootstrap(Resampling::of_clusters(CountVector{0, 0, 0}), mean_of(three), {}).interval);
  EXPECT_FALSE(bootstrap(Resampling::of_items(0), mean_of({}), {}).interval);
}

TEST(BootstrapDifference, IsPaired) {
  Stream stream(6, "test", 0);
  const Values a = normals(60, stream);
  Values b = a;
  for (double& value : b) value -= 0.25;
  const auto lead = bootstrap_difference(Resampling::of_items(60), mean_of(a), mean_of(b), {});
  EXPECT_NEAR(lead.interval->low, 0.25, 1e-12);
  EXPECT_NEAR(lead.interval->high, 0.25, 1e-12);
}

TEST(CrossedBootstrap, AddsTheVarianceOfBothFactors) {
  // answer(i, j) = item effect + rater effect: the variance of the mean is that of the two means.
  Stream stream(7, "test", 0);
  const Values item_effects = normals(40, stream), rater_effects = normals(10, stream);
  const CrossedStatistic crossed_mean = [&](Counts items, Counts raters) -> Score {
    return *mean(item_effects, items) + *mean(rater_effects, raters);
  };
  const auto of_both = crossed_bootstrap(40, 10, crossed_mean, {});
  const auto of_items = bootstrap(Resampling::of_items(40), mean_of(item_effects), {});
  const auto of_raters = bootstrap(Resampling::of_items(10), mean_of(rater_effects), {});
  EXPECT_NEAR(width(of_both) / std::hypot(width(of_items), width(of_raters)), 1, 0.05);
}

TEST(CrossedBootstrap, HasNoIntervalWithOneRaterOrByBca) {
  const CrossedStatistic constant = [](Counts, Counts) { return Score(1.0); };
  EXPECT_FALSE(crossed_bootstrap(40, 1, constant, {}).interval);
  EXPECT_FALSE(crossed_bootstrap(40, 5, constant, {.method = IntervalMethod::kBca}).interval);
  EXPECT_TRUE(crossed_bootstrap(40, 2, constant, {.resamples = 50}).interval);
}

TEST(PairedBootstrap, GivesTheSameBytesWithAnyNumberOfThreads) {
  Stream stream(8, "test", 0);
  const Values gold = normals(30, stream);
  const std::vector<Values> models = {normals(30, stream), normals(30, stream), Values(30, 1.0)};
  BootstrapOptions options{
      .resamples = 501, .seed = 9, .threads = 1, .method = IntervalMethod::kBca};
  const Draws alone = paired_spearman_bootstrap(gold, models, options);
  for (const int threads : {2, 5}) {
    options.threads = threads;
    const Draws draws = paired_spearman_bootstrap(gold, models, options);
    EXPECT_TRUE(same_bytes(draws.values, alone.values));
    EXPECT_TRUE(same_bytes(draws.jackknife, alone.jackknife));
  }
  options.seed = 10;
  EXPECT_FALSE(same_bytes(paired_spearman_bootstrap(gold, models, options).values, alone.values));
}

TEST(PairedSpearmanBootstrap, EqualsTheGeneralBootstrapOfSpearman) {
  Stream stream(11, "test", 0);
  const Values gold = normals(25, stream);
  std::vector<Values> models = {normals(25, stream), gold};
  for (double& value : models[0]) value = std::round(value);
  const BootstrapOptions options{.resamples = 300, .method = IntervalMethod::kBca};
  const Draws draws = paired_spearman_bootstrap(gold, models, options);
  ASSERT_EQ(draws.resamples(), 300u);
  for (std::size_t m = 0; m < models.size(); ++m) {
    const Statistic expanded = [&](Counts counts) {
      Values x, y;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        x.insert(x.end(), counts[i], gold[i]);
        y.insert(y.end(), counts[i], models[m][i]);
      }
      return spearman(x, y);
    };
    const auto expected = bootstrap(Resampling::of_items(25), expanded, options);
    const auto result = summarize(draws, m, options);
    EXPECT_NEAR(result.point.value(), expected.point.value(), 1e-12);
    if (m == 1) continue;  // a perfect correlation: checked below
    EXPECT_NEAR(result.interval->low, expected.interval->low, 1e-12);
    EXPECT_NEAR(result.interval->high, expected.interval->high, 1e-12);
  }
  EXPECT_EQ(summarize(draws, 1, {}).interval->low, 1);
  const auto lead = summarize_difference(draws, 1, 0, {});
  EXPECT_NEAR(lead.point.value(), 1 - *draws.points[0], 1e-15);
}

TEST(PairedSpearmanBootstrap, KeepsAConstantModelUndefinedAndTheOthersWhole) {
  Stream stream(12, "test", 0);
  const Values gold = normals(20, stream);
  const std::vector<Values> models = {normals(20, stream), Values(20, 0.5)};
  const Draws draws = paired_spearman_bootstrap(gold, models, {.resamples = 100});
  EXPECT_TRUE(summarize(draws, 0, {}).interval);
  EXPECT_EQ(summarize(draws, 1, {}).interval.error().reason, "one of the two sides is constant");
  EXPECT_FALSE(summarize_difference(draws, 0, 1, {}).point);
  EXPECT_TRUE(draws.complete_rows().empty());
}

TEST(Draws, CompleteRowsKeepTheirOrder) {
  Draws draws;
  draws.columns = 2;
  draws.values = {Score(1.0), Score(2.0), Score(undefined("x")),
                  Score(3.0), Score(4.0), Score(5.0)};
  EXPECT_EQ(draws.complete_rows(), (Values{1, 2, 4, 5}));
}

TEST(Centre, MovesTheDrawsOntoThePointAndKeepsTheirSpread) {
  Draws draws{2, {1.0, 5.0}, {2.0, 7.0, 4.0, undefined("no"), 6.0, 9.0}, {}};
  centre(draws);
  EXPECT_EQ(draws.values[0], -1.0);  // 2, 4, 6 have the mean 4
  EXPECT_EQ(draws.values[2], 1.0);
  EXPECT_EQ(draws.values[4], 3.0);
  EXPECT_EQ(draws.values[1], 4.0);  // 7, 9 have the mean 8
  EXPECT_FALSE(draws.values[3]);
  EXPECT_EQ(draws.values[5], 6.0);
}

}  // namespace
}  // namespace plumb::stats
