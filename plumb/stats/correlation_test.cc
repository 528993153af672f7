#include "plumb/stats/correlation.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

using Values = std::vector<double>;
using CountVector = std::vector<std::uint32_t>;
using Correlation = Score (*)(std::span<const double>, std::span<const double>);

const std::vector<Correlation> kAll = {pearson, spearman, kendall_tau_b};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// SciPy 1.10.1; see the script of the same name.
nlohmann::json golden() {
  return nlohmann::json::parse(read_file("tests/golden/correlation.json").value());
}

Values expand(const Values& values, const CountVector& counts) {
  Values sample;
  for (std::size_t i = 0; i < values.size(); ++i) sample.insert(sample.end(), counts[i], values[i]);
  return sample;
}

Values few_levels(std::size_t size, std::uint32_t levels, Stream& stream) {
  Values values(size);
  for (double& value : values) value = stream.below(levels);
  return values;
}

TEST(AverageRanks, EqualSciPys) {
  for (const auto& test : golden()) {
    EXPECT_EQ(average_ranks(test["x"].get<Values>()), test["ranks"].get<Values>());
  }
}

TEST(AverageRanks, TiesShareTheMeanOfTheirPlaces) {
  EXPECT_EQ(average_ranks(Values{3, 1, 3, -2, 3}), (Values{4, 2, 4, 1, 4}));
  EXPECT_TRUE(average_ranks(Values{}).empty());
}

TEST(AverageRanks, TreatBothZerosAsOneValue) {
  EXPECT_EQ(average_ranks(Values{0.0, -0.0, 1}), (Values{1.5, 1.5, 3}));
  EXPECT_EQ(spearman(Values{0.0, -0.0, 1, 2}, Values{1, 1, 2, 3}).value(), 1);
}

TEST(Correlation, EqualsSciPys) {
  for (const auto& test : golden()) {
    const auto x = test["x"].get<Values>(), y = test["y"].get<Values>();
    EXPECT_NEAR(pearson(x, y).value(), test["pearson"], 1e-13);
    EXPECT_NEAR(spearman(x, y).value(), test["spearman"], 1e-13);
    EXPECT_NEAR(kendall_tau_b(x, y).value(), test["kendall_tau_b"], 1e-13);
  }
}

TEST(Correlation, IsUndefinedWithFewerThanTwoPairs) {
  for (const Correlation correlation : kAll) {
    EXPECT_EQ(correlation(Values{}, Values{}).error().reason, "fewer than two pairs");
    EXPECT_EQ(correlation(Values{1}, Values{2}).error().reason, "fewer than two pairs");
  }
}

TEST(Correlation, IsUndefinedWithAConstantSide) {
  for (const Correlation correlation : kAll) {
    EXPECT_EQ(correlation(Values{1, 2, 3}, Values{0.1, 0.1, 0.1}).error().reason,
              "one of the two sides is constant");
    EXPECT_FALSE(correlation(Values{0.1, 0.1, 0.1}, Values{1, 2, 3}));
    EXPECT_FALSE(correlation(Values{0, 0, 0}, Values{1, 2, 3}));
  }
}

TEST(Correlation, IsUndefinedWithAValueThatIsNotFinite) {
  for (const Correlation correlation : kAll) {
    for (const double bad : {std::nan(""), kInfinity, -kInfinity}) {
      EXPECT_EQ(correlation(Values{1, 2, bad}, Values{1, 2, 3}).error().reason,
                "a value is not finite");
      EXPECT_FALSE(correlation(Values{1, 2, 3}, Values{bad, 2, 1}));
    }
  }
}

TEST(Correlation, OfEqualAndOfReversedOrdersIsOneExactly) {
  Stream stream(1, "test", 0);
  const Values x = few_levels(1000, 7, stream);
  Values reversed = x;
  for (double& value : reversed) value = -value;
  for (const Correlation correlation : kAll) {
    EXPECT_EQ(correlation(x, x).value(), 1);
    EXPECT_EQ(correlation(x, reversed).value(), -1);
  }
}

TEST(Pearson, DoesNotLoseDigitsToALargeOffset) {
  const Values x = {1, 2, 3, 4, 5, 6}, y = {2, 1, 4, 3, 7, 5};
  Values far = x;
  for (double& value : far) value += 0x1p50;
  EXPECT_NEAR(pearson(far, y).value(), pearson(x, y).value(), 1e-14);
}

TEST(Pearson, NeitherOverflowsNorUnderflows) {
  const Values x = {1, 2, 3, 4, 5, 6}, y = {2, 1, 4, 3, 7, 5};
  for (const double scale : {1e307, 1e-300, 1e-320}) {
    Values scaled = x;
    for (double& value : scaled) value *= scale;
    EXPECT_NEAR(pearson(scaled, y).value(), pearson(x, y).value(), 1e-3) << scale;
  }
}

