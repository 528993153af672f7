#include "plumb/stats/bradley_terry.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

namespace plumb::stats {
namespace {

PairwiseCounts from_wins(std::size_t n, std::vector<double> wins) {
  PairwiseCounts pairs(n);
  pairs.wins = std::move(wins);
  return pairs;
}

// American League, East Division, 1987: Milwaukee, Detroit, Toronto, New York, Boston, Cleveland,
// Baltimore; 13 games of each two, home and away together (Agresti 1990, Categorical Data Analysis,
// table 10.10).
PairwiseCounts baseball() {
  return from_wins(7, {0, 7, 9, 7, 7,  9, 11,  //
                       6, 0, 7, 5, 11, 9, 9,   //
                       4, 6, 0, 7, 7,  8, 12,  //
                       6, 8, 6, 0, 6,  7, 10,  //
                       6, 2, 6, 7, 0,  7, 12,  //
                       4, 4, 5, 6, 6,  0, 6,   //
                       2, 4, 1, 3, 1,  7, 0});
}

void expect_near(const std::vector<double>& values, const std::vector<double>& expected,
                 double tolerance) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i], expected[i], tolerance) << "at " << i;
  }
}

// Abilities and standard errors as printed in Turner and Firth 2012, "Bradley-Terry Models in R:
// The BradleyTerry2 Package", section 2; log-likelihood by SciPy's BFGS on the same table.
TEST(FitBradleyTerry, ReproducesTheBaseballTableOf1987) {
  const auto fit = fit_bradley_terry(baseball(), {.reference = 6});
  ASSERT_TRUE(fit.has_value());
  expect_near(fit->abilities, {1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0}, 5e-5);
  expect_near(fit->standard_errors, {0.3433, 0.3396, 0.3367, 0.3359, 0.3339, 0.3319, 0}, 5e-5);
  EXPECT_NEAR(fit->log_likelihood, -172.248176, 5e-7);
}

// tests/golden/bradley_terry.py
TEST(FitBradleyTerry, AgreesWithScipyOnGamesWithTies) {
  std::ifstream file("tests/golden/bradley_terry.json");
  const auto golden = nlohmann::json::parse(file);
  PairwiseCounts pairs(golden.at("competitors"));
  pairs.wins = golden.at("wins").get<std::vector<double>>();
  pairs.ties = golden.at("ties").get<std::vector<double>>();
  const std::vector<std::pair<TieModel, const char*>> models = {
      {TieModel::kDavidson, "davidson"},
      {TieModel::kRaoKupper, "rao_kupper"},
      {TieModel::kHalfWins, "half_wins"}};
  for (const auto& [model, name] : models) {
    SCOPED_TRACE(name);
    const auto& expected = golden.at(name);
    const auto fit = fit_bradley_terry(pairs, {.ties = model, .reference = 5});
    ASSERT_TRUE(fit.has_value());
    expect_near(fit->abilities, expected.at("abilities"), 1e-6);
    expect_near(fit->standard_errors, expected.at("standard_errors"), 1e-6);
    EXPECT_NEAR(fit->log_likelihood, expected.at("log_likelihood"), 1e-9);
    EXPECT_NEAR(fit->tie_parameter, expected.value("tie_parameter", 0.0), 1e-6);
    EXPECT_NEAR(fit->tie_standard_error, expected.value("tie_standard_error", 0.0), 1e-6);
    const auto centred = fit_bradley_terry(pairs, {.ties = model});
    expect_near(centred->abilities, expected.at("centred_abilities"), 1e-6);
    expect_near(centred->standard_errors, expected.at("centred_standard_errors"), 1e-6);
    EXPECT_NEAR(centred->log_likelihood, fit->log_likelihood, 1e-12);
  }
}

// The fixed point of Hunter 2004, eq. 3: pi_i = wins_i / sum over j of games_ij / (pi_i + pi_j).
TEST(FitBradleyTerry, IsTheFixedPointOfHuntersMinorisation) {
  const PairwiseCounts pairs = baseball();
  const auto fit = fit_bradley_terry(pairs);
  for (std::size_t i = 0; i < 7; ++i) {
    double wins = 0, weight = 0;
    for (std::size_t j = 0; j < 7; ++j) {
      wins += pairs.win(i, j);
      weight += (pairs.win(i, j) + pairs.win(j, i)) /
                (std::exp(fit->abilities[i]) + std::exp(fit->abilities[j]));
    }
    EXPECT_NEAR(wins / weight, std::exp(fit->abilities[i]), 1e-9);
  }
}

