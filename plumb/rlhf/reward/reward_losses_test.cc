#include "plumb/rlhf/reward/reward_losses.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace plumb::rlhf {
namespace {

using Values = std::vector<double>;

constexpr double kGolden = 6e-7;  // figures of six digits

double central(const std::function<double(double)>& f, double at, double step = 1e-5) {
  return (f(at + step) - f(at - step)) / (2 * step);
}

double delta_of(int tenths) { return tenths / 10.0; }

// Figures of independent arithmetic in Python (math.log1p, math.exp): -log s(1.5) and so on.
TEST(BradleyTerryLoss, HasTheKnownValues) {
  EXPECT_NEAR(bradley_terry(0).value, 0.693147, kGolden);
  EXPECT_NEAR(bradley_terry(1.5).value, 0.201413, kGolden);
  EXPECT_NEAR(bradley_terry(-1.5).value, 1.701413, kGolden);
  EXPECT_NEAR(bradley_terry(1.5, 1).value, 0.474077, kGolden);
}

TEST(BradleyTerryLoss, PunishesTheWrongOrderWhichThePrintedFormulaRewards) {
  EXPECT_GT(bradley_terry(-1).value, bradley_terry(1).value);
  EXPECT_LT(bradley_terry(0.3).slope, 0);
}

TEST(BradleyTerryLoss, NeverOverflows) {
  EXPECT_DOUBLE_EQ(bradley_terry(-800).value, 800);
  EXPECT_DOUBLE_EQ(bradley_terry(-800).slope, -1);
  EXPECT_EQ(bradley_terry(800).value, 0);
  EXPECT_EQ(bradley_terry(1e308).value, 0);
  EXPECT_DOUBLE_EQ(bradley_terry(-1e308).value, 1e308);
}

TEST(RewardLosses, HaveTheKnownValues) {
  EXPECT_NEAR(bradley_terry(1.5).value + centre_term(2, 0.5, 0.01).value, 0.263913, kGolden);
  EXPECT_NEAR(bradley_terry(1.5).value + decay_term(2, 0.5, 0.001).value, 0.203538, kGolden);
  EXPECT_NEAR(smoothed(1.5, 0.1).value, 0.351413, kGolden);
  EXPECT_NEAR(noise_robust(1.5, 0.1).value, 0.013913, kGolden);
  EXPECT_LT(noise_robust(4, 0.1).value, 0);
  Values gradient(4);
  const Values scores = {1.2, 0.4, -0.3, -1};
  EXPECT_NEAR(plackett_luce(scores, gradient), 1.537343, kGolden);
  EXPECT_NEAR(best_of_several(scores, 0, gradient), 0.578444, kGolden);
}

TEST(SoftLabel, OfEvenVotesIsLeastWhereScoresAreEqual) {
  EXPECT_EQ(soft_label(0, 0.5).slope, 0);
  EXPECT_LT(soft_label(0, 0.5).value, soft_label(0.1, 0.5).value);
  EXPECT_LT(soft_label(0, 0.5).value, soft_label(-0.1, 0.5).value);
}

TEST(TieLosses, HaveTheKnownProbabilities) {
  const auto probability = [](const TieSlope& term) { return std::exp(-term.value); };
  const double log_theta = std::log(1.5), log_nu = std::log(0.5);
  EXPECT_NEAR(probability(rao_kupper(1, log_theta, PairOutcome::kWin)), 0.644405, kGolden);
  EXPECT_NEAR(probability(rao_kupper(1, log_theta, PairOutcome::kTie)), 0.158645, kGolden);
  EXPECT_NEAR(probability(rao_kupper(1, log_theta, PairOutcome::kLoss)), 0.196950, kGolden);
  EXPECT_NEAR(probability(davidson(1, log_nu, PairOutcome::kWin)), 0.598392, kGolden);
  EXPECT_NEAR(probability(davidson(1, log_nu, PairOutcome::kTie)), 0.181472, kGolden);
  EXPECT_NEAR(probability(davidson(1, log_nu, PairOutcome::kLoss)), 0.220136, kGolden);
}

TEST(TieLosses, StayFiniteFarFromZero) {
  for (const double delta : {-800.0, 800.0}) {
    for (const PairOutcome outcome : {PairOutcome::kWin, PairOutcome::kTie, PairOutcome::kLoss}) {
      for (const TieSlope& term :
           {rao_kupper(delta, 0.4, outcome), davidson(delta, -0.7, outcome),
            rao_kupper(delta, 900, outcome), davidson(delta, 900, outcome)}) {
        EXPECT_TRUE(std::isfinite(term.value) && std::isfinite(term.slope) &&
                    std::isfinite(term.tie_slope));
      }
    }
  }
  EXPECT_NEAR(davidson(-800, -0.7, PairOutcome::kWin).value, 800, 1e-9);
  EXPECT_NEAR(rao_kupper(-800, 0.4, PairOutcome::kWin).value, 800.4, 1e-9);
}

RC_GTEST_PROP(TieLosses, AreProbabilitiesThatSumToOne, ()) {
  const double delta = delta_of(*rc::gen::inRange(-80, 81));
  const double parameter = delta_of(*rc::gen::inRange(1, 30));
  for (const auto model : {rao_kupper, davidson}) {
    double total = 0;
    for (const auto outcome : {PairOutcome::kWin, PairOutcome::kTie, PairOutcome::kLoss}) {
      total += std::exp(-model(delta, parameter, outcome).value);
    }
    RC_ASSERT(std::abs(total - 1) < 1e-12);
  }
}

RC_GTEST_PROP(RewardLosses, HaveTheirNumericGradient, ()) {
  const double delta = delta_of(*rc::gen::inRange(-60, 61));
  const double parameter = delta_of(*rc::gen::inRange(1, 20));
  const std::function<Slope(double)> losses[] = {
      [](double x) { return bradley_terry(x); }, [](double x) { return bradley_terry(x, 0.7); },
      [](double x) { return soft_label(x, 0.3); }, [](double x) { return smoothed(x, 0.1); },
      [](double x) { return noise_robust(x, 0.2); }};
  for (const auto& loss : losses) {
    const double numeric = central([&](double x) { return loss(x).value; }, delta);
    RC_ASSERT(std::abs(loss(delta).slope - numeric) < 1e-8);
  }
  for (const auto model : {rao_kupper, davidson}) {
    for (const auto outcome : {PairOutcome::kWin, PairOutcome::kTie, PairOutcome::kLoss}) {
      const TieSlope term = model(delta, parameter, outcome);
      const double by_delta =
          central([&](double x) { return model(x, parameter, outcome).value; }, delta);
      const double by_tie =
          central([&](double x) { return model(delta, x, outcome).value; }, parameter);
      RC_ASSERT(std::abs(term.slope - by_delta) < 1e-7);
      RC_ASSERT(std::abs(term.tie_slope - by_tie) < 1e-6);
    }
  }
}

// Of a function of a vector, by its own gradient.
template <typename Loss>
void expect_gradient(Values at, Loss loss, double tolerance) {
  Values gradient(at.size()), unused(at.size());
  loss(at, gradient);
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double numeric = central(
        [&](double x) {
          Values moved = at;
          moved[i] = x;
          return loss(moved, unused);
        },
        at[i]);
    RC_ASSERT(std::abs(gradient[i] - numeric) < tolerance);
  }
}

