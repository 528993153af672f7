#include "plumb/stats/prevalence.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

// tests/golden/evals.py
TEST(Prevalence, IsThatOfRoganAndGladenWithTheIntervalOfLangAndReiczigel) {
  std::ifstream file("tests/golden/evals.json");
  ASSERT_TRUE(file) << "run from the repository root";
  const auto golden = nlohmann::json::parse(file);
  for (const auto& c : golden["prevalence"]) {
    const auto& n = c["counts"];
    const auto found =
        corrected_prevalence({n[0], n[1]}, {n[2], n[3]}, {n[4], n[5]}, c["level"].get<double>());
    ASSERT_TRUE(found) << c;
    EXPECT_NEAR(found->value, c["value"].get<double>(), 1e-12);
    EXPECT_NEAR(found->ci.low, c["low"].get<double>(), 1e-9);
    EXPECT_NEAR(found->ci.high, c["high"].get<double>(), 1e-9);
  }
}

// By hand: a test without errors changes nothing.
TEST(Prevalence, OfAPerfectTestIsTheShareThatItFinds) {
  const auto found = corrected_prevalence({30, 100}, {1000, 1000}, {1000, 1000}, 0.95);
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->value, 0.3);
}

TEST(Prevalence, IsUndefinedWhereTheTestTellsNothing) {
  EXPECT_EQ(corrected_prevalence({3, 10}, {5, 10}, {5, 10}, 0.95).error().reason,
            "the test is no better than chance");
  EXPECT_FALSE(corrected_prevalence({0, 0}, {9, 10}, {9, 10}, 0.95));
  EXPECT_FALSE(corrected_prevalence({3, 10}, {0, 0}, {9, 10}, 0.95));
  EXPECT_FALSE(corrected_prevalence({3, 10}, {9, 10}, {0, 0}, 0.95));
}

TEST(Prevalence, IsUndefinedWhereTheTestErrsDifferentlyThanItDidWhereItWasMeasured) {
  EXPECT_EQ(corrected_prevalence({2, 250}, {90, 100}, {60, 100}, 0.95).error().reason,
            "less is found than the test's own false alarms; its errors differ here");
  EXPECT_EQ(corrected_prevalence({248, 250}, {60, 100}, {90, 100}, 0.95).error().reason,
            "more is found than the test could; its errors differ here");
}

std::size_t count_below(Stream& stream, std::size_t trials, double share) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < trials; ++i) count += stream.uniform() < share ? 1 : 0;
  return count;
}

TEST(Prevalence, IntervalCoversTheTruthAsOftenAsItSays) {
  constexpr std::size_t kRuns = 2000;
  std::size_t covered = 0;
  for (std::size_t run = 0; run < kRuns; ++run) {
    Stream stream(5, "prevalence test", run);
    const double found = 0.2 * 0.9 + 0.8 * (1 - 0.85);
    const auto positives = static_cast<double>(count_below(stream, 250, found));
    const auto sensitive = static_cast<double>(count_below(stream, 100, 0.9));
    const auto specific = static_cast<double>(count_below(stream, 120, 0.85));
    const auto p = corrected_prevalence({positives, 250}, {sensitive, 100}, {specific, 120}, 0.95);
    covered += p && p->ci.low <= 0.2 && 0.2 <= p->ci.high ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kRuns, 0.95, 0.02);
}

RC_GTEST_PROP(Prevalence, StaysInsideItsIntervalAndTheUnit, ()) {
  const auto share = [] {
    const auto trials = *rc::gen::inRange(1, 200);
    return Successes{static_cast<double>(*rc::gen::inRange(0, trials + 1)),
                     static_cast<double>(trials)};
  };
  const auto p = corrected_prevalence(share(), share(), share(), 0.95);
  if (!p) return;
  RC_ASSERT(0 <= p->ci.low && p->ci.low <= p->value);
  RC_ASSERT(p->value <= p->ci.high && p->ci.high <= 1);
}

}  // namespace
}  // namespace plumb::stats
