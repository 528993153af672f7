#include "plumb/rlhf/policy/meters.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/rlhf/kl.h"
#include "plumb/rlhf/policy/testing.h"

namespace plumb::rlhf {
namespace {

// Four completions of two prompts, with scores by hand.
Rollout by_hand(const std::vector<Prompt>& prompts) {
  Rollout rollout;
  rollout.group = 2;
  for (const Prompt& prompt : prompts) rollout.prompts.push_back(&prompt);
  const std::vector<std::vector<TokenId>> completions = {
      {5, 6, 5, 6, 5, 2}, {7, 2}, {5, 6, 7}, {9, 9, 9, 9}};
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<TokenId> tokens = prompts[i / 2].tokens;
    const std::size_t prompt = tokens.size();
    tokens.insert(tokens.end(), completions[i].begin(), completions[i].end());
    sequences.push_back({tokens, prompt});
  }
  rollout.batch = SequenceBatch(std::move(sequences), 1, 64);
  rollout.texts = {"I’m sorry", "yes", "no. yes", "yes"};
  rollout.ended = {1, 1, 0, 0};
  rollout.proxy = {1, 2, 3, 6};
  for (auto* array : {&rollout.scores.log_probs, &rollout.scores.reference, &rollout.scores.kl,
                      &rollout.scores.entropy}) {
    array->assign(rollout.batch.cells(), 0.0);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t t = 0; t < completions[i].size(); ++t) {
      const std::size_t cell = i * rollout.batch.tokens() + t;
      rollout.scores.log_probs[cell] = -1;
      rollout.scores.reference[cell] = -1.5;
      rollout.scores.kl[cell] = 0.25;
      rollout.scores.entropy[cell] = 2;
    }
  }
  return rollout;
}

class MeterTest : public PolicyTest {};

TEST_F(MeterTest, AreMeansOverCompletionsOfSumsOverTokens) {
  const auto both = prompts(2);
  const Meters meters = measure(by_hand(both));
  EXPECT_EQ(meters.prompts, 2U);
  EXPECT_EQ(meters.completions, 4U);
  EXPECT_EQ(meters.tokens, 15U);
  EXPECT_DOUBLE_EQ(meters.value("proxy"), 3);
  EXPECT_EQ(meters.find("gold"), nullptr);
  EXPECT_DOUBLE_EQ(meters.value("kl"), 0.25 * 15 / 4);
  EXPECT_DOUBLE_EQ(meters.value("k1"), 0.5 * 15 / 4);
  EXPECT_DOUBLE_EQ(meters.value("k2"), 0.125 * 15 / 4);
  EXPECT_NEAR(meters.value("k3"), (std::exp(-0.5) - 0.5) * 15 / 4, 1e-12);
  EXPECT_DOUBLE_EQ(meters.value("length"), 15.0 / 4);
  EXPECT_DOUBLE_EQ(meters.value("ended"), 0.5);
  EXPECT_DOUBLE_EQ(meters.value("entropy"), 2);
  // 5 6 5, 6 5 6, 5 6 5 again, 6 5 2: a quarter; 9 9 9 twice: a half.
  EXPECT_DOUBLE_EQ(meters.value("repetition"), (0.25 + 0 + 0 + 0.5) / 4);
  EXPECT_DOUBLE_EQ(meters.value("duplicates"), 0.5);  // "yes" of both prompts
  EXPECT_DOUBLE_EQ(meters.value("refusals"), 0.5);
  const Json json = meters_json(meters);
  EXPECT_EQ(json["proxy"], 3.0);
  EXPECT_EQ(json["ended_ci"].size(), 2U);
}

// By hand from the means of the prompts, 1.5, 4.5, 2, 3, 2.5, 6, whose standard error is 0.692219,
// and 2.570582, Student's quantile in any table.
TEST_F(MeterTest, HaveIntervalsOverPrompts) {
  const std::vector<double> values = {1, 2, 3, 6, 2, 2, 4, 2, 2.5, 2.5, 5, 7};
  const auto interval = clustered_mean_interval(values, 2, 0.95);
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low, 1.470596, 1e-6);
  EXPECT_NEAR(interval->high, 5.029404, 1e-6);
  EXPECT_FALSE(clustered_mean_interval(std::vector<double>{1, 2}, 2, 0.95));
}

// Student's of the prompts' 0.125 and 0.25, 0.1875 -+ 12.706205 * 0.0625, begins below 0.
TEST_F(MeterTest, KeepSharesBetweenZeroAndOne) {
  const auto both = prompts(2);
  Rollout rollout = by_hand(both);
  const Meters seen = measure(rollout);
  const auto ci = seen.find("repetition")->ci;
  ASSERT_TRUE(ci);
  EXPECT_EQ(ci->low, 0);
  EXPECT_NEAR(ci->high, 0.981638, 1e-6);
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<TokenId> tokens = both[i / 2].tokens;
    const std::size_t prompt = tokens.size();
    tokens.insert(tokens.end(), {5, 6, 7, 8});
    sequences.push_back({tokens, prompt});
  }
  rollout.batch = SequenceBatch(std::move(sequences), 1, 64);
  const Meters never = measure(rollout);
  const auto none = never.find("repetition")->ci;
  EXPECT_EQ(none->low, 0);
  // Wilson's of 0 of 2 prompts.
  EXPECT_NEAR(none->high, 3.841459 / (2 + 3.841459), 1e-6);
}

TEST(Repetition, CountsRunsOfThreeThatStoodBefore) {
  EXPECT_EQ(repetition(std::vector<TokenId>{}), 0);
  EXPECT_EQ(repetition(std::vector<TokenId>{1, 1, 1}), 0);
  EXPECT_DOUBLE_EQ(repetition(std::vector<TokenId>{1, 1, 1, 1, 1}), 2.0 / 3);
  EXPECT_EQ(repetition(std::vector<TokenId>{1, 2, 3, 4, 5, 6}), 0);
}

}  // namespace
}  // namespace plumb::rlhf