Values any_scores(std::size_t least) {
  Values scores;
  const auto tenths = *rc::gen::suchThat(
      rc::gen::container<std::vector<int>>(rc::gen::inRange(-50, 51)),
      [least](const auto& values) { return values.size() >= least && values.size() < 9; });
  for (const int value : tenths) scores.push_back(delta_of(value));
  return scores;
}

RC_GTEST_PROP(RankingLosses, HaveTheirNumericGradient, ()) {
  const Values scores = any_scores(1);
  expect_gradient(
      scores, [](const Values& s, Values& g) { return plackett_luce(s, g); }, 1e-8);
  const std::size_t best = scores.size() / 2;
  expect_gradient(
      scores, [best](const Values& s, Values& g) { return best_of_several(s, best, g); }, 1e-8);
}

TEST(RankingLosses, OfTwoAreBradleyTerry) {
  Values gradient(2);
  const Values scores = {1.5, 0};
  EXPECT_NEAR(plackett_luce(scores, gradient), bradley_terry(1.5).value, 1e-15);
  EXPECT_NEAR(gradient[0], bradley_terry(1.5).slope, 1e-15);
  EXPECT_NEAR(best_of_several(scores, 0, gradient), bradley_terry(1.5).value, 1e-15);
}

TEST(RankingLosses, StayFiniteFarFromZero) {
  Values gradient(3);
  EXPECT_NEAR(plackett_luce(Values{-800, 0, 800}, gradient), 2400, 1e-9);
  EXPECT_NEAR(best_of_several(Values{-800, 0, 800}, 0, gradient), 1600, 1e-9);
  EXPECT_NEAR(gradient[2], 1, 1e-12);
}

