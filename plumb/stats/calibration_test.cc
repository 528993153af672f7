#include "plumb/stats/calibration.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "plumb/base/files.h"
#include "plumb/base/random.h"
#include "plumb/stats/intervals.h"

namespace plumb::stats {
namespace {

using Values = std::vector<double>;

// scikit-learn 1.2.1, NumPy 1.24.2, SciPy 1.10.1; see the script of the same name.
TEST(Calibration, EqualsScikitLearnNumPyAndSciPy) {
  const auto golden = nlohmann::json::parse(read_file("tests/golden/calibration.json").value());
  for (const auto& test : golden) {
    const auto logits = test["logits"].get<Values>(), outcomes = test["outcomes"].get<Values>();
    EXPECT_NEAR(*brier_score(logits, outcomes), test["brier"], 1e-14);
    EXPECT_NEAR(*log_loss(logits, outcomes), test["log_loss"], 1e-13);
    EXPECT_NEAR(*fit_temperature(logits, outcomes), test["temperature"], 1e-6);
    EXPECT_NEAR(calibration_error(equal_mass_reliability(logits, outcomes, test["bins"])),
                test["ece"], 1e-13);
    const auto bins = margin_reliability(logits, outcomes, 0.5);
    ASSERT_EQ(bins.size(), test["margin_bins"].size());
    for (std::size_t b = 0; b < bins.size(); ++b) {
      EXPECT_EQ(bins[b].low, test["margin_bins"][b]["low"]);
      EXPECT_EQ(bins[b].n, test["margin_bins"][b]["n"]);
      EXPECT_NEAR(bins[b].confidence, test["margin_bins"][b]["confidence"], 1e-13);
      EXPECT_NEAR(bins[b].accuracy, test["margin_bins"][b]["accuracy"], 1e-13);
    }
  }
}

// Logits, and outcomes of which each is 1 with the chance that scale * logit implies.
struct Pairs {
  Values logits, outcomes;
};
Pairs random_pairs(std::size_t n, double scale, Stream& stream) {
  Pairs pairs;
  for (std::size_t i = 0; i < n; ++i) {
    const double logit = 6 * stream.uniform() - 3;
    pairs.logits.push_back(logit);
    pairs.outcomes.push_back(stream.uniform() < 1 / (1 + std::exp(-scale * logit)) ? 1 : 0);
  }
  return pairs;
}

std::vector<std::size_t> single_votes(const Pairs& pairs) {
  return std::vector<std::size_t>(pairs.logits.size(), 1);
}

TEST(CalibrationError, IsAboutZeroForACalibratedModelOnceItsBiasIsTakenOff) {
  double raw = 0, debiased = 0;
  constexpr int kRuns = 40;
  for (int run = 0; run < kRuns; ++run) {
    Stream stream(3, "calibrated", static_cast<std::uint64_t>(run));
    const Pairs pairs = random_pairs(200, 1, stream);
    const auto error =
        debiased_calibration_error(pairs.logits, pairs.outcomes, single_votes(pairs), 15, 50, 1)
            .value();
    raw += error.raw / kRuns;
    debiased += error.debiased / kRuns;
  }
  EXPECT_GT(raw, 0.05);
  EXPECT_LT(std::abs(debiased), 0.01);
}

TEST(CalibrationError, IsLargeForAModelThatIsTooSure) {
  Stream stream(3, "too-sure", 0);
  const Pairs pairs = random_pairs(2000, 0.3, stream);
  const auto error =
      debiased_calibration_error(pairs.logits, pairs.outcomes, single_votes(pairs), 15, 100, 1)
          .value();
  EXPECT_GT(error.raw, error.null_upper);
  EXPECT_GT(error.debiased, 0.1);
}

// Some pairs, each as often as it was drawn.
Pairs copies(const Pairs& pairs, Counts counts) {
  Pairs all;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all.logits.insert(all.logits.end(), counts[i], pairs.logits[i]);
    all.outcomes.insert(all.outcomes.end(), counts[i], pairs.outcomes[i]);
  }
  return all;
}

RC_GTEST_PROP(ResampledCalibration, IsTheErrorOfTheCopies, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "copies", 0);
  Pairs pairs = random_pairs(1 + stream.below(40), 0.5, stream);
  for (double& logit : pairs.logits) logit = std::round(4 * logit) / 4;  // ties
  const std::size_t bins = 1 + stream.below(12);
  const ResampledCalibration error(pairs.logits, pairs.outcomes, single_votes(pairs), bins, 3, 7);
  std::vector<std::uint32_t> counts(pairs.logits.size());
  for (std::uint32_t& count : counts) count = static_cast<std::uint32_t>(stream.below(4));
  counts[0] = 1;
  const Pairs all = copies(pairs, counts);
  const auto raw = calibration_error(equal_mass_reliability(all.logits, all.outcomes, bins));
  RC_ASSERT(std::abs(error.raw(counts) - raw) < 1e-12);
}

TEST(ResampledCalibration, OfThePairsThemselvesIsTheDebiasedError) {
  Stream stream(3, "resampled", 0);
  const Pairs pairs = random_pairs(150, 0.5, stream);
  const std::vector<std::uint32_t> once(pairs.logits.size(), 1);
  const std::vector<std::size_t> votes(pairs.logits.size(), 3);
  const auto known =
      debiased_calibration_error(pairs.logits, pairs.outcomes, votes, 15, 25, 9).value();
  const ResampledCalibration error(pairs.logits, pairs.outcomes, votes, 15, 25, 9);
  EXPECT_NEAR(*error(once), known.debiased, 1e-12);
}

