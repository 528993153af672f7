#include "plumb/rlhf/reward/reward_metrics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "plumb/base/random.h"

namespace plumb::rlhf {
namespace {

using Values = std::vector<double>;
using tasks::Choice;

std::vector<std::uint32_t> singles(std::size_t n) {
  std::vector<std::uint32_t> clusters(n);
  for (std::size_t i = 0; i < n; ++i) clusters[i] = static_cast<std::uint32_t>(i);
  return clusters;
}

PairAccuracy accuracy(const Values& first, const Values& second, const Values& shares) {
  return pair_accuracy(first, second, shares, singles(first.size()), 0.95).value();
}

TEST(PairAccuracy, CountsATieAsWrongOrAsHalfRight) {
  const auto result = accuracy({1, 0, 2, 2}, {0, 1, 2, 2}, {1, 1, 1, 0});
  EXPECT_DOUBLE_EQ(result.strict.value, 0.25);
  EXPECT_DOUBLE_EQ(result.half_tie.value, 0.5);
  EXPECT_EQ(result.ties, 2U);
}

TEST(PairAccuracy, IsThatAgainstAnIndividualVote) {
  EXPECT_DOUBLE_EQ(accuracy({1, 0}, {0, 1}, {0.75, 0.25}).strict.value, 0.75);
}

// Some trainers average the accuracies of batches, which weighs a short last batch too much.
TEST(PairAccuracy, IsACountOverPairsWhateverTheBatches) {
  const auto result = accuracy({1, 1, 1, 0, 0}, {0, 0, 0, 1, 1}, {1, 1, 1, 1, 1});
  EXPECT_DOUBLE_EQ(result.strict.value, 0.6);  // batches of four: (3/4 + 0) / 2 = 0.375
  EXPECT_FALSE(pair_accuracy({}, {}, {}, {}, 0.95));
}

// With random labels the interval holds 1/2 as often as it says: 950 of 1,000 within 4 errors.
TEST(PairAccuracy, CoversOneHalfOnRandomLabelsAsOftenAsItSays) {
  int covered = 0;
  for (std::uint64_t run = 0; run < 1000; ++run) {
    Stream stream(17, "random-labels", run);
    Values first, second, shares;
    for (int i = 0; i < 300; ++i) {
      first.push_back(stream.uniform());
      second.push_back(stream.uniform());
      shares.push_back(stream.below(2));
    }
    const auto ci = accuracy(first, second, shares).strict.ci;
    covered += ci.low <= 0.5 && 0.5 <= ci.high ? 1 : 0;
  }
  EXPECT_NEAR(covered, 950, 28);
}

TEST(FlipRate, InvertsTheAgreementOfTwoNoisyVotes) {
  for (const double e : {0.0, 0.1, 0.25, 0.5}) {
    EXPECT_NEAR(*flip_rate((1 - e) * (1 - e) + e * e), e, 1e-7);
  }
  EXPECT_FALSE(flip_rate(0.4));
  EXPECT_NEAR(noise_corrected_accuracy(0.75 * 0.8 + 0.25 * 0.2, 0.25), 0.8, 1e-12);
}

Comparison comparison(const std::string& prompt, const std::string& first,
                      const std::string& second, const std::vector<Choice>& choices) {
  Comparison one{
      "here", {{"", prompt}}, {Conversation{{"", first}}, Conversation{{"", second}}}, {}};
  for (const Choice choice : choices) one.votes.push_back({"", choice, 0});
  return one;
}

TEST(EvaluateScores, StandsBesideItsBaselinesAndTheNoiseOfPeople) {
  PreferenceData data;
  std::vector<std::array<double, 2>> scores;
  Stream stream(9, "evaluate", 0);
  for (int i = 0; i < 400; ++i) {
    const double margin = 3 * stream.uniform() - 1.5;
    std::vector<Choice> choices;
    for (int vote = 0; vote < 3; ++vote) {
      choices.push_back(stream.uniform() < 1 / (1 + std::exp(-2 * margin)) ? Choice::kA
                                                                           : Choice::kB);
    }
    data.comparisons.push_back(
        comparison(std::to_string(i), "text", i % 3 == 0 ? "txt" : "texts", choices));
    scores.push_back({margin, 0});
  }
  data.comparisons.push_back(comparison("tie", "a", "b", {Choice::kTie}));
  data.comparisons.push_back(comparison("same", "a", "a", {Choice::kA}));
  scores.insert(scores.end(), 2, {5, 0});
  const auto result = evaluate_scores(data, scores, {.sampling = {.resamples = 200}}).value();
  EXPECT_EQ(result.accuracy.n, 400U);
  EXPECT_GT(result.accuracy.strict.ci.low, result.longest.strict.ci.high);
  EXPECT_NEAR(result.longest.strict.value + result.shortest.strict.value, 1, 1e-12);
  EXPECT_NEAR(*result.temperature, 0.5, 0.1);
  EXPECT_LE(result.temperature_ci->low, 0.5);
  EXPECT_GE(result.temperature_ci->high, 0.5);
  EXPECT_LT(result.brier_ci->low, *result.brier);
  // A model that knows the truth scores about as high as the noise of people allows.
  EXPECT_NEAR(*result.noise_ceiling, result.accuracy.strict.value, 0.06);
  scores[3][0] = std::nan("");
  EXPECT_FALSE(evaluate_scores(data, scores, {}));
}

// Against shares of 3 : 1 and of one vote: ((1/2 - 3/4)^2 + (1/2 - 1)^2) / 2 = (1/16 + 1/4) / 2.
TEST(EvaluateScores, JudgeAConstantAgainstTheSameShares) {
  PreferenceData data;
  data.comparisons = {comparison("p", "a", "b", {Choice::kA, Choice::kA, Choice::kB, Choice::kA}),
                      comparison("q", "a", "b", {Choice::kB, Choice::kTie})};
  const std::vector<std::array<double, 2>> scores = {{1, 0}, {1, 0}};
  const auto result = evaluate_scores(data, scores, {.sampling = {.resamples = 10}}).value();
  EXPECT_DOUBLE_EQ(result.constant_brier, 0.15625);
  EXPECT_EQ(decided_votes(data.comparisons[1]), 1U);
}

// A model that is right about each share: with nine votes a pair less of the error is noise.
TEST(EvaluateScores, TakeTheVotesOfEachPairForTheNoiseOfCalibration) {
  const auto null_of = [](int votes) {
    PreferenceData data;
    std::vector<std::array<double, 2>> scores;
    for (int i = 0; i < 60; ++i) {
      data.comparisons.push_back(
          comparison(std::to_string(i), "a", "b",
                     std::vector<Choice>(static_cast<std::size_t>(votes), Choice::kA)));
      scores.push_back({0.01 * i, 0});
    }
    const RewardEvaluationOptions options{.sampling = {.resamples = 10}};
    return evaluate_scores(data, scores, options)->calibration.null_mean;
  };
  EXPECT_NEAR(null_of(9), null_of(1) / 3, 0.02);
}

TEST(EvaluateScores, RefusesDataThatDecideNothing) {
  PreferenceData data;
  data.file = "x.jsonl";
  data.comparisons.push_back(comparison("p", "a", "b", {Choice::kTie}));
  const std::vector<std::array<double, 2>> scores = {{1, 0}};
  EXPECT_NE(evaluate_scores(data, scores, {}).error().message.find("x.jsonl"), std::string::npos);
}

// By NumPy: var with ddof 0 and 1 of the five members.
TEST(Ensemble, HasTheKnownScoresOfEachConvention) {
  const Values members = {1, 1.4, 0.3, 0.9, 1.2};
  EXPECT_NEAR(ensemble_mean(members), 0.96, 1e-12);
  EXPECT_EQ(ensemble_worst(members), 0.3);
  EXPECT_NEAR(ensemble_uncertain(members, 0.5, Variance::kPopulation), 0.8908, 1e-12);
  EXPECT_NEAR(ensemble_uncertain(members, 0.5, Variance::kSample), 0.8735, 1e-12);
  EXPECT_NEAR(ensemble_entropic(members, 1), 0.885248, 6e-7);
}

// A reference implementation takes a weight of 0 for "not given" and uses 1.
TEST(Ensemble, WithWeightZeroIsTheMean) {
  EXPECT_DOUBLE_EQ(ensemble_uncertain(Values{1, 3}, 0, Variance::kSample), 2);
  EXPECT_DOUBLE_EQ(ensemble_uncertain(Values{4}, 0.5, Variance::kSample), 4);
}

RC_GTEST_PROP(Ensemble, LiesBetweenItsWorstMemberAndItsMean, ()) {
  Values members;
  for (const int tenths :
       *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-900, 900)))) {
    members.push_back(tenths / 10.0);
  }
  const double worst = ensemble_worst(members), mean = ensemble_mean(members);
  double before = worst;
  for (const double beta : {1e-3, 1.0, 1e2, 1e6}) {
    const double soft = ensemble_entropic(members, beta);
    RC_ASSERT(soft >= before - 1e-6 && soft <= mean + 1e-6);
    before = soft;
  }
}

