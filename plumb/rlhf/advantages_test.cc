#include "plumb/rlhf/advantages.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

namespace plumb::rlhf {
namespace {

using Values = std::vector<double>;

constexpr double kGolden = 6e-7;

Values left_out(const Values& rewards, std::size_t group) {
  Values advantages(rewards.size());
  leave_one_out(rewards, group, advantages);
  return advantages;
}

Values normalised(const Values& rewards, const GroupNormalisation& how) {
  Values advantages(rewards.size());
  group_normalised(rewards, rewards.size(), how, advantages);
  return advantages;
}

void expect_near(const Values& values, const Values& wanted, double tolerance = kGolden) {
  ASSERT_EQ(values.size(), wanted.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], wanted[i], tolerance) << i;
}

TEST(LeaveOneOut, HasTheKnownValues) {
  expect_near(left_out({1, 0, 0.5, 0.5}, 4), {2.0 / 3, -2.0 / 3, 0, 0});
  expect_near(left_out({1, 0, 0.5, 0.5}, 2), {1, -1, 0, 0});
}

// NumPy 1.24.2 with ddof 1 and 0.
TEST(GroupNormalised, HasTheKnownValuesOfEachConvention) {
  const Values rewards = {1, 0, 0.5, 0.5};
  expect_near(normalised(rewards, {}), {1.224445, -1.224445, 0, 0});
  expect_near(normalised(rewards, {.epsilon = 1e-9}), {1.224745, -1.224745, 0, 0});
  expect_near(normalised(rewards, {.variance = Variance::kPopulation}),
              {1.413814, -1.413814, 0, 0});
  expect_near(normalised(rewards, {.divide = false}), {0.5, -0.5, 0, 0});
}

TEST(GroupNormalised, OfEqualRewardsIsZero) {
  expect_near(normalised({0.3, 0.3, 0.3}, {.epsilon = 0}), {0, 0, 0}, 0);
  expect_near(normalised({0.3}, {}), {0}, 0);
}

RC_GTEST_PROP(Advantages, OfAGroupSumToZero, ()) {
  Values rewards;
  for (const int tenths : *rc::gen::container<std::vector<int>>(6, rc::gen::inRange(-50, 51))) {
    rewards.push_back(tenths / 10.0);
  }
  const auto groups_sum_to_zero = [](const Values& advantages) {
    return std::abs(advantages[0] + advantages[1] + advantages[2]) < 1e-9 &&
           std::abs(advantages[3] + advantages[4] + advantages[5]) < 1e-9;
  };
  RC_ASSERT(groups_sum_to_zero(left_out(rewards, 3)));
  Values grpo(6);
  group_normalised(rewards, 3, {}, grpo);
  RC_ASSERT(groups_sum_to_zero(grpo));
}

TEST(GeneralisedAdvantages, HaveTheKnownValues) {
  const Values rewards = {0, 0, 0, 1}, values = {0.1, 0.2, 0.3, 0.4};
  Values advantages(4), returns(4);
  generalised_advantages(rewards, values, 1, 0.95, advantages, returns);
  expect_near(advantages, {0.799675, 0.7365, 0.67, 0.6});
  expect_near(returns, {0.899675, 0.9365, 0.97, 1});
}

TEST(GeneralisedAdvantages, WithLambdaOneAreReturnsLessValues) {
  Values advantages(3);
  generalised_advantages(Values{1, 2, 4}, Values{5, 6, 7}, 1, 1, advantages, {});
  expect_near(advantages, {2, 0, -3}, 1e-12);
}

// A reference implementation rewards divergence by the sign of its k1.
TEST(KlPenalty, LowersTheRewardOfWhatLeavesTheReference) {
  const Values away = {0.5, 1.0}, towards = {-0.5, 0.1};
  EXPECT_NEAR(penalised_reward(2, away, 0.1), 1.85, 1e-12);
  EXPECT_GT(penalised_reward(2, towards, 0.1), penalised_reward(2, away, 0.1));
  Values rewards(2);
  token_rewards(2, away, 0.1, rewards);
  expect_near(rewards, {-0.05, 1.9}, 1e-12);
  EXPECT_NEAR(rewards[0] + rewards[1], penalised_reward(2, away, 0.1), 1e-12);
}

TEST(Whiten, DividesByTheVarianceThatIsNamedAndLeavesPaddingOut) {
  const std::vector<std::uint8_t> mask = {1, 1, 1, 0};
  Values sample = {1, 2, 3, 1000}, population = sample, shifted = sample;
  whiten(sample, mask, {.epsilon = 0});
  expect_near(sample, {-1, 0, 1, 0}, 1e-12);
  whiten(population, mask, {.variance = Variance::kPopulation, .epsilon = 0});
  expect_near(population, {-std::sqrt(1.5), 0, std::sqrt(1.5), 0}, 1e-12);
  whiten(shifted, mask, {.keep_mean = true, .epsilon = 0});
  expect_near(shifted, {1, 2, 3, 0}, 1e-12);
  Values single = {5};
  whiten(single, std::vector<std::uint8_t>{1}, {});
  EXPECT_EQ(single[0], 5);
}

}  // namespace
}  // namespace plumb::rlhf
