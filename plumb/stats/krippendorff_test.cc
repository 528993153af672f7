#include "plumb/stats/krippendorff.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

using Answers = std::vector<std::optional<double>>;
constexpr Level kLevels[] = {Level::kNominal, Level::kOrdinal, Level::kInterval, Level::kRatio};

// Krippendorff 2011, example C: 12 units, 4 observers, one unit after the other;
// _ stands for a missing answer.
Ratings krippendorff_2011() {
  Answers answers;
  for (const char code : std::string_view("11_122323333333322221234444411212222_555__11_3__")) {
    answers.push_back(code == '_' ? std::nullopt : std::optional<double>(code - '0'));
  }
  return *numeric_ratings(answers, 4);
}

// The definition with a coincidence matrix over distinct values, O(values^2).
std::optional<double> alpha_by_definition(const Ratings& ratings, Level level) {
  const std::size_t size = ratings.categories();
  std::vector<std::vector<double>> coincidences(size, std::vector<double>(size));
  for (std::size_t i = 0; i < ratings.items(); ++i) {
    const auto item = ratings.item(i);
    double present = 0;
    for (const int code : item) present += code >= 0 ? 1 : 0;
    for (std::size_t a = 0; a < item.size(); ++a) {
      for (std::size_t b = 0; b < item.size(); ++b) {
        if (a == b || item[a] < 0 || item[b] < 0) continue;
        coincidences[static_cast<std::size_t>(item[a])][static_cast<std::size_t>(item[b])] +=
            1 / (present - 1);
      }
    }
  }
  std::vector<double> marginal(size);
  double n = 0;
  for (std::size_t c = 0; c < size; ++c) {
    for (std::size_t k = 0; k < size; ++k) marginal[c] += coincidences[c][k];
    n += marginal[c];
  }
  const auto difference = [&](std::size_t c, std::size_t k) {
    const double x = ratings.values[c], y = ratings.values[k];
    double between = -(marginal[c] + marginal[k]) / 2;
    for (std::size_t g = std::min(c, k); g <= std::max(c, k); ++g) between += marginal[g];
    switch (level) {
      case Level::kNominal:
        return 1.0;
      case Level::kOrdinal:
        return between * between;
      case Level::kInterval:
        return (x - y) * (x - y);
      case Level::kRatio:
        return (x - y) / (x + y) * (x - y) / (x + y);
    }
    return 0.0;
  };
  double observed = 0, expected = 0;
  for (std::size_t c = 0; c < size; ++c) {
    for (std::size_t k = 0; k < size; ++k) {
      if (c == k) continue;
      observed += coincidences[c][k] * difference(c, k);
      expected += marginal[c] * marginal[k] * difference(c, k);
    }
  }
  if (expected < 1e-9) return std::nullopt;
  return 1 - (n - 1) * observed / expected;
}

// Every rater sees the item's value, which is below `values`, with an error below 2.
Ratings simulate(std::size_t items, std::size_t raters, double values, double missing) {
  Answers answers;
  for (std::size_t item = 0; item < items; ++item) {
    Stream stream(5, "test", item);
    const double truth = stream.uniform() * values;
    for (std::size_t rater = 0; rater < raters; ++rater) {
      const double answer = std::floor(truth + 2 * stream.uniform());
      const bool absent = stream.uniform() < missing;
      answers.push_back(absent ? std::nullopt : std::optional<double>(answer));
    }
  }
  return *numeric_ratings(answers, raters);
}

// Origin: Krippendorff 2011, example C and the sections on the other levels.
TEST(Krippendorff, AgreesWithThePublishedExample) {
  const Ratings ratings = krippendorff_2011();
  EXPECT_NEAR(*krippendorff_alpha(ratings, Level::kNominal), .743, 5e-4);
  EXPECT_NEAR(*krippendorff_alpha(ratings, Level::kOrdinal), .815, 5e-4);
  EXPECT_NEAR(*krippendorff_alpha(ratings, Level::kInterval), .849, 5e-4);
  EXPECT_NEAR(*krippendorff_alpha(ratings, Level::kRatio), .797, 5e-4);
}

RC_GTEST_PROP(Krippendorff, EqualsTheDefinitionAtEveryLevel, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 12);
  const auto codes = *rc::gen::container<std::vector<int>>(size * 4, rc::gen::inRange(-2, 5));
  Answers answers;
  for (const int code : codes) {
    answers.push_back(code < 0 ? std::nullopt : std::optional<double>(code * code + 0.5));
  }
  const auto ratings = *numeric_ratings(answers, 4);
  for (const Level level : kLevels) {
    const auto alpha = krippendorff_alpha(ratings, level);
    const auto expected = alpha_by_definition(ratings, level);
    RC_ASSERT(alpha.has_value() == expected.has_value());
    if (alpha) RC_ASSERT(std::abs(*alpha - *expected) < 1e-10);
  }
}

TEST(Krippendorff, OfManyDistinctValuesEqualsTheDefinition) {
  Answers answers;
  for (std::uint64_t item = 0; item < 200; ++item) {
    Stream stream(2, "test", item);
    const double truth = 1e6 + stream.uniform();
    for (int rater = 0; rater < 3; ++rater) answers.emplace_back(truth + stream.uniform());
  }
  const auto ratings = *numeric_ratings(answers, 3);
  for (const Level level : kLevels) {
    EXPECT_NEAR(*krippendorff_alpha(ratings, level), *alpha_by_definition(ratings, level), 1e-7);
  }
}

