#include "plumb/stats/hypothesis.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

using Values = std::vector<double>;
using Procedure = PermutationResult (*)(std::span<const double>, std::span<const double>,
                                        const PermutationOptions&);

const std::vector<Procedure> kBoth = {paired_permutation_test, label_permutation_test};

Values uniforms(std::size_t size, Stream& stream) {
  Values values(size);
  for (double& value : values) value = stream.uniform();
  return values;
}

Values any_p_values() {
  const auto tests = *rc::gen::inRange<std::size_t>(0, 30);
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "test", 0);
  Values values = uniforms(tests, stream);
  for (double& value : values) value = std::round(value * value * 50) / 50;
  return values;
}

// SciPy 1.10.1 and statsmodels 0.13.5; see the script of the same name.
nlohmann::json golden(const char* part) {
  return nlohmann::json::parse(read_file("tests/golden/hypothesis.json").value())[part];
}

void expect_equal(const nlohmann::json& test, const PermutationResult& result) {
  EXPECT_NEAR(result->difference, test["difference"], 1e-12);
  EXPECT_NEAR(result->p_value, test["p"], 1e-12);
  EXPECT_TRUE(result->exact);
}

TEST(PairedPermutationTest, EqualsSciPys) {
  for (const auto& test : golden("paired")) {
    expect_equal(test, paired_permutation_test(test["x"].get<Values>(), test["y"].get<Values>()));
  }
}

TEST(LabelPermutationTest, EqualsSciPys) {
  for (const auto& test : golden("independent")) {
    expect_equal(test, label_permutation_test(test["x"].get<Values>(), test["y"].get<Values>()));
  }
}

TEST(PermutationTest, DrawnIsNearExact) {
  Stream stream(1, "test", 0);
  const Values x = uniforms(10, stream);
  Values y = uniforms(10, stream);
  for (double& value : y) value += 0.15;
  for (const Procedure test : kBoth) {
    const Permutation exact = test(x, y, {}).value();
    const Permutation drawn = test(x, y, {.resamples = 40000, .exact_up_to = 0}).value();
    EXPECT_TRUE(exact.exact);
    EXPECT_FALSE(drawn.exact);
    EXPECT_NEAR(drawn.p_value, exact.p_value, 5 * std::sqrt(exact.p_value / 40000));
  }
}

TEST(PermutationTest, DrawnNeverGivesZero) {
  Values x(30, 1.0), y(30, 0.0);
  for (const Procedure test : kBoth) {
    EXPECT_EQ(test(x, y, {.resamples = 99})->p_value, 0.01);
    EXPECT_EQ(test(x, y, {.resamples = 0})->p_value, 1);
  }
}

TEST(PermutationTest, DoesNotDependOnTheNumberOfThreads) {
  Stream stream(2, "test", 0);
  const Values x = uniforms(100, stream), y = uniforms(100, stream);
  for (const Procedure test : kBoth) {
    const double alone = test(x, y, {.resamples = 1000, .seed = 5, .threads = 1})->p_value;
    EXPECT_EQ(test(x, y, {.resamples = 1000, .seed = 5, .threads = 2})->p_value, alone);
  }
}

TEST(PermutationTest, OfEqualSidesIsOne) {
  const Values same = {0.1, 0.2, 0.3, 0.7};
  for (const Procedure test : kBoth) EXPECT_EQ(test(same, same, {})->p_value, 1);
}

TEST(PermutationTest, TakesDifferencesThatAgreeToRoundingAsEqual) {
  // All signs of 0.1, 0.2, 0.3 against 0.1 + 0.2 - 0.3: 2 of 8 sums are 0, all others larger.
  EXPECT_EQ(paired_permutation_test(Values{0.1, 0.2, -0.3}, Values{0, 0, 0})->p_value, 1);
  EXPECT_EQ(paired_permutation_test(Values{0.1, 0.2, 0.3}, Values{0, 0, 0})->p_value, 0.25);
}

TEST(PermutationTest, IsUndefinedWithoutFiniteValues) {
  for (const Procedure test : kBoth) {
    EXPECT_FALSE(test(Values{}, Values{}, {}));
    EXPECT_EQ(test(Values{1, NAN}, Values{1, 2}, {}).error().reason, "a value is not finite");
  }
  EXPECT_EQ(label_permutation_test(Values{1}, Values{}).error().reason, "a group is empty");
}

TEST(PairedPermutationTest, RejectsATrueHypothesisAsOftenAsItSays) {
  int rejected = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Stream stream(3, "test", i);
    const Values x = uniforms(10, stream), y = uniforms(10, stream);
    rejected += paired_permutation_test(x, y)->p_value <= 0.1;
  }
  EXPECT_NEAR(rejected, 100, 48);  // five standard errors
}

TEST(McNemar, EqualsStatsmodels) {
  for (const auto& test : golden("mcnemar")) {
    const McNemar result = mcnemar(test["b"], test["c"]).value();
    EXPECT_NEAR(result.exact_p, test["exact"], 1e-12);
    EXPECT_NEAR(result.mid_p, test["mid"], 1e-12);
    EXPECT_NEAR(result.chi_square, test["chi"], 1e-12);
    EXPECT_NEAR(result.chi_square_p, test["chi_p"], 1e-12);
    EXPECT_NEAR(result.corrected, test["corrected"], 1e-12);
    EXPECT_NEAR(result.corrected_p, test["corrected_p"], 1e-12);
  }
}

TEST(McNemar, OfABalancedTableIsOne) {
  const McNemar result = mcnemar(6, 6).value();
  EXPECT_EQ(result.exact_p, 1);
  EXPECT_NEAR(result.mid_p, 1, 1e-12);
  EXPECT_EQ(result.chi_square_p, 1);
  EXPECT_EQ(result.corrected_p, 1);
}

TEST(McNemar, IsUndefinedWhereTheTwoNeverDiffer) {
  EXPECT_EQ(mcnemar(0, 0).error().reason, "the two are right on the same items");
}

TEST(Adjustment, EqualsStatsmodels) {
  for (const auto& test : golden("families")) {
    const auto p = test["p"].get<Values>();
    const Values by_holm = holm(p), by_false_discoveries = benjamini_hochberg(p);
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_NEAR(by_holm[i], test["holm"][i], 1e-15);
      EXPECT_NEAR(by_false_discoveries[i], test["benjamini_hochberg"][i], 1e-15);
    }
  }
}

TEST(Adjustment, RaisesPValuesAndKeepsTheirOrder) {
  EXPECT_TRUE(rc::check([] {
    const Values p = any_p_values();
    const Values by_holm = holm(p), by_false_discoveries = benjamini_hochberg(p);
    for (const Values& adjusted : {by_holm, by_false_discoveries}) {
      RC_ASSERT(adjusted.size() == p.size());
      for (std::size_t i = 0; i < p.size(); ++i) {
        RC_ASSERT(p[i] <= adjusted[i] && adjusted[i] <= 1);
        RC_ASSERT(by_false_discoveries[i] <= by_holm[i] + 1e-15);
        for (std::size_t j = 0; j < i; ++j) {
          if (p[i] <= p[j]) RC_ASSERT(adjusted[i] <= adjusted[j]);
        }
      }
    }
  }));
}

}  // namespace
}  // namespace plumb::stats