TEST(FitBradleyTerry, OfTwoIsTheLogOfTheOdds) {
  const auto fit = fit_bradley_terry(from_wins(2, {0, 30, 10, 0}), {.reference = 1});
  EXPECT_NEAR(fit->abilities[0], std::log(3.0), 1e-12);
  EXPECT_NEAR(fit->standard_errors[0], std::sqrt(1.0 / 30 + 1.0 / 10), 1e-12);
  EXPECT_NEAR(fit->log_likelihood, 30 * std::log(0.75) + 10 * std::log(0.25), 1e-12);
}

// Two competitors determine both parameters: win, tie and loss have their observed shares.
TEST(FitBradleyTerry, WithTiesReproducesTheSharesOfTwo) {
  PairwiseCounts pairs = from_wins(2, {0, 50, 20, 0});
  pairs.add_tie(0, 1, 30);
  for (const TieModel model : {TieModel::kDavidson, TieModel::kRaoKupper}) {
    const auto fit = fit_bradley_terry(pairs, {.ties = model});
    ASSERT_TRUE(fit.has_value());
    const auto share =
        outcome_probabilities(model, fit->abilities[0] - fit->abilities[1], fit->tie_parameter);
    EXPECT_NEAR(share.win, 0.5, 1e-9);
    EXPECT_NEAR(share.tie, 0.3, 1e-9);
    EXPECT_NEAR(share.loss, 0.2, 1e-9);
  }
}

TEST(FitBradleyTerry, WithoutTiesAllModelsAreTheSame) {
  const auto plain = fit_bradley_terry(baseball());
  const auto davidson = fit_bradley_terry(baseball(), {.ties = TieModel::kDavidson});
  const auto rao_kupper = fit_bradley_terry(baseball(), {.ties = TieModel::kRaoKupper});
  EXPECT_EQ(plain->abilities, davidson->abilities);
  EXPECT_EQ(plain->abilities, rao_kupper->abilities);
  EXPECT_EQ(davidson->tie_parameter, 0);
  EXPECT_EQ(rao_kupper->tie_parameter, 1);
}

TEST(FitBradleyTerry, StaysExactWhereOddsAreExtreme) {
  const auto fit = fit_bradley_terry(from_wins(2, {0, 1e9, 1, 0}));
  ASSERT_TRUE(fit.has_value());
  EXPECT_NEAR(fit->abilities[0] - fit->abilities[1], std::log(1e9), 1e-6);
}

TEST(FitBradleyTerry, HasNoAnswerForGroupsThatNeverBeatTheOthers) {
  const auto fit = fit_bradley_terry(from_wins(3, {0, 1, 5,  //
                                                   1, 0, 4,  //
                                                   0, 0, 0}));
  ASSERT_FALSE(fit.has_value());
  EXPECT_EQ(fit.error().reason,
            "no finite solution: competitors fall into groups that never beat the others");
}

TEST(FitBradleyTerry, HasNoAnswerForCompetitorsWhoNeverMet) {
  EXPECT_FALSE(fit_bradley_terry(PairwiseCounts(2)).has_value());
  EXPECT_FALSE(fit_bradley_terry(PairwiseCounts(0)).has_value());
}

TEST(FitBradleyTerry, ATieConnectsAsHalfAWinDoes) {
  PairwiseCounts pairs = from_wins(2, {0, 3, 0, 0});
  pairs.add_tie(0, 1);
  const auto fit = fit_bradley_terry(pairs);
  ASSERT_TRUE(fit.has_value());
  EXPECT_NEAR(fit->abilities[0] - fit->abilities[1], std::log(3.5 / 0.5), 1e-12);
}

// With three wins, a tie and no loss, the chance of a loss is best at 0, which no finite ability
// reaches; with one win in the other direction it is.
TEST(FitBradleyTerry, ATieModelNeedsMoreThanTiesToBoundAWinner) {
  for (const TieModel model : {TieModel::kDavidson, TieModel::kRaoKupper}) {
    PairwiseCounts pairs = from_wins(2, {0, 3, 0, 0});
    pairs.add_tie(0, 1);
    const auto unbounded = fit_bradley_terry(pairs, {.ties = model});
    ASSERT_FALSE(unbounded.has_value());
    EXPECT_EQ(unbounded.error().reason,
              "no finite solution: no cycle of comparisons has more wins than ties");
    pairs.add_win(1, 0);
    EXPECT_TRUE(fit_bradley_terry(pairs, {.ties = model}).has_value());
  }
}