TEST(Krippendorff, OrdinalIgnoresTheDistancesBetweenValues) {
  Ratings ratings = simulate(50, 3, 4, 0.1);
  const Score before = krippendorff_alpha(ratings, Level::kOrdinal);
  for (double& value : ratings.values) value = std::exp(value);
  EXPECT_EQ(*krippendorff_alpha(ratings, Level::kOrdinal), *before);
}

TEST(Krippendorff, IsUndefinedWithAReason) {
  const auto reason = [](const Ratings& ratings, Level level) {
    return krippendorff_alpha(ratings, level).error().reason;
  };
  const Ratings alone = *numeric_ratings(Answers{1, std::nullopt, std::nullopt, 2}, 2);
  const Ratings equal = *numeric_ratings(Answers{0.1, 0.1, 0.1, 0.1, 7, std::nullopt}, 2);
  for (const Level level : kLevels) {
    EXPECT_EQ(reason(alone, level), "no item has two answers");
    EXPECT_EQ(reason(equal, level), "all answers are equal");
  }
  EXPECT_EQ(reason(*numeric_ratings({}, 2), Level::kRatio), "no item has two answers");
  EXPECT_EQ(reason(*numeric_ratings(Answers{-1, 2}, 2), Level::kRatio),
            "the ratio level has no negative values");
  Answers many;
  for (int i = 0; i <= static_cast<int>(kMostRatioValues); ++i) many.emplace_back(i);
  EXPECT_EQ(reason(*numeric_ratings(many, 1), Level::kRatio),
            "the ratio level takes at most 2000 distinct values");
}

// Draws the items again from the same streams, builds ratings of them and takes their alpha.
TEST(KrippendorffBootstrap, EqualsResamplingTheItemsThemselves) {
  const Ratings ratings = simulate(40, 3, 4, 0);
  for (const Level level : {Level::kNominal, Level::kOrdinal, Level::kInterval}) {
    std::vector<double> alphas;
    for (std::uint64_t resample = 0; resample < 21; ++resample) {
      Stream stream(3, "krippendorff", resample);
      Ratings drawn{{}, ratings.raters, ratings.values};
      for (std::size_t i = 0; i < ratings.items(); ++i) {
        const auto item = ratings.item(stream.below(ratings.items()));
        drawn.codes.insert(drawn.codes.end(), item.begin(), item.end());
      }
      alphas.push_back(*alpha_by_definition(drawn, level));
    }
    std::sort(alphas.begin(), alphas.end());
    const auto spread =
        krippendorff_bootstrap(ratings, level, {.resamples = 21, .level = 0.9, .seed = 3});
    EXPECT_NEAR(spread->interval.low, alphas[1], 1e-12);  // 0.05 * 20
    EXPECT_NEAR(spread->interval.high, alphas[19], 1e-12);
  }
}

TEST(KrippendorffBootstrap, GivesTheSameBytesWithOneAndTwoThreads) {
  const Ratings ratings = simulate(300, 4, 5, 0.2);
  for (const Level level : kLevels) {
    const auto one = krippendorff_bootstrap(ratings, level, {.resamples = 100, .threads = 1});
    const auto two = krippendorff_bootstrap(ratings, level, {.resamples = 100, .threads = 2});
    EXPECT_EQ(one->alpha, two->alpha);
    EXPECT_EQ(one->interval.low, two->interval.low);
    EXPECT_EQ(one->interval.high, two->interval.high);
  }
}

TEST(KrippendorffBootstrap, HoldsThePointAndNarrowsWithItems) {
  const auto few = krippendorff_bootstrap(simulate(50, 3, 5, 0.1), Level::kOrdinal);
  const auto many = krippendorff_bootstrap(simulate(2000, 3, 5, 0.1), Level::kOrdinal);
  for (const auto& spread : {few, many}) {
    EXPECT_LT(spread->interval.low, spread->alpha);
    EXPECT_GT(spread->interval.high, spread->alpha);
    EXPECT_EQ(spread->resamples, 1000u);
  }
  EXPECT_LT(many->interval.high - many->interval.low, few->interval.high - few->interval.low);
}

// Two items, each drawn twice with probability 1/4: then all answers are equal.
TEST(KrippendorffBootstrap, CountsResamplesWithoutAnAlpha) {
  const auto ratings = *nominal_ratings({0, 0, 1, 1}, 2, 2);
  const auto spread = krippendorff_bootstrap(ratings, Level::kNominal);
  EXPECT_NEAR(static_cast<double>(spread->undefined), 500, 80);
  EXPECT_EQ(spread->interval.low, 1);
}

TEST(KrippendorffBootstrap, IsUndefinedWhereTheAlphaIs) {
  const auto ratings = *nominal_ratings({0, 0, 0, 0}, 2, 2);
  EXPECT_EQ(krippendorff_bootstrap(ratings, Level::kNominal).error().reason,
            "all answers are equal");
}

}  // namespace
}  // namespace plumb::stats