TEST(ScoreNormalisation, KeepsWhereItCameFromAndRefusesOtherScales) {
  const auto fitted = fit_normalisation(Values{1, 2, 3}, "policy", "prompts").value();
  EXPECT_DOUBLE_EQ(fitted(2), 0);
  EXPECT_DOUBLE_EQ(fitted(3), 1);
  const auto again = parse_normalisation(normalisation_json(fitted)).value();
  EXPECT_DOUBLE_EQ(again(3), 1);
  EXPECT_TRUE(check_comparable(fitted, again));
  const auto other = fit_normalisation(Values{1, 2, 3}, "policy", "others").value();
  EXPECT_NE(check_comparable(fitted, other).error().message.find("prompts"), std::string::npos);
  EXPECT_FALSE(fit_normalisation(Values{1}, "", ""));
  EXPECT_FALSE(fit_normalisation(Values{1, 1}, "", ""));
  EXPECT_FALSE(fit_normalisation(Values{1, std::nan("")}, "", ""));
  EXPECT_FALSE(parse_normalisation(Json::parse(R"({"mean":1})")));
  EXPECT_FALSE(parse_normalisation(Json::parse("[]")));
}

// Scores against coins: the interval of the accuracy holds 1/2 as often as it says, over 2,000
// seeds; for single prompts, and for prompts of four comparisons. Five standard errors of the count
// are 49; where clusters are few, Wilson's interval with a design effect may be wider than it says.
TEST(Coverage, OfCoinsIsWhatTheIntervalSays) {
  constexpr std::size_t kSeeds = 2000;
  const std::pair<std::size_t, std::size_t> sizes[] = {{60, 1}, {400, 1}, {400, 4}};
  for (const auto& [n, each] : sizes) {
    std::size_t strict = 0, half = 0;
    for (std::size_t seed = 0; seed < kSeeds; ++seed) {
      Stream stream(seed, "coins", n + each);
      std::vector<double> first(n), second(n), shares(n);
      std::vector<std::uint32_t> prompts(n);
      for (std::size_t i = 0; i < n; ++i) {
        first[i] = stream.uniform();
        second[i] = stream.below(20) == 0 ? first[i] : stream.uniform();
        shares[i] = static_cast<double>(stream.below(2));
        prompts[i] = static_cast<std::uint32_t>(i / each);
      }
      const auto accuracy = pair_accuracy(first, second, shares, prompts, 0.95);
      const auto holds = [](const stats::Interval& ci, double truth) {
        return ci.low <= truth && truth <= ci.high ? 1U : 0U;
      };
      half += holds(accuracy->half_tie.ci, 0.5);
      strict += holds(accuracy->strict.ci, 0.475);  // one in twenty is a tie, and wrong
    }
    for (const std::size_t covered : {strict, half}) {
      EXPECT_GE(covered, 1900U - 49U) << n << " " << each;
      EXPECT_LE(covered, 1900U + 49U + (each > 1 ? 20U : 0U)) << n << " " << each;
    }
  }
}

}  // namespace
}  // namespace plumb::rlhf