TEST(FitBradleyTerry, ACycleOfWinsBoundsATieModelToo) {
  PairwiseCounts pairs(4);
  pairs.add_win(0, 1);
  pairs.add_win(1, 2);
  pairs.add_win(2, 0);
  pairs.add_tie(2, 3);
  for (const TieModel model : {TieModel::kDavidson, TieModel::kRaoKupper}) {
    const auto fit = fit_bradley_terry(pairs, {.ties = model});
    ASSERT_TRUE(fit.has_value());
    EXPECT_TRUE(std::isfinite(fit->tie_parameter));
    for (const double error : fit->standard_errors) EXPECT_LT(error, 10);
  }
}

TEST(FitBradleyTerry, NothingButTiesIsNoTieModel) {
  PairwiseCounts pairs(2);
  pairs.add_tie(0, 1, 4);
  for (const double ridge : {0.0, 1.0}) {
    for (const TieModel model : {TieModel::kDavidson, TieModel::kRaoKupper}) {
      const auto fit = fit_bradley_terry(pairs, {.ties = model, .ridge = ridge});
      ASSERT_FALSE(fit.has_value());
      EXPECT_EQ(fit.error().reason, "no finite solution: every comparison is a tie");
    }
  }
  EXPECT_NEAR(fit_bradley_terry(pairs)->abilities[0], 0, 1e-12);
}

TEST(FitBradleyTerry, OneCompetitorHasAbilityZero) {
  const auto fit = fit_bradley_terry(PairwiseCounts(1));
  ASSERT_TRUE(fit.has_value());
  EXPECT_EQ(fit->abilities, std::vector<double>{0});
  EXPECT_NEAR(fit->standard_errors[0], 0, 1e-7);
}

// With difference d = 2 r, the posterior's slope is 3 / (1 + exp(d)) - ridge * r = 0.
TEST(FitBradleyTerry, ARidgeKeepsAWinnerOfEverythingFinite) {
  const auto fit = fit_bradley_terry(from_wins(2, {0, 3, 0, 0}), {.ridge = 0.5});
  ASSERT_TRUE(fit.has_value());
  const double r = fit->abilities[0];
  EXPECT_NEAR(3 / (1 + std::exp(2 * r)), 0.5 * r, 1e-9);
  EXPECT_NEAR(fit->abilities[1], -r, 1e-12);
}

// The penalised information of r1 = -r2 = r per unit of r is 4 n p (1 - p) + 2 ridge.
TEST(FitBradleyTerry, ARidgeAddsToTheInformation) {
  const auto fit = fit_bradley_terry(from_wins(2, {0, 3, 3, 0}), {.ridge = 0.5});
  EXPECT_NEAR(fit->standard_errors[0], std::sqrt(1 / (4 * 6 * 0.25 + 2 * 0.5)), 1e-12);
}

TEST(FitBradleyTerry, AVanishingRidgeChangesNothing) {
  expect_near(fit_bradley_terry(baseball(), {.ridge = 1e-9})->abilities,
              fit_bradley_terry(baseball())->abilities, 1e-8);
}

TEST(WinComponents, AreNumberedFromTheTop) {
  EXPECT_EQ(win_components(from_wins(4, {0, 0, 0, 0,  //
                                         1, 0, 0, 1,  //
                                         1, 2, 0, 0,  //
                                         0, 1, 0, 0})),
            (std::vector<int>{3, 2, 1, 2}));
}

TEST(WinComponents, AreOneInTheBaseballTable) {
  EXPECT_EQ(win_components(baseball()), std::vector<int>(7, 1));
}

TEST(WinComponents, SeparateThoseWhoNeverMet) {
  EXPECT_EQ(win_components(PairwiseCounts(3)), (std::vector<int>{1, 2, 3}));
}

