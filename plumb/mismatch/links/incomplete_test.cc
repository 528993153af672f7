// Links of samples that lack what others have.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "plumb/mismatch/links/links_testing.h"
#include "plumb/mismatch/links/planted.h"

namespace plumb::mismatch {
namespace {

using testing::report_of;
using testing::row;
using testing::table_of;

// Pairs that differ in gold in 3 of 24 prompts: the share of pairs is one of 3 prompts.
TEST(Links, NCountsThePromptsThatHaveAValue) {
  Stream stream(5, "sparse", 0);
  std::vector<rlhf::Sample> sparse;
  for (const unsigned step : {0U, 10U, 20U, 30U, 40U}) {
    for (std::size_t p = 0; p < 24; ++p) {
      for (std::size_t i = 0; i < 4; ++i) {
        const bool best = i == 0 && (p < 3 || (step > 0 && p < 20));
        sparse.push_back({.step = step,
                          .prompt = fmt::format("p{}", p),
                          .completion = fmt::format("c{}", i),
                          .tokens = 5,
                          .proxy = best ? 3 : stream.uniform() + 0.01 * step,
                          .gold = best ? 1.0 : 0.0});
      }
    }
  }
  const LinkReport report = report_of(table_of(sparse));
  const LinkRow start = row(report, "pairs ordered right at the start");
  EXPECT_EQ(start.n, 3U);
  EXPECT_NEAR(start.ci->low, 3 / (3 + 3.841459), 1e-6);  // Wilson's interval of 3 of 3
  EXPECT_EQ(start.verdict, Verdict::kInsufficient);
  EXPECT_NE(start.note.find("no verdict from 3 prompts"), std::string::npos) << start.note;
  EXPECT_EQ(row(report, "tau within prompts at the start").verdict, Verdict::kInsufficient);
  EXPECT_EQ(row(report, "pairs ordered right, since the start").n, 3U);
  EXPECT_EQ(row(report, "pairs ordered right at the end").n, 20U);
  EXPECT_EQ(row(report, "gold per proxy, later half").n, 24U);
  EXPECT_EQ(report.verdicts[0].links[1], Verdict::kInsufficient);
}

TEST(Links, HaveNoVerdictOnAGoldThatTheWorstAnswersLack) {
  Stream stream(1, "lacking", 0);
  SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  const Verdict whole = row(report_of(table), "gold per proxy, later half").verdict.value();
  EXPECT_EQ(whole, Verdict::kAligned);
  for (const SampleGroup& group : table.at_step(table.steps.size() - 1)) {
    *std::min_element(table.gold.begin() + static_cast<std::ptrdiff_t>(group.begin),
                      table.gold.begin() + static_cast<std::ptrdiff_t>(group.end)) = std::nan("");
  }
  const LinkReport report = report_of(table);
  EXPECT_EQ(row(report, "slope of the gold at the end").reason, kTooMuchMissing);
  EXPECT_EQ(row(report, "ceiling d*").reason, kTooMuchMissing);
  for (const char* measure :
       {"gold per proxy, later half", "gold with the reward", "gold, end less start"}) {
    EXPECT_EQ(row(report, measure).verdict, Verdict::kInsufficient) << measure;
    EXPECT_NE(row(report, measure).note.find("no verdict: 60 of 5280 samples lack \"gold\""),
              std::string::npos)
        << row(report, measure).note;
  }
  // Before anything was optimised nothing is missing.
  EXPECT_NE(row(report, "pairs ordered right at the start").verdict, Verdict::kInsufficient);
  ASSERT_EQ(report.runs[0].missing.size(), 1U);
  EXPECT_TRUE(report.runs[0].missing[0].starts_with("\"gold\" is missing in 60 of 5280 samples"));
  EXPECT_NE(report.sentence.find("(A) are not settled"), std::string::npos);
}

// A direction by the sign test alone is a verdict like any other.
TEST(Links, HaveNoDirectionOfSignsWhereGoldIsMissing) {
  RunDraws run;
  run.name = "run";
  run.lacking = {{.field = "gold", .missing = 10, .samples = 100, .lacking = {{20, 10, 50}}}};
  std::vector<LinkRow> rows = {{.link = Link::kA, .run = "run", .measure = "gold per proxy"}};
  rows[0].of = "prompts";
  rows[0].verdict = Verdict::kAligned;
  rows[0].tested = true;
  withhold_incomplete(rows, run);
  EXPECT_EQ(rows[0].verdict, Verdict::kInsufficient);
  EXPECT_EQ(rows[0].note, "no verdict: 10 of 100 samples lack \"gold\"");
}

// At the end the proxy of ten prompts that lack gold is far off: the gap is of the others.
TEST(Links, CompareProxyAndGoldOfTheSamePrompts) {
  Stream stream(1, "paired", 0);
  SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  for (const SampleGroup& group : table.groups) {
    if (group.prompt >= 10) continue;
    for (std::size_t i = group.begin; i < group.end; ++i) {
      table.gold[i] = std::nan("");
      if (group.step > 0) table.proxy[i] += 1000;
    }
  }
  const LinkReport report = report_of(table);
  EXPECT_LT(*row(report, "gap at the end").estimate, 5);
  EXPECT_GT(*row(report, "gold per proxy").estimate, 0.3);
  EXPECT_EQ(row(report, "gap at the end").n, 50U);
  EXPECT_EQ(row(report, "gold per proxy").n, 50U);
}

TEST(SwapTests, CompareNothingWhereGoldIsMissing) {
  Stream stream(1, "lacking", 0);
  SampleTable table = testing::NoiseWorld{}.log().draw(stream);
  table.gold[3] = std::nan("");
  const SwapReport few = swap_tests({.run = &table}, {.resamples = 20});
  EXPECT_EQ(few.notes.at(0), "Swap tests: 1 of 5280 samples lack gold; gains are of the rest.");
  for (std::size_t i = 0; i < 50; ++i) table.gold[8 * i] = std::nan("");
  const SwapReport many = swap_tests({.run = &table}, {.resamples = 20});
  EXPECT_TRUE(many.stages.empty());
  EXPECT_EQ(many.reason, "51 of 5280 samples lack gold, more than 5 % of a step's");
}

TEST(Seeds, AreNotOneTrainingInAnotherOrder) {
  std::vector<rlhf::Sample> samples;
  for (std::size_t i = 0; i < 96; ++i) {
    samples.push_back({.step = 10 * (i % 2),
                       .prompt = fmt::format("p{}", i % 12),
                       .completion = fmt::format("c{}", i),
                       .proxy = static_cast<double>(i % 7),
                       .gold = static_cast<double>(i % 5)});
  }
  const RunDraws one = draw_run("a", table_of(samples), 0, {.resamples = 20}).value();
  std::ranges::reverse(samples);
  const RunDraws other = draw_run("b", table_of(samples), 0, {.resamples = 20}).value();
  const auto pooled = pool_runs(std::vector{one, other}, "all", {.resamples = 20});
  ASSERT_FALSE(pooled);
  EXPECT_NE(pooled.error().message.find("holds the same samples as"), std::string::npos);
}

}  // namespace
}  // namespace plumb::mismatch
