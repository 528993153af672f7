#include "plumb/stats/best_of_n.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plumb/base/random.h"
#include "plumb/stats/intervals.h"

namespace plumb::stats {
namespace {

using Values = std::vector<double>;
using Sizes = std::vector<std::size_t>;

Values curve(const Values& proxy, const Values& gold, const Sizes& n) {
  return best_of_n_curves({1, proxy.size(), proxy, gold}, n, 1).gold;
}

// log n - (n - 1) / n in Python; the six in the middle are printed by Stiennon et al., Table 10.
TEST(BestOfNKl, HasTheKnownValues) {
  const std::pair<double, double> known[] = {
      {1, 0},        {2, 0.1931},    {4, 0.6363},    {8, 1.2044},     {16, 1.8351},
      {32, 2.4970},  {63, 3.1590},   {64, 3.1745},   {128, 3.8598},   {256, 4.5491},
      {512, 5.2403}, {1000, 5.9088}, {1024, 5.9324}, {12500, 8.4336}, {60000, 10.0021}};
  for (const auto& [n, kl] : known) EXPECT_NEAR(best_of_n_kl(n), kl, 6e-5) << n;
}

TEST(BestOfNKl, WithTiesIsWhatSummationOverTheSamplesGives) {
  // Best of 2 of the scores 0 and 1 with chances 3/4 and 1/4: 9/16 and 7/16.
  const double kl = 9.0 / 16 * std::log(3.0 / 4) + 7.0 / 16 * std::log(7.0 / 4);
  EXPECT_NEAR(best_of_n_kl(Values{0.75, 0.25}, 2), kl, 1e-15);
  EXPECT_EQ(best_of_n_kl(Values{1}, 64), 0);
  EXPECT_NEAR(best_of_n_kl(Values{0.3, 0.7}, 1), 0, 1e-15);
}

RC_GTEST_PROP(BestOfNKl, IsABoundWithTiesAndTheirLimitWithout, ()) {
  const auto n = static_cast<double>(*rc::gen::inRange(2, 65));
  const auto values = static_cast<std::size_t>(*rc::gen::inRange(1, 40));
  const Values shares(values, 1 / static_cast<double>(values));
  RC_ASSERT(best_of_n_kl(shares, n) <= best_of_n_kl(n) + 1e-12);
  RC_ASSERT(std::abs(best_of_n_kl(Values(100000, 1e-5), n) - best_of_n_kl(n)) < 1e-3);
}

// Counted by hand: gold in the order of the proxy is 3, 1, 4, 1.5, 5, 2.
TEST(BestOfN, HasTheKnownValues) {
  const Values proxy = {0.3, 0.1, 0.4, 0.6, 0.2, 0.5}, gold = {4, 3, 1.5, 2, 1, 5};
  const Values wanted = {2.75, 2.9, 2.925, 2.766666666666667, 2.5, 2};
  const Values got = curve(proxy, gold, {1, 2, 3, 4, 5, 6});
  for (std::size_t k = 0; k < wanted.size(); ++k) EXPECT_NEAR(got[k], wanted[k], 1e-14) << k;
}

// The mean over every subset of n samples, and over every order of equal proxies.
double by_enumeration(const Values& proxy, const Values& gold, std::size_t n) {
  double sum = 0, subsets = 0;
  for (std::size_t bits = 0; bits < (std::size_t{1} << proxy.size()); ++bits) {
    double best = -1e9, total = 0, count = 0, size = 0;
    for (std::size_t i = 0; i < proxy.size(); ++i) {
      if ((bits >> i & 1) == 0) continue;
      ++size;
      if (proxy[i] > best) best = proxy[i], total = count = 0;
      if (proxy[i] == best) total += gold[i], ++count;
    }
    if (size != static_cast<double>(n)) continue;
    sum += total / count;
    ++subsets;
  }
  return sum / subsets;
}

RC_GTEST_PROP(BestOfN, IsTheMeanOverAllSubsetsTiesInAnyOrder, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "best-of-n", 0);
  const std::size_t samples = 1 + stream.below(9);
  Values proxy, gold;
  for (std::size_t i = 0; i < samples; ++i) {
    proxy.push_back(stream.below(5));
    gold.push_back(stream.below(20));
  }
  Sizes n(samples);
  std::iota(n.begin(), n.end(), std::size_t{1});
  const Values got = curve(proxy, gold, n);
  for (std::size_t k = 0; k < samples; ++k) {
    RC_ASSERT(std::abs(got[k] - by_enumeration(proxy, gold, n[k])) < 1e-12);
  }
}

TEST(BestOfN, SaysWhetherThereAreTies) {
  const Values gold = {1, 2, 3};
  EXPECT_FALSE(best_of_n_curves({1, 3, Values{1, 2, 3}, gold}, Sizes{1}, 1).ties);
  EXPECT_TRUE(best_of_n_curves({1, 3, Values{1, 2, 1}, gold}, Sizes{1}, 1).ties);
}

TEST(BestOfN, IsTheSameWithAnyNumberOfThreads) {
  Stream stream(4, "best-of-n", 0);
  Values proxy(std::size_t{50} * 33), gold(proxy.size());
  for (double& value : proxy) value = stream.uniform();
  for (double& value : gold) value = stream.uniform();
  const SampleScores samples{50, 33, proxy, gold};
  EXPECT_EQ(best_of_n_curves(samples, powers_of_two(33), 1).gold,
            best_of_n_curves(samples, powers_of_two(33), 4).gold);
  EXPECT_EQ(powers_of_two(33), (Sizes{1, 2, 4, 8, 16, 32, 33}));
  EXPECT_EQ(powers_of_two(8), (Sizes{1, 2, 4, 8}));
}

// E max of n standard normals, by scipy.integrate.quad 1.10.1.
TEST(BestOfN, OfGaussianScoresIsTheirExpectedMaximum) {
  constexpr std::size_t kPrompts = 2000, kSamples = 64;
  Values proxy, gold;
  Stream stream(6, "gaussian", 0);
  const auto normal = [&] { return normal_quantile(std::max(stream.uniform(), 1e-15)); };
  for (std::size_t i = 0; i < kPrompts * kSamples; ++i) {
    gold.push_back(normal());
    proxy.push_back(gold.back() + 0.5 * normal());
  }
  const Sizes n = {2, 4, 16};
  const SampleScores by_proxy{kPrompts, kSamples, proxy, proxy},
      by_gold{kPrompts, kSamples, proxy, gold};
  const auto proxy_curve = resample_curves(best_of_n_curves(by_proxy, n, 0), {.resamples = 100});
  const auto gold_curve = resample_curves(best_of_n_curves(by_gold, n, 0), {.resamples = 100});
  const double known[] = {0.56419, 1.02938, 1.76599};
  for (std::size_t k = 0; k < n.size(); ++k) {
    EXPECT_NEAR(proxy_curve.point[k] / std::sqrt(1.25), known[k], 0.02);
    EXPECT_NEAR(gold_curve.point[k] / proxy_curve.point[k], 1 / 1.25, 0.02);  // v / (v + t)
  }
}

// The same for large n. The scores are the quantiles of the normal distribution in the middle of
// 200,000 steps, of which the best of n have that expectation to four digits.
TEST(BestOfN, OfGaussianScoresIsTheirExpectedMaximumForLargeN) {
  constexpr std::size_t kSamples = 200000;
  Values scores;
  for (std::size_t i = 0; i < kSamples; ++i) {
    scores.push_back(normal_quantile((static_cast<double>(i) + 0.5) / kSamples));
  }
  const Values best = curve(scores, scores, {2, 4, 16, 64, 256, 1024});
  const double known[] = {0.56419, 1.02938, 1.76599, 2.34373, 2.82686, 3.24824};
  for (std::size_t k = 0; k < best.size(); ++k) EXPECT_NEAR(best[k], known[k], 5e-4) << k;
}

// That the best of n by the proxy wins against a plain sample has the chance n / (n + 1) where the
// proxy is the gold, and less where it is not: of n + 1 samples alike each is as often the best.
TEST(BestOfN, WinsAgainstAPlainSampleAtMostNTimesInNPlusOne) {
  constexpr std::size_t kSamples = 4000;
  Values proxy, gold;
  Stream stream(6, "wins", 0);
  for (std::size_t i = 0; i < kSamples; ++i) {
    gold.push_back(normal_quantile(std::max(stream.uniform(), 1e-15)));
    proxy.push_back(gold.back() + normal_quantile(std::max(stream.uniform(), 1e-15)));
  }
  // The chance that a sample's gold beats that of another, half for itself.
  Values sorted = gold, wins;
  std::ranges::sort(sorted);
  for (const double value : gold) {
    const auto below = std::ranges::lower_bound(sorted, value) - sorted.begin();
    wins.push_back((static_cast<double>(below) + 0.5) / kSamples);
  }
  const Sizes n = {1, 2, 4, 16, 64};
  const Values by_gold = curve(gold, wins, n), by_proxy = curve(proxy, wins, n);
  for (std::size_t k = 0; k < n.size(); ++k) {
    const double bound = static_cast<double>(n[k]) / static_cast<double>(n[k] + 1);
    EXPECT_NEAR(by_gold[k], bound, 1e-3) << n[k];
    EXPECT_LE(by_proxy[k], bound + 1e-12) << n[k];
  }
  EXPECT_LT(by_proxy[4], by_gold[4] - 0.05);
}

// A reference implementation sorted ensemble scores but took gold scores in the order of its first
// member, so that every ensemble had the first member's curve.
TEST(BestOfN, OfAnEnsembleTakesTheGoldOfTheSampleThatItChose) {
  const Values first = {3, 2, 1, 0}, ensemble = {0, 1, 2, 3}, gold = {10, 20, 30, 40};
  EXPECT_DOUBLE_EQ(curve(first, gold, {4})[0], 10);
  EXPECT_DOUBLE_EQ(curve(ensemble, gold, {4})[0], 40);
}

}  // namespace
}  // namespace plumb::stats
