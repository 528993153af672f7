#include "plumb/stats/agreement.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

namespace plumb::stats {
namespace {

using Codes = std::vector<int>;

// Two raters' answers on two categories, from the counts of the four cells.
struct Pair {
  Codes a, b;
  Ratings both() const {
    Codes codes;
    for (std::size_t i = 0; i < a.size(); ++i) codes.insert(codes.end(), {a[i], b[i]});
    return *nominal_ratings(codes, 2, 2);
  }
};

Pair two_by_two(int n00, int n01, int n10, int n11) {
  Pair pair;
  const auto add = [&](int count, int a, int b) {
    pair.a.insert(pair.a.end(), static_cast<std::size_t>(count), a);
    pair.b.insert(pair.b.end(), static_cast<std::size_t>(count), b);
  };
  add(n00, 0, 0);
  add(n01, 0, 1);
  add(n10, 1, 0);
  add(n11, 1, 1);
  return pair;
}

// Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: 12 units, 4
// observers, categories 1 .. 5, here 0 .. 4.
Ratings krippendorff_2011() {
  constexpr int _ = kMissing;
  return *nominal_ratings({0, 0, _, 0, 1, 1, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 0, 1, 2, 3,
                           3, 3, 3, 3, 0, 0, 1, 0, 1, 1, 1, 1, _, 4, 4, 4, _, _, 0, 0, _, 2, _, _},
                          4, 5);
}

// Origin: the published HUME figures; expected agreement 1023/45^2 and 4100/90^2.
TEST(CohenKappa, OfTheToxicAnnotations) {
  const Pair toxic = two_by_two(15, 4, 6, 20);
  EXPECT_NEAR(cohen_kappa(toxic.a, toxic.b)->value, .550898, 5e-7);
  EXPECT_NEAR(cohen_kappa(toxic.a, toxic.b)->expected, 1023.0 / 2025, 1e-12);
  EXPECT_NEAR(fleiss_kappa(toxic.both())->value, .55, 1e-12);
}

TEST(CohenKappa, OfTheEnglishSentimentAnnotations) {
  const Pair sentiment = two_by_two(15, 10, 5, 10);
  EXPECT_NEAR(*percent_agreement(sentiment.both()), .625, 1e-12);
  EXPECT_NEAR(cohen_kappa(sentiment.a, sentiment.b)->value, .25, 1e-12);
  EXPECT_NEAR(fleiss_kappa(sentiment.both())->value, .238095, 5e-7);
}

TEST(Kappa, AgreesWithStatsmodels) {
  std::ifstream file("tests/golden/agreement.json");
  ASSERT_TRUE(file) << "run from the repository root";
  const auto golden = nlohmann::json::parse(file);
  for (const auto& c : golden["cases"]) {
    const auto ratings = nominal_ratings(c["codes"], c["raters"], c["categories"]);
    EXPECT_NEAR(fleiss_kappa(*ratings)->value, c["fleiss"], 1e-12);
    Codes a, b;
    for (std::size_t i = 0; i < ratings->items(); ++i) {
      a.push_back(ratings->item(i)[0]);
      b.push_back(ratings->item(i)[1]);
    }
    const auto check = [&](Weights weights, const nlohmann::json& expected) {
      EXPECT_NEAR(cohen_kappa(a, b, weights)->value, expected[0], 1e-12);
      EXPECT_NEAR(cohen_kappa(a, b, weights)->standard_error, expected[1], 1e-12);
    };
    check(Weights::kNone, c["cohen"]["none"]);
    check(Weights::kLinear, c["cohen"]["linear"]);
    check(Weights::kQuadratic, c["cohen"]["quadratic"]);
  }
}

// Origin: Gwet 2014, as the R package irrCAC prints its cac.raw4raters (the same ratings).
TEST(MultiRater, AgreesWithGwetsWorkedExampleWithMissingAnswers) {
  const Ratings ratings = krippendorff_2011();
  EXPECT_NEAR(*percent_agreement(ratings), 0.8181818, 5e-8);
  const auto ac1 = gwet_ac1(ratings), fleiss = fleiss_kappa(ratings);
  EXPECT_NEAR(ac1->expected, 0.1903212, 5e-8);
  EXPECT_NEAR(ac1->value, 0.77544, 5e-6);
  EXPECT_NEAR(ac1->standard_error, 0.14295, 5e-6);
  EXPECT_NEAR(fleiss->expected, 0.2387153, 5e-8);
  EXPECT_NEAR(fleiss->value, 0.76117, 5e-6);
  EXPECT_NEAR(fleiss->standard_error, 0.15302, 5e-6);
}

TEST(Agreement, IsUndefinedWithAReason) {
  const Codes ones = {1, 1, 1};
  EXPECT_NE(cohen_kappa(ones, ones).error().reason.find("one category"), std::string_view::npos);
  EXPECT_FALSE(fleiss_kappa(*nominal_ratings({1, 1, 1, 1}, 2, 3)));
  EXPECT_EQ(fleiss_kappa(*nominal_ratings({1, -1, -1, 0}, 2, 3)).error().reason,
            "no item has two answers");
  EXPECT_EQ(cohen_kappa(Codes{1, -1}, Codes{-1, 1}).error().reason, "no item has two answers");
  EXPECT_FALSE(cohen_kappa(Codes{1}, Codes{1, 0}));
  EXPECT_EQ(gwet_ac1(*nominal_ratings({0, 0}, 2, 1)).error().reason, "there is only one category");
  EXPECT_EQ(nominal_ratings({0, 3}, 2, 3).error().reason, "an answer is none of the categories");
  EXPECT_FALSE(nominal_ratings({0, 1, 1}, 2, 3));
  EXPECT_FALSE(numeric_ratings(std::vector<std::optional<double>>{NAN}, 1));
}

TEST(NumericRatings, CodesFollowTheValues) {
  const std::vector<std::optional<double>> answers = {2.5, std::nullopt, -1.0, 2.5};
  const auto ratings = numeric_ratings(answers, 2);
  EXPECT_EQ(ratings->values, (std::vector<double>{-1, 2.5}));
  EXPECT_EQ(ratings->codes, (Codes{1, kMissing, 0, 1}));
}

// Three raters who each gave one answer throughout: kappa is 0 where the two answers differ, and
// has no value where they are the same.
TEST(PairwiseMean, CountsThePairsWithoutAValue) {
  const auto ratings = *nominal_ratings({0, 1, 0, 0, 1, 0, 0, 1, -1}, 3, 2);
  const auto cohen = [](std::span<const int> a, std::span<const int> b) -> Score {
    return cohen_kappa(a, b).map([](const Coefficient& kappa) { return kappa.value; });
  };
  const auto mean = pairwise_mean(ratings, cohen);
  ASSERT_TRUE(mean);
  EXPECT_EQ(mean->pairs, 3u);
  EXPECT_EQ(mean->undefined, 1u);
  EXPECT_DOUBLE_EQ(mean->value, 0);
}

RC_GTEST_PROP(Agreement, RaterOrderAndItemOrderDoNotMatter, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(2, 20);
  const Codes codes = *rc::gen::container<Codes>(size * 3, rc::gen::inRange(-1, 3));
  const Codes reversed(codes.rbegin(), codes.rend());
  const auto forward = nominal_ratings(codes, 3, 3), backward = nominal_ratings(reversed, 3, 3);
  const auto same = [](const CoefficientScore& a, const CoefficientScore& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return std::abs(a->value - b->value) < 1e-12 && a->value < 1 + 1e-12 &&
           std::abs(a->standard_error - b->standard_error) < 1e-10;
  };
  RC_ASSERT(same(fleiss_kappa(*forward), fleiss_kappa(*backward)));
  RC_ASSERT(same(gwet_ac1(*forward), gwet_ac1(*backward)));
}

RC_GTEST_PROP(Agreement, LinearAndQuadraticWeightsEqualNoWeightsForTwoCategories, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 20);
  const auto answers = rc::gen::container<Codes>(size, rc::gen::inRange(0, 2));
  const Codes a = *answers, b = *answers;
  const auto plain = cohen_kappa(a, b);
  for (const Weights weights : {Weights::kLinear, Weights::kQuadratic}) {
    const auto weighted = cohen_kappa(a, b, weights);
    RC_ASSERT(plain.has_value() == weighted.has_value());
    if (plain) RC_ASSERT(std::abs(plain->value - weighted->value) < 1e-12);
  }
}

}  // namespace
}  // namespace plumb::stats