TEST(KendallTauB, CountsPairsAsItsDefinitionDoes) {
  EXPECT_TRUE(rc::check([] {
    const auto size = *rc::gen::inRange<std::size_t>(2, 40);
    const auto x = *rc::gen::container<Values>(
        size, rc::gen::map(rc::gen::inRange(0, 6), [](int v) { return v * 1.0; }));
    const auto y = *rc::gen::container<Values>(
        size, rc::gen::map(rc::gen::inRange(0, 6), [](int v) { return v * 1.0; }));
    double agreement = 0, pairs_x = 0, pairs_y = 0;
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const int sign_x = (x[i] > x[j]) - (x[i] < x[j]), sign_y = (y[i] > y[j]) - (y[i] < y[j]);
        agreement += sign_x * sign_y;
        pairs_x += sign_x * sign_x;
        pairs_y += sign_y * sign_y;
      }
    }
    const Score tau = kendall_tau_b(x, y);
    RC_ASSERT(tau.has_value() == (pairs_x > 0 && pairs_y > 0));
    if (tau) RC_ASSERT(std::abs(*tau - agreement / std::sqrt(pairs_x * pairs_y)) < 1e-12);
  }));
}

TEST(CountedRanks, AreTheRanksOfTheExpandedSample) {
  EXPECT_TRUE(rc::check([] {
    const auto size = *rc::gen::inRange<std::size_t>(1, 30);
    Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "test", 0);
    const Values values = few_levels(size, *rc::gen::inRange(1u, 40u), stream);
    const auto counts = *rc::gen::container<CountVector>(size, rc::gen::inRange(0u, 4u));
    const Values ranks = CountedRanks(values).ranks(counts);
    RC_ASSERT(expand(ranks, counts) == average_ranks(expand(values, counts)));
  }));
}

TEST(CountedSpearman, EqualsSciPyOnTheExpandedSample) {
  for (const auto& test : golden()) {
    const CountedRanks x(test["x"].get<Values>()), y(test["y"].get<Values>());
    const auto counts = test["counts"].get<CountVector>();
    EXPECT_NEAR(spearman(x, y, counts).value(), test["counted_spearman"], 1e-12);
  }
}

TEST(CountedSpearman, EqualsPearsonOnTheRanksOfTheExpandedSample) {
  EXPECT_TRUE(rc::check([] {
    const auto size = *rc::gen::inRange<std::size_t>(0, 40);
    Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "test", 0);
    const Values x = few_levels(size, *rc::gen::inRange(1u, 60u), stream);
    const Values y = few_levels(size, *rc::gen::inRange(1u, 60u), stream);
    const auto counts = *rc::gen::container<CountVector>(size, rc::gen::inRange(0u, 4u));
    const Score counted = spearman(CountedRanks(x), CountedRanks(y), counts);
    const Score expanded =
        pearson(average_ranks(expand(x, counts)), average_ranks(expand(y, counts)));
    RC_ASSERT(counted.has_value() == expanded.has_value());
    if (counted) {
      RC_ASSERT(std::abs(*counted - *expanded) < 1e-12);
    } else {
      RC_ASSERT(counted.error().reason == expanded.error().reason);
    }
  }));
}

TEST(CountedSpearman, HoldsBeyondTheRangeOfIntegers) {
  const CountedRanks x(Values{1, 2, 3, 4, 4, 6}), y(Values{2, 1, 4, 3, 7, 5});
  const CountVector small = {1, 2, 0, 3, 1, 2};
  CountVector large = small;
  for (std::uint32_t& count : large) count *= 400'000'000;
  // Multiplying all counts multiplies all centred ranks, so the correlation stays.
  EXPECT_NEAR(spearman(x, y, large).value(), spearman(x, y, small).value(), 1e-12);
}

TEST(CountedSpearman, IsUndefinedWhereTheSampleIs) {
  const CountedRanks x(Values{1, 2, 3}), y(Values{3, 1, 2}), bad(Values{1, NAN, 2});
  EXPECT_EQ(spearman(x, y, CountVector{0, 0, 0}).error().reason, "fewer than two pairs");
  EXPECT_EQ(spearman(x, y, CountVector{0, 3, 0}).error().reason,
            "one of the two sides is constant");
  EXPECT_EQ(spearman(x, bad, CountVector{1, 0, 1}).error().reason, "a value is not finite");
  EXPECT_EQ(spearman(bad, x, CountVector{1, 1, 1}).error().reason, "a value is not finite");
}

}  // namespace
}  // namespace plumb::stats