// What the debiased error of so many pairs is on average lies in the interval about as often as it
// says, for a model that is calibrated and for two that are too sure.
TEST(ResampledCalibration, GivesAnIntervalThatCoversWhatItEstimates) {
  constexpr std::size_t kRuns = 200, kPairs = 300;
  for (const double scale : {1.0, 0.6, 0.3}) {
    std::vector<Interval> intervals;
    double mean = 0;
    for (std::size_t run = 0; run < kRuns; ++run) {
      Stream stream(5, "covered", run);
      const Pairs pairs = random_pairs(kPairs, scale, stream);
      const ResampledCalibration error(pairs.logits, pairs.outcomes, single_votes(pairs), 15, 10,
                                       run);
      const auto result =
          bootstrap(Resampling::of_items(kPairs), error, {.resamples = 200, .seed = run});
      mean += *result.point / kRuns;
      intervals.push_back(*result.interval);
    }
    const auto covered = std::ranges::count_if(
        intervals, [&](const Interval& ci) { return ci.low <= mean && mean <= ci.high; });
    EXPECT_GE(covered, 180) << scale;
    // Where all is chance, copies make more of it than there is.
    EXPECT_LE(covered, scale < 1 ? 199 : 200) << scale;
  }
}

TEST(MarginReliability, HasWilsonsIntervalInEachBinWiderWhereClustersRepeat) {
  Stream stream(3, "bins", 0);
  const Pairs once = random_pairs(200, 1, stream);
  const std::vector<std::uint32_t> twice(once.logits.size(), 2);
  const Pairs pairs = copies(once, twice);
  std::vector<std::uint32_t> alone, by_two;
  for (std::uint32_t i = 0; i < 400; ++i) {
    alone.push_back(i);
    by_two.push_back(i / 2);
  }
  const auto bins = margin_reliability(once.logits, once.outcomes, 0.5);
  const auto single = margin_reliability_intervals(once.logits, once.outcomes, 0.5,
                                                   std::span(alone).first(200), 0.95);
  const auto doubled =
      margin_reliability_intervals(pairs.logits, pairs.outcomes, 0.5, by_two, 0.95);
  ASSERT_EQ(single.size(), bins.size());
  for (std::size_t b = 0; b < bins.size(); ++b) {
    const auto n = static_cast<double>(bins[b].n);
    const Interval known = wilson(bins[b].accuracy * n, n, 0.95);
    EXPECT_NEAR(single[b].low, known.low, 1e-12);
    EXPECT_NEAR(single[b].high, known.high, 1e-12);
    EXPECT_NEAR(doubled[b].low, known.low, 0.01);  // a copy tells nothing
    EXPECT_NEAR(doubled[b].high, known.high, 0.01);
  }
}

// The share of several votes is less noisy than one vote, so that less of the error is noise.
// NumPy 1.24.2, 20,000 draws of binomial(votes, p) / votes a case; see the script.
TEST(CalibrationError, TakesOffTheNoiseOfAsManyVotesAsThereAre) {
  const auto golden =
      nlohmann::json::parse(read_file("tests/golden/calibration_votes.json").value());
  for (const auto& test : golden) {
    const auto error = debiased_calibration_error(
                           test["logits"].get<Values>(), test["outcomes"].get<Values>(),
                           test["votes"].get<std::vector<std::size_t>>(), test["bins"], 2000, 1)
                           .value();
    EXPECT_NEAR(error.raw, test["raw"], 1e-13);
    EXPECT_NEAR(error.null_mean, test["null_mean"], 0.0015);
    EXPECT_NEAR(error.null_upper, test["null_upper"], 0.004);
    EXPECT_NEAR(error.debiased, test["raw"].get<double>() - test["null_mean"].get<double>(),
                0.0015);
  }
}

TEST(Temperature, FindsTheScaleOfTheVotes) {
  Stream stream(3, "temperature", 0);
  const Pairs pairs = random_pairs(20000, 0.5, stream);
  EXPECT_NEAR(*fit_temperature(pairs.logits, pairs.outcomes), 2, 0.1);
}

TEST(Temperature, IsUndefinedWhereNoneIsBest) {
  EXPECT_FALSE(fit_temperature({}, {}));
  EXPECT_TRUE(
      fit_temperature(Values{1, -2}, Values{1, 0}).error().reason.starts_with("the scores order"));
  EXPECT_TRUE(
      fit_temperature(Values{1, -2}, Values{0, 1}).error().reason.starts_with("the scores carry"));
  EXPECT_TRUE(
      fit_temperature(Values{0, 0}, Values{0, 1}).error().reason.starts_with("the scores carry"));
  EXPECT_FALSE(brier_score({}, {}));
  EXPECT_FALSE(debiased_calibration_error({}, {}, {}, 5, 5, 1));
}

RC_GTEST_PROP(Calibration, DoesNotChangeWhenPairsAreTurnedRoundOrReordered, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "turned", 0);
  Pairs pairs = random_pairs(30, 1, stream);
  for (double& logit : pairs.logits) logit = std::round(2 * logit) / 2;  // ties
  Pairs turned;
  for (std::size_t i = pairs.logits.size(); i-- > 0;) {
    const bool turn = i % 2 == 0;
    turned.logits.push_back(turn ? -pairs.logits[i] : pairs.logits[i]);
    turned.outcomes.push_back(turn ? 1 - pairs.outcomes[i] : pairs.outcomes[i]);
  }
  const auto error = [](const Pairs& p) {
    return calibration_error(equal_mass_reliability(p.logits, p.outcomes, 4));
  };
  RC_ASSERT(std::abs(error(pairs) - error(turned)) < 1e-12);
  RC_ASSERT(std::abs(*brier_score(pairs.logits, pairs.outcomes) -
                     *brier_score(turned.logits, turned.outcomes)) < 1e-12);
}

}  // namespace
}  // namespace plumb::stats