RewardLoss batch_loss(const Values& first, const Values& second,
                      const std::vector<PairLabel>& labels, const RewardLossOptions& options = {}) {
  Values a(first.size()), b(first.size());
  return reward_loss(first, second, labels, options, a, b);
}

// A reference trainer sums a batch before the sigmoid; a pair's loss must not see other pairs.
TEST(RewardLoss, IsTheMeanOverPairs) {
  const double together = batch_loss({2, -1}, {0.5, 1}, {{}, {}}).value;
  EXPECT_NEAR(together, (bradley_terry(1.5).value + bradley_terry(-2).value) / 2, 1e-15);
}

TEST(RewardLoss, TakesVotesTiesAndStrengths) {
  const PairLabel votes{.win = 0.5, .tie = 0.25, .loss = 0.25};
  EXPECT_NEAR(batch_loss({1}, {0}, {votes}).value, soft_label(1, 0.625).value, 1e-15);
  const RewardLossOptions with_ties{.ties = TieHandling::kDavidson, .log_tie_parameter = -0.5};
  EXPECT_NEAR(batch_loss({1}, {0}, {votes}, with_ties).value,
              0.5 * davidson(1, -0.5, PairOutcome::kWin).value +
                  0.25 * davidson(1, -0.5, PairOutcome::kTie).value +
                  0.25 * davidson(1, -0.5, PairOutcome::kLoss).value,
              1e-15);
  const PairLabel strong{.win = 0, .loss = 1, .strength = 2};
  EXPECT_NEAR(batch_loss({1}, {0}, {strong}, {.margin = 0.5}).value, bradley_terry(-1, 1).value,
              1e-15);
  EXPECT_NEAR(batch_loss({1.5}, {0}, {{}}, {.flip_rate = 0.1}).value, noise_robust(1.5, 0.1).value,
              1e-15);
  EXPECT_NEAR(batch_loss({1.5}, {0}, {{}}, {.label_smoothing = 0.1}).value,
              smoothed(1.5, 0.1).value, 1e-15);
}

RC_GTEST_PROP(RewardLoss, HasItsNumericGradient, ()) {
  const Values first = any_scores(1);
  Values second = first;
  for (std::size_t i = 0; i < second.size(); ++i) second[i] = 0.5 * first[first.size() - 1 - i] - 1;
  const std::vector<PairLabel> labels(first.size(),
                                      {.win = 0.6, .tie = 0.3, .loss = 0.1, .strength = 1});
  for (const RewardLossOptions& options :
       {RewardLossOptions{
            .ties = TieHandling::kRaoKupper, .log_tie_parameter = 0.4, .centre = 0.01},
        RewardLossOptions{.margin = 0.3, .flip_rate = 0.1, .decay = 0.001},
        RewardLossOptions{.ties = TieHandling::kDavidson, .label_smoothing = 0.2}}) {
    Values unused(first.size());
    expect_gradient(
        first,
        [&](const Values& s, Values& g) {
          return reward_loss(s, second, labels, options, g, unused).value;
        },
        1e-8);
    expect_gradient(
        second,
        [&](const Values& s, Values& g) {
          return reward_loss(first, s, labels, options, unused, g).value;
        },
        1e-8);
    if (options.ties == TieHandling::kHalfWins) continue;
    RewardLossOptions moved = options;
    const double numeric = central(
        [&](double x) {
          moved.log_tie_parameter = x;
          return reward_loss(first, second, labels, moved, unused, unused).value;
        },
        options.log_tie_parameter);
    RC_ASSERT(std::abs(reward_loss(first, second, labels, options, unused, unused).tie_slope -
                       numeric) < 1e-7);
  }
}

// Natarajan et al. 2013: over flipped labels the robust loss has the expectation of the clean one.
TEST(NoiseRobust, IsUnbiasedUnderFlips) {
  const double e = 0.23;
  for (const double delta : {-2.0, 0.4, 3.0}) {
    const double expected =
        (1 - e) * noise_robust(delta, e).value + e * noise_robust(-delta, e).value;
    EXPECT_NEAR(expected, bradley_terry(delta).value, 1e-12);
  }
}

}  // namespace
}  // namespace plumb::rlhf
