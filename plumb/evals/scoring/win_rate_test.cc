#include "plumb/evals/scoring/win_rate.h"

#include <cmath>

#include "plumb/base/random.h"
#include "plumb/evals/scoring/ratings.h"
#include "plumb/evals/testing.h"

namespace plumb::evals {
namespace {

// By hand.
TEST(WinRate, IsATieWhereEachOrderNamesAnotherWinner) {
  const std::vector<Judgement> judgements = {{0, 1, true}, {0, 0, false},  // flips: tie
                                             {1, 1, true}, {1, 1, false},  // win
                                             {2, 0, true}, {2, 0.5, false}, {3, 0, true}};
  EXPECT_EQ(values_by_item(judgements), (std::vector<double>{0.5, 1, 0.25, 0}));
  const auto rows = win_rate_rows("pairs", judgements, {});
  EXPECT_DOUBLE_EQ(*row_of(rows, "pairs", "win_rate").score, 1.75 / 4);
  EXPECT_DOUBLE_EQ(*row_of(rows, "pairs", "win_rate_discrete").score, 1.5 / 4);
  EXPECT_DOUBLE_EQ(*row_of(rows, "pairs", "tie").score, 0.25);
  EXPECT_DOUBLE_EQ(*row_of(rows, "pairs", "flip").score, 1.0 / 3);
  // First places: items 0 to 2 shown first win 1, 1 | 1, 0 | 0, tie.
  EXPECT_DOUBLE_EQ(*row_of(rows, "pairs", "first").score, 3.5 / 6);
}

TEST(WinRate, WithoutBothOrdersSaysNothingOfOrder) {
  const auto rows = win_rate_rows("pairs", std::vector<Judgement>{{0, 1, true}, {1, 0, true}}, {});
  EXPECT_EQ(rows.size(), 3U);
}

TEST(WinRate, OfOneItemHasNoInterval) {
  const auto rows = win_rate_rows("pairs", std::vector<Judgement>{{0, 0.7, true}}, {});
  EXPECT_EQ(row_of(rows, "pairs", "win_rate").n, 1U);
  EXPECT_FALSE(win_rate_rows("pairs", {}, {})[0].score);
}

std::vector<LengthComparison> comparisons_of(const nlohmann::json& c) {
  std::vector<LengthComparison> comparisons;
  for (std::size_t i = 0; i < c["length"].size(); ++i) {
    LengthComparison one{c["preference"][i], c["length"][i], c["reference"][i], {}};
    if (!c["difficulty"].is_null()) one.difficulty = c["difficulty"][i].get<double>();
    comparisons.push_back(one);
  }
  return comparisons;
}

// tests/golden/evals.py, SciPy's BFGS.
TEST(LengthControlled, IsTheMaximumOfItsLikelihood) {
  for (const auto& c : golden("length_controlled")) {
    const auto fitted = fit_length_controlled(comparisons_of(c));
    ASSERT_TRUE(fitted);
    EXPECT_NEAR(fitted->theta, c["beta"][0].get<double>(), 1e-6);
    EXPECT_NEAR(fitted->phi, c["beta"][1].get<double>(), 1e-6);
    EXPECT_NEAR(fitted->psi, c["beta"][2].get<double>(), 1e-6);
    EXPECT_NEAR(fitted->value, c["value"].get<double>(), 1e-7);
  }
}

std::vector<LengthComparison> length_world(std::size_t n, std::uint64_t world, double theta,
                                           double phi) {
  std::vector<LengthComparison> comparisons;
  for (std::size_t i = 0; i < n; ++i) {
    Stream stream(world, "length world", i);
    LengthComparison one;
    one.reference = 500 + 1000 * stream.uniform();
    one.length = one.reference + 2000 * (stream.uniform() - 0.3);
    comparisons.push_back(one);
  }
  double sum = 0, squares = 0;
  for (const auto& one : comparisons) sum += one.length - one.reference;
  for (const auto& one : comparisons) {
    squares += std::pow(one.length - one.reference - sum / static_cast<double>(n), 2);
  }
  const double deviation = std::sqrt(squares / static_cast<double>(n - 1));
  for (std::size_t i = 0; i < n; ++i) {
    Stream stream(world, "length judge", i);
    auto& one = comparisons[i];
    const double eta = theta + phi * std::tanh((one.length - one.reference) / deviation);
    one.preference = stream.uniform() < 1 / (1 + std::exp(-eta)) ? 1 : 0;
  }
  return comparisons;
}

TEST(LengthControlled, FindsTheWinRateUnderAJudgeThatPrefersLongerAnswers) {
  std::size_t covered = 0;
  constexpr std::size_t kWorlds = 40;
  for (std::size_t world = 0; world < kWorlds; ++world) {
    const auto rows = length_controlled_rows("pairs", length_world(200, world, -0.4, 1.5), {},
                                             {.resamples = 100, .seed = world});
    const EvalRow row = row_of(rows, "pairs", "length_controlled_win_rate");
    const double truth = 1 / (1 + std::exp(0.4));
    covered += row.ci && row.ci->low <= truth && truth <= row.ci->high ? 1 : 0;
  }
  EXPECT_GE(covered, 34U);
}

// Resamples of 60 wins are 60 wins; Wilson's interval of 60 of 60 goes down to 60 / (60 + z^2).
TEST(LengthControlled, IsNoSurerThanTheNumberOfComparisonsAllows) {
  std::vector<LengthComparison> comparisons;
  for (int i = 0; i < 60; ++i) comparisons.push_back({1, 100.0 + i % 7, 110.0 - i % 5, {}});
  const stats::BootstrapOptions options{.resamples = 200, .seed = 5};
  const auto row = row_of(length_controlled_rows("pairs", comparisons, {}, options), "pairs",
                          "length_controlled_win_rate");
  constexpr double kZ2 = 1.959963985 * 1.959963985;
  EXPECT_GT(*row.score, 0.99);
  EXPECT_NEAR(row.ci->low, 60 / (60 + kZ2), 1e-6);
  EXPECT_EQ(row.ci->high, 1);
  EXPECT_EQ(row.at, At::kCeiling);
  for (LengthComparison& one : comparisons) one.preference = 0.5;
  const auto ties = row_of(length_controlled_rows("pairs", comparisons, {}, options), "pairs",
                           "length_controlled_win_rate");
  EXPECT_LT(ties.ci->low, 0.4);
  EXPECT_GT(ties.ci->high, 0.6);
}

// Judgements of a prompt that come again say nothing new: each twice, the same value and interval.
TEST(LengthControlled, CountsPromptsAndNotTheirJudgements) {
  const auto once = length_world(60, 3, 0.2, 1);
  std::vector<LengthComparison> twice;
  std::vector<std::uint32_t> items;
  for (std::size_t i = 0; i < once.size(); ++i) {
    twice.insert(twice.end(), 2, once[i]);
    items.insert(items.end(), 2, static_cast<std::uint32_t>(i));
  }
  const stats::BootstrapOptions options{.resamples = 1000, .seed = 2};
  const auto of = [&](const auto& comparisons, const auto& prompts) {
    return row_of(length_controlled_rows("pairs", comparisons, prompts, options), "pairs",
                  "length_controlled_win_rate");
  };
  const EvalRow plain = of(once, std::vector<std::uint32_t>()), again = of(twice, items);
  EXPECT_EQ(again.n, 60U);
  EXPECT_NEAR(*again.score, *plain.score, 2e-3);  // the prior weighs half as much
  EXPECT_NEAR(again.ci->low, plain.ci->low, 5e-3);
  EXPECT_NEAR(again.ci->high, plain.ci->high, 5e-3);
  const EvalRow as_prompts = of(twice, std::vector<std::uint32_t>());
  EXPECT_GT(as_prompts.ci->low, plain.ci->low + 0.02);
}

TEST(LengthControlled, StaysFiniteForAModelThatAlwaysWins) {
  std::vector<LengthComparison> comparisons = length_world(40, 1, 0, 0);
  for (auto& one : comparisons) one.preference = 1;
  const auto fitted = fit_length_controlled(comparisons);
  ASSERT_TRUE(fitted);
  EXPECT_GT(fitted->value, 0.9);
  EXPECT_LT(fitted->value, 1);
  EXPECT_FALSE(fit_length_controlled(std::span(comparisons).first(1)));
}

std::vector<Battle> battles_of(const nlohmann::json& c) {
  std::vector<Battle> battles;
  for (const auto& row : c["battles"]) {
    const auto add = [&](int times, double preference) {
      for (int i = 0; i < times; ++i) {
        battles.push_back({row[0], row[1], preference, static_cast<std::uint32_t>(battles.size())});
      }
    };
    add(row[2], 1);
    add(row[3], 0);
    add(row[4], 0.5);
  }
  return battles;
}

// tests/golden/evals.py, SciPy's BFGS.
TEST(Ratings, AreThoseOfBradleyAndTerryOnTheScaleOfArenas) {
  const auto c = golden("ratings");
  const auto rows = rate_models(battles_of(c), {}, {.resamples = 500});
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 4U);
  for (const EvalRow& row : *rows) {
    EXPECT_NEAR(*row.score, c["ratings"][row.model].get<double>(), 0.01) << row.model;
    ASSERT_TRUE(row.ci);
    EXPECT_LT(row.ci->low, *row.score);
    EXPECT_GT(row.ci->high, *row.score);
  }
  EXPECT_EQ(rows->front().model, "a");
}

// Bai et al. 2022: a difference of one nat is 174 points.
TEST(Ratings, ANatIs174Points) { EXPECT_NEAR(kPointsPerNat, 174, 0.5); }

TEST(Ratings, NameTheGroupsThatCannotBeCompared) {
  const std::vector<Battle> battles = {{"a", "b", 1, 0}, {"b", "a", 1, 1}, {"a", "c", 1, 2}};
  const auto rows = rate_models(battles, {}, {});
  ASSERT_FALSE(rows);
  EXPECT_NE(rows.error().message.find("{c}"), std::string::npos) << rows.error().message;
  EXPECT_NE(rows.error().message.find("{a, b}"), std::string::npos);
  EXPECT_FALSE(rate_models(std::span(battles).first(2), {.anchor = "z"}, {}));
  EXPECT_FALSE(rate_models({}, {}, {}));
}

}  // namespace
}  // namespace plumb::evals
