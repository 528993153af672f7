#include "plumb/mismatch/links/sentence.h"

#include <gtest/gtest.h>

#include "plumb/mismatch/links/links.h"

namespace plumb::mismatch {
namespace {

std::string sentence_of(const stats::Interval& reward_model, const stats::Interval& optimiser) {
  LinkReport report;
  report.verdicts.push_back({"grpo", {Verdict::kInverted, Verdict::kAligned, Verdict::kAligned}});
  report.swap = SwapReport{};
  report.swap->prompts = 60;
  const auto stage = [](std::string name, const stats::Interval& ci) {
    return SwapStage{std::move(name), {(ci.low + ci.high) / 2, ci}};
  };
  report.swap->stages = {stage("reward model", reward_model), stage("optimiser", optimiser),
                         stage("total", {0.1, 1.7})};
  return links_sentence(report);
}

TEST(Sentence, IsPlainAndEndsWithTheStageThatSurelyLosesMost) {
  EXPECT_EQ(
      sentence_of({0.3, 0.5}, {-0.1, 0.2}),
      "Reward model and policy (A) are inverted, reward model and evaluation (B) are aligned, "
      "policy and evaluation (C) are aligned; most gold is lost at the reward model (0.40 "
      "[0.30, 0.50]).");
}

TEST(Sentence, CallsNoStageTheWorstThatMayNotBe) {
  EXPECT_TRUE(sentence_of({0.2, 0.6}, {-0.1, 1.1})
                  .ends_with("; gold is lost at the reward model (0.40 [0.20, 0.60])."));
  EXPECT_TRUE(sentence_of({0.1, 0.3}, {0.2, 0.4})
                  .ends_with("; gold is lost at the optimiser (0.30 [0.20, 0.40]) and at the "
                             "reward model (0.20 [0.10, 0.30])."));
  EXPECT_TRUE(
      sentence_of({-0.1, 0.3}, {-0.2, 0.4}).ends_with("; at no stage is a loss of gold shown."));
}

TEST(Sentence, NamesNoStageByFewPrompts) {
  SwapReport swap;
  swap.prompts = 3;
  swap.stages = {{"optimiser", {0.5, stats::Interval{0.4, 0.6}}},
                 {"total", {0.5, stats::Interval{0.4, 0.6}}}};
  EXPECT_EQ(swap_sentence(swap), "where gold is lost is not settled by 3 prompts");
}

}  // namespace
}  // namespace plumb::mismatch
