#include "plumb/stats/over_optimisation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "plumb/base/files.h"
#include "plumb/base/random.h"
#include "plumb/stats/best_of_n.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/normal.h"

namespace plumb::stats {
namespace {

using Values = std::vector<double>;
using Clusters = std::vector<std::uint32_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

CurveForm form_of(const std::string& name) {
  return name == "bon" ? CurveForm::kBestOfN : CurveForm::kRl;
}

nlohmann::json golden() {
  return nlohmann::json::parse(read_file("tests/golden/over_optimisation.json").value());
}

// numpy.linalg.lstsq 1.24.2; see the script of the same name.
TEST(FitCurve, EqualsNumPysLeastSquares) {
  for (const auto& test : golden()) {
    const auto d = test["d"].get<Values>(), reward = test["reward"].get<Values>();
    const CurveFit fit = fit_curve(form_of(test["form"]), {d, reward}).value();
    EXPECT_NEAR(fit.curve.a, test["a"], 1e-10) << test["name"];
    EXPECT_NEAR(fit.curve.b, test["b"], 1e-10) << test["name"];
    EXPECT_NEAR(fit.rss, test["rss"], 1e-10) << test["name"];
  }
}

TEST(FitCurve, FindsWhatWasPlantedAndRemainsAtTheWrongForm) {
  const auto cases = golden();
  EXPECT_LT(cases[0]["rss"], 1e-25);  // best of n on its own curve
  EXPECT_NEAR(cases[1]["rss"], 0.0221634, 6e-8);
  EXPECT_NEAR(cases[2]["a"], 1.0057361243, 6e-11);
  EXPECT_NEAR(cases[2]["b"], 0.3032863553, 6e-11);
  EXPECT_NEAR(cases[3]["rss"], 0.3892477, 6e-8);
}

TEST(FitCurve, IsUndefinedWithoutTwoDistances) {
  EXPECT_FALSE(fit_curve(CurveForm::kRl, {Values{2, 2, 0}, Values{1, 2, 3}}));
  EXPECT_FALSE(fit_curve(CurveForm::kBestOfN, {Values{}, Values{}}));
  EXPECT_FALSE(fit_curve(CurveForm::kBestOfN, {Values{1, -2}, Values{1, 2}}));
  EXPECT_FALSE(fit_curve(CurveForm::kBestOfN, {Values{1, 2}, Values{1, kInfinity}}));
}

TEST(CurvePeak, HasTheKnownValues) {
  const CurveCoefficients curve{1, 0.3};
  EXPECT_NEAR(curve_peak(CurveForm::kBestOfN, curve), 1.6667, 5e-5);
  EXPECT_NEAR(curve_value(CurveForm::kBestOfN, curve, 1 / 0.6), 0.8333, 5e-5);
  EXPECT_NEAR(curve_peak(CurveForm::kRl, curve), 10.3123, 5e-5);
  EXPECT_NEAR(curve_value(CurveForm::kRl, curve, curve_peak(CurveForm::kRl, curve)), 3.0937, 5e-5);
}

// Gao et al., section 4.3: k rounds, each of d / k from where the last one ended, gain b d log k
// more than one of d. 1.663553 is 0.3 * 4 log 4.
TEST(CurveValue, OfRoundsFromTheLastOnesEndGainsTheLogOfTheirNumber) {
  const CurveCoefficients curve{1, 0.3};
  const auto rounds = [&](int k) { return k * curve_value(CurveForm::kRl, curve, 4.0 / k); };
  EXPECT_NEAR(rounds(4) - rounds(1), 1.663553, 6e-7);
  EXPECT_NEAR(rounds(1), 2.336447, 6e-7);
}

TEST(CurvePeak, IsInfiniteOrZeroWhereTheCurveNeverTurns) {
  for (const CurveForm form : {CurveForm::kBestOfN, CurveForm::kRl}) {
    EXPECT_EQ(curve_peak(form, {1, 0}), kInfinity);
    EXPECT_EQ(curve_peak(form, {1, -0.1}), kInfinity);
    EXPECT_EQ(curve_peak(form, {0, 0}), 0);
    EXPECT_EQ(curve_peak(form, {1, 1e-9}) > 1e6, true);
  }
  EXPECT_EQ(curve_peak(CurveForm::kBestOfN, {-1, 0.3}), 0);
}

RC_GTEST_PROP(CurvePeak, IsWhereTheSlopeChangesItsSign, ()) {
  const CurveCoefficients curve{*rc::gen::inRange(1, 30) / 10.0, *rc::gen::inRange(2, 20) / 10.0};
  for (const CurveForm form : {CurveForm::kBestOfN, CurveForm::kRl}) {
    const double peak = curve_peak(form, curve);
    RC_ASSERT(std::abs(curve_slope(form, curve, peak)) < 1e-9);
    RC_ASSERT(curve_slope(form, curve, 0.9 * peak) > 0);
    RC_ASSERT(curve_slope(form, curve, 1.1 * peak) < 0);
    const double numeric =
        (curve_value(form, curve, 2 + 1e-6) - curve_value(form, curve, 2 - 1e-6)) / 2e-6;
    RC_ASSERT(std::abs(curve_slope(form, curve, 2) - numeric) < 1e-7);
  }
}

TEST(MeasureCeiling, HasNoneWhereTheRewardDoesNotMove) {
  const Values d{0.5, 1, 2, 3, 0.5, 1, 2, 3}, still(8, 0.0);
  const Clusters prompts{0, 0, 0, 0, 1, 1, 1, 1};
  for (const CurveForm form : {CurveForm::kBestOfN, CurveForm::kRl}) {
    for (const CurveData& data : {CurveData{d, still, prompts}, CurveData{d, still}}) {
      const auto ceiling = measure_ceiling(form, data, {.resamples = 100});
      ASSERT_FALSE(ceiling);
      EXPECT_NE(ceiling.error().reason.find("does not move"), std::string_view::npos);
    }
  }
}

// One prompt of ten falls: a resample without it shows no turn, and one in three is such.
TEST(MeasureCeiling, TakesAResampleWithoutMovementForOneWithoutATurn) {
  Values d, reward;
  Clusters prompts;
  for (const std::uint32_t prompt : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
    for (const double at : {0.5, 1.0, 2.0, 3.0}) {
      d.push_back(at);
      reward.push_back(prompt == 0 ? -at : 0);
      prompts.push_back(prompt);
    }
  }
  const auto ceiling = measure_ceiling(CurveForm::kBestOfN, {d, reward, prompts}, {});
  ASSERT_TRUE(ceiling);
  EXPECT_FALSE(ceiling->detected);
  EXPECT_EQ(ceiling->d_star_ci.high, kInfinity);
}

// t intervals of the coefficients by SciPy 1.10.1; 20,000 draws carry the rest.
TEST(MeasureCeiling, OfSinglePointsHasTheIntervalsOfLeastSquares) {
  for (const auto& test : golden()) {
    if (test["rss"] < 1e-20) continue;
    const auto d = test["d"].get<Values>(), reward = test["reward"].get<Values>();
    const Ceiling ceiling =
        measure_ceiling(form_of(test["form"]), {d, reward}, {.resamples = 20000}).value();
    const auto near = [&](const Interval& got, const auto& wanted) {
      const double width = wanted[1].template get<double>() - wanted[0].template get<double>();
      EXPECT_NEAR(got.low, wanted[0], 0.03 * width) << test["name"];
      EXPECT_NEAR(got.high, wanted[1], 0.03 * width) << test["name"];
    };
    near(ceiling.a_ci, test["a_ci"]);
    near(ceiling.b_ci, test["b_ci"]);
    near(ceiling.slope_end_ci, test["slope_end_ci"]);
  }
}

// Ten published points of a single prompt: nothing can be said about a ceiling.
TEST(MeasureCeiling, DetectsNothingInTenPointsOfOnePrompt) {
  const auto cases = golden();
  const auto& sample = cases[cases.size() - 2];
  const auto d = sample["d"].get<Values>(), reward = sample["reward"].get<Values>();
  const Ceiling ceiling =
      measure_ceiling(CurveForm::kBestOfN, {d, reward}, {.resamples = 2000}).value();
  EXPECT_NEAR(ceiling.fit.curve.a, 0.2917580, 6e-8);
  EXPECT_NEAR(ceiling.fit.curve.b, 0.0147824, 6e-8);
  EXPECT_NEAR(ceiling.fit.rss, 1.12523, 6e-6);
  EXPECT_FALSE(ceiling.detected);
  EXPECT_LT(ceiling.b_ci.low, 0);
  EXPECT_EQ(ceiling.d_star_ci.high, kInfinity);
  EXPECT_FALSE(measure_ceiling(CurveForm::kRl, {Values{1, 2, 3}, Values{1, 2, 3}}, {}));
}

// Prompts that share a curve but for their own a and b, points of one prompt with a common error.
struct Prompts {
  Values d, reward;
  Clusters cluster;
  CurveData data() const { return {d, reward, cluster}; }
};

Prompts planted(CurveForm form, const CurveCoefficients& truth, const Values& grid,
                std::size_t prompts, Stream& stream) {
  const auto normal = [&] { return normal_draw(stream); };
  Prompts result;
  for (std::size_t p = 0; p < prompts; ++p) {
    const CurveCoefficients own{truth.a + 0.3 * normal(), truth.b + 0.06 * normal()};
    const double common = 0.2 * normal();
    for (const double d : grid) {
      result.d.push_back(d);
      result.reward.push_back(curve_value(form, own, d) + d * common + 0.3 * normal());
      result.cluster.push_back(static_cast<std::uint32_t>(p));
    }
  }
  return result;
}

const Values kRlGrid = {1, 2, 3, 4, 6, 8, 10, 12};

TEST(MeasureCeiling, FindsAPlantedCeiling) {
  Stream stream(2, "planted", 2);
  const Prompts run = planted(CurveForm::kRl, {1, 0.5}, kRlGrid, 200, stream);
  const Ceiling ceiling = measure_ceiling(CurveForm::kRl, run.data(), {.resamples = 1000}).value();
  const double truth = curve_peak(CurveForm::kRl, {1, 0.5});
  EXPECT_TRUE(ceiling.detected);
  EXPECT_NEAR(ceiling.d_star, truth, 0.15 * truth);
  EXPECT_NEAR(ceiling.r_star, curve_value(CurveForm::kRl, {1, 0.5}, truth), 0.2);
  EXPECT_LT(ceiling.d_star_ci.low, ceiling.d_star);
  EXPECT_GT(ceiling.d_star_ci.high, ceiling.d_star);
  EXPECT_LT(ceiling.slope_end_ci.high, 0);
  EXPECT_EQ(ceiling.clusters, 200U);
}

TEST(MeasureCeiling, IsTheSameWithAnyNumberOfThreads) {
  Stream stream(2, "planted", 1);
  const Prompts run = planted(CurveForm::kBestOfN, {1, 0.3}, {1, 2, 3}, 20, stream);
  const auto measured = [&](int threads) {
    return measure_ceiling(CurveForm::kBestOfN, run.data(), {.resamples = 500, .threads = threads})
        ->d_star_ci;
  };
  EXPECT_EQ(measured(1).low, measured(4).low);
  EXPECT_EQ(measured(1).high, measured(4).high);
}

TEST(MeasureCeiling, NeedsTwoPrompts) {
  const Clusters one = {0, 0, 0};
  EXPECT_FALSE(measure_ceiling(CurveForm::kRl, {Values{1, 2, 3}, Values{1, 1, 1}, one}, {}));
}

TEST(ChooseForm, FindsTheFormThatWasPlanted) {
  for (std::uint64_t run = 0; run < 20; ++run) {
    Stream stream(5, "choose", run);
    const CurveForm truth = run % 2 == 0 ? CurveForm::kRl : CurveForm::kBestOfN;
    const CurveCoefficients curve =
        truth == CurveForm::kRl ? CurveCoefficients{1, 0.4} : CurveCoefficients{1, 0.06};
    const Prompts prompts = planted(truth, curve, kRlGrid, 300, stream);
    const FormChoice choice = choose_form(prompts.data(), {.resamples = 200}).value();
    EXPECT_EQ(choice.form, truth);
    EXPECT_GT(choice.support, 0.9);
  }
}

TEST(ChooseForm, HasLittleSupportWhereTheCurveIsALine) {
  double support = 0;
  for (std::uint64_t run = 0; run < 40; ++run) {
    Stream stream(5, "line", run);
    const Prompts prompts = planted(CurveForm::kRl, {1, 0}, kRlGrid, 100, stream);
    support += choose_form(prompts.data(), {.resamples = 100})->support / 40;
  }
  EXPECT_LT(support, 0.9);
}

TEST(ChooseForm, IsExactOnCurvesWithoutNoise) {
  for (const auto& test : golden()) {
    if (test["rss"] > 1e-20) continue;
    const auto d = test["d"].get<Values>(), reward = test["reward"].get<Values>();
    const FormChoice choice = choose_form({d, reward}, {.resamples = 200}).value();
    EXPECT_EQ(choice.form, form_of(test["form"]));
    EXPECT_GT(choice.support, 0.99);
    const auto errors = extrapolation_error({d, reward}).value();
    EXPECT_LT(errors[static_cast<std::size_t>(choice.form)], 1e-20);
    EXPECT_GT(errors[1 - static_cast<std::size_t>(choice.form)], 1e-4);
  }
}

TEST(ChooseForm, IsUndefinedWhereBothFormsMeetThePoints) {
  EXPECT_FALSE(choose_form({Values{1, 2, 0}, Values{1, 2, 0}}, {}));
  EXPECT_FALSE(choose_form({Values{}, Values{}}, {}));
  EXPECT_FALSE(choose_form({Values{1, 2, 3}, Values{1, 2, kInfinity}}, {}));
  EXPECT_TRUE(choose_form({Values{1, 2, 3}, Values{1, 2, 2.5}}, {.resamples = 100}));
}

TEST(ExtrapolationError, IsUndefinedWhereNothingCanBeHeldOut) {
  EXPECT_FALSE(extrapolation_error({Values{1, 2}, Values{1, 2}}));
  EXPECT_FALSE(extrapolation_error({Values{}, Values{}}));
  EXPECT_FALSE(
      extrapolation_error({Values{1, 2, 3, 10}, Values{1, 2, 3, 4}, Clusters{0, 0, 0, 0}}));
  EXPECT_TRUE(extrapolation_error({Values{1, 2, 3, 10}, Values{1, 2, 3, 4}}));
}

}  // namespace
}  // namespace plumb::stats