// The formulas of the papers at a difference of 1.
TEST(OutcomeProbabilities, AreThoseOfThePapers) {
  const auto davidson = outcome_probabilities(TieModel::kDavidson, 1, 0.5);
  EXPECT_NEAR(davidson.win, 0.598392, 5e-7);
  EXPECT_NEAR(davidson.tie, 0.181472, 5e-7);
  EXPECT_NEAR(davidson.loss, 0.220136, 5e-7);
  const auto rao_kupper = outcome_probabilities(TieModel::kRaoKupper, 1, 1.5);
  EXPECT_NEAR(rao_kupper.win, 0.644405, 5e-7);
  EXPECT_NEAR(rao_kupper.tie, 0.158645, 5e-7);
  EXPECT_NEAR(rao_kupper.loss, 0.196950, 5e-7);
  const auto plain = outcome_probabilities(TieModel::kHalfWins, 1, 7);
  EXPECT_NEAR(plain.win, 1 / (1 + std::exp(-1.0)), 1e-15);
  EXPECT_EQ(plain.tie, 0);
}

RC_GTEST_PROP(OutcomeProbabilities, SumToOneAndTurnAround, ()) {
  const TieModel model =
      *rc::gen::element(TieModel::kHalfWins, TieModel::kDavidson, TieModel::kRaoKupper);
  const double difference = *rc::gen::inRange(-3000, 3001) / 100.0;
  const double tie_parameter = 1 + *rc::gen::inRange(0, 500) / 100.0;
  const auto there = outcome_probabilities(model, difference, tie_parameter);
  const auto back = outcome_probabilities(model, -difference, tie_parameter);
  RC_ASSERT(std::abs(there.win + there.tie + there.loss - 1) < 1e-12);
  RC_ASSERT(there.win == back.loss && there.loss == back.win);
}

double log_likelihood(const PairwiseCounts& pairs, TieModel model, const BradleyTerryFit& fit) {
  double sum = 0;
  for (std::size_t i = 0; i < pairs.competitors; ++i) {
    for (std::size_t j = i + 1; j < pairs.competitors; ++j) {
      const auto p =
          outcome_probabilities(model, fit.abilities[i] - fit.abilities[j], fit.tie_parameter);
      const double ties = pairs.tie(i, j), half = model == TieModel::kHalfWins ? ties / 2 : 0;
      sum += (pairs.win(i, j) + half) * std::log(p.win);
      sum += (pairs.win(j, i) + half) * std::log(p.loss);
      if (half == 0 && ties > 0) sum += ties * std::log(p.tie);
    }
  }
  return sum;
}

// Whatever the games: where there is a fit, its likelihood is what the probabilities say, and the
// numeric gradient vanishes; where there is none, a ridge gives one.
RC_GTEST_PROP(FitBradleyTerry, IsAStationaryPointOfItsLikelihood, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 6);
  const TieModel model =
      *rc::gen::element(TieModel::kHalfWins, TieModel::kDavidson, TieModel::kRaoKupper);
  PairwiseCounts pairs(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      pairs.add_win(i, j, *rc::gen::inRange(0, 6));
      pairs.add_win(j, i, *rc::gen::inRange(0, 6));
      pairs.add_tie(i, j, *rc::gen::inRange(0, 3));
    }
  }
  auto fit = fit_bradley_terry(pairs, {.ties = model});
  RC_CLASSIFY(fit.has_value());
  if (!fit) {
    const bool all_ties = fit.error().reason == "no finite solution: every comparison is a tie";
    RC_ASSERT(all_ties || fit_bradley_terry(pairs, {.ties = model, .ridge = 0.1}).has_value());
    return;
  }
  RC_ASSERT(std::abs(log_likelihood(pairs, model, *fit) - fit->log_likelihood) < 1e-8);
  const bool has_ties = fit->tie_standard_error > 0;
  for (std::size_t k = 0; k < n + (has_ties ? 1 : 0); ++k) {
    double& parameter = k < n ? fit->abilities[k] : fit->tie_parameter;
    const double at = parameter, h = 1e-5 * std::max(1.0, std::abs(at));
    parameter = at + h;
    const double above = log_likelihood(pairs, model, *fit);
    parameter = at - h;
    const double below = log_likelihood(pairs, model, *fit);
    parameter = at;
    RC_ASSERT(std::abs(above - below) / (2 * h) < 1e-4);
  }
}

}  // namespace
}  // namespace plumb::stats
