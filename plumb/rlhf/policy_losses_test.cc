#include "plumb/rlhf/policy_losses.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/rlhf/kl.h"

namespace plumb::rlhf {
namespace {

using Values = std::vector<double>;
using Mask = std::vector<std::uint8_t>;

constexpr double kGolden = 6e-7;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Three completions of 3, 1 and 2 tokens; what stands in the padding would poison any sum.
const Mask kReal = {1, 1, 1, 1, 0, 0, 1, 1, 0};
const TokenMask kMask{.sequences = 3, .tokens = 3, .real = kReal};

Values random_tokens(std::uint64_t index, double spread) {
  Stream stream(11, "policy-losses", index);
  Values values;
  for (const auto real : kReal) {
    values.push_back(real != 0 ? -1.5 + spread * (stream.uniform() - 0.5) : kNan);
  }
  return values;
}

using Loss = std::function<PolicyLoss(const Values&, Values&)>;

void expect_numeric_gradient(const Loss& loss, const Values& at) {
  Values gradient(at.size(), 7), unused(at.size());
  EXPECT_TRUE(std::isfinite(loss(at, gradient).value));
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (kReal[i] == 0) {
      EXPECT_EQ(gradient[i], 0);
      continue;
    }
    Values up = at, down = at;
    up[i] += 1e-6;
    down[i] -= 1e-6;
    const double numeric = (loss(up, unused).value - loss(down, unused).value) / 2e-6;
    EXPECT_NEAR(gradient[i], numeric, 1e-8) << i;
  }
}

TEST(PolicyLosses, HaveTheirNumericGradientAndNeverReadPadding) {
  const Values advantages = {0.8, -1.1, 0.3};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Values now = random_tokens(3 * seed, 1), old = random_tokens(3 * seed + 1, 1),
                 reference = random_tokens(3 * seed + 2, 1);
    expect_numeric_gradient(
        [&](const Values& x, Values& g) { return reinforce_loss(kMask, x, advantages, g); }, now);
    expect_numeric_gradient(
        [&](const Values& x, Values& g) { return rloo_loss(kMask, x, old, advantages, 0.2, g); },
        now);
    for (const TokenMean mean : {TokenMean::kCompletion, TokenMean::kToken, TokenMean::kConstant}) {
      expect_numeric_gradient(
          [&](const Values& x, Values& g) {
            return grpo_loss(kMask, x, old, reference, advantages,
                             {.clip_high = 0.28, .beta = 0.1, .mean = mean}, g);
          },
          now);
    }
    expect_numeric_gradient(
        [&](const Values& x, Values& g) { return ppo_loss(kMask, x, old, reference, 0.2, g); },
        now);
    expect_numeric_gradient(
        [&](const Values& x, Values& g) {
          return value_loss(kMask, x, old, reference, 0.2, 0.1, g);
        },
        now);
  }
}

TEST(PolicyLosses, HaveRatioOneOnThePolicyThatSampled) {
  const Values now = random_tokens(1, 2), advantages = {0.8, -1.1, 0.3};
  Values rloo(now.size()), reinforce(now.size());
  const PolicyLoss loss = rloo_loss(kMask, now, now, advantages, 0.2, rloo);
  EXPECT_NEAR(loss.value, -(0.8 - 1.1 + 0.3) / 3, 1e-15);
  EXPECT_EQ(loss.clipped, 0);
  reinforce_loss(kMask, now, advantages, reinforce);
  EXPECT_EQ(rloo, reinforce);
  const PolicyLoss grpo = grpo_loss(kMask, now, now, now, advantages, {.beta = 1}, rloo);
  EXPECT_EQ(grpo.penalty, 0);
}

TEST(GrpoLoss, WeighsTokensAsItsMeanSays) {
  const Values now = random_tokens(1, 0), advantages = {1, 1, -1};
  Values gradient(now.size());
  const auto value = [&](TokenMean mean) {
    return grpo_loss(kMask, now, now, {}, advantages, {.mean = mean}, gradient).value;
  };
  EXPECT_NEAR(value(TokenMean::kCompletion), -1.0 / 3, 1e-15);
  EXPECT_NEAR(value(TokenMean::kToken), -(3.0 + 1 - 2) / 6, 1e-15);
  EXPECT_NEAR(value(TokenMean::kConstant), -(3.0 + 1 - 2) / 9, 1e-15);
}

TEST(PpoLoss, ClipsOnlyWhatWouldGainByGoingOn) {
  const Mask one = {1};
  const TokenMask mask{.sequences = 1, .tokens = 1, .real = one};
  Values gradient(1);
  const auto at = [&](double ratio, double advantage) {
    return ppo_loss(mask, Values{std::log(ratio)}, Values{0}, Values{advantage}, 0.2, gradient);
  };
  EXPECT_DOUBLE_EQ(at(1.5, 1).value, -1.2);
  EXPECT_EQ(gradient[0], 0);
  EXPECT_EQ(at(1.5, 1).clipped, 1);
  EXPECT_DOUBLE_EQ(at(1.5, -1).value, 1.5);
  EXPECT_DOUBLE_EQ(gradient[0], 1.5);
  EXPECT_DOUBLE_EQ(at(0.5, -1).value, 0.8);
  EXPECT_EQ(gradient[0], 0);
}

TEST(PolicyLosses, OfABatchWithoutTokensAreZero) {
  const Mask none = {0, 0};
  const TokenMask mask{.sequences = 1, .tokens = 2, .real = none};
  const Values values = {kNan, kNan};
  Values gradient(2);
  EXPECT_EQ(ppo_loss(mask, values, values, values, 0.2, gradient).value, 0);
  EXPECT_EQ(grpo_loss(mask, values, values, values, Values{1}, {}, gradient).value, 0);
  EXPECT_EQ(gradient, (Values{0, 0}));
}

// h = 0.8, the figures of independent arithmetic in Python.
TEST(DpoLoss, HasTheKnownValues) {
  const DpoPair pair{-10, -20, -12, -14, 5, 10};  // log-ratios 2 and -6
  const auto value = [&](DpoKind kind, double e = 0) {
    return dpo_loss(pair, {.kind = kind, .beta = 0.1, .flip_rate = e}).value;
  };
  EXPECT_NEAR(value(DpoKind::kSigmoid), 0.371101, kGolden);
  EXPECT_NEAR(value(DpoKind::kConservative, 0.1), 0.451101, kGolden);
  EXPECT_NEAR(value(DpoKind::kRobust, 0.1), 0.271101, kGolden);
  EXPECT_NEAR(value(DpoKind::kHinge), 0.2, kGolden);
  EXPECT_NEAR(value(DpoKind::kIpo), 9, kGolden);
  EXPECT_NEAR(value(DpoKind::kIpoPerToken), (0.4 + 0.6 - 5) * (0.4 + 0.6 - 5), kGolden);
}

TEST(DpoLoss, ShowsTheImplicitRewardOfEachSide) {
  const DpoLoss loss = dpo_loss({-10, -20, -12, -14, 1, 1}, {});
  EXPECT_NEAR(loss.chosen_reward, 0.2, 1e-15);
  EXPECT_NEAR(loss.rejected_reward, -0.6, 1e-15);
}

TEST(DpoLoss, IsLog2AtTheReferenceAndFiniteFarFromIt) {
  EXPECT_NEAR(dpo_loss({-3, -4, -3, -4, 1, 1}, {}).value, 0.693147, kGolden);
  EXPECT_NEAR(dpo_loss({-9000, 0, 0, 0, 1, 1}, {}).value, 900, 1e-9);
}

RC_GTEST_PROP(DpoLoss, HasItsNumericGradient, ()) {
  const double chosen = *rc::gen::inRange(-300, 0) / 10.0 + 0.013,
               rejected = *rc::gen::inRange(-300, 0) / 10.0;
  for (const DpoKind kind : {DpoKind::kSigmoid, DpoKind::kConservative, DpoKind::kRobust,
                             DpoKind::kHinge, DpoKind::kIpo, DpoKind::kIpoPerToken}) {
    const DpoOptions options{.kind = kind, .beta = 0.3, .flip_rate = 0.15};
    const auto at = [&](double c, double r) { return dpo_loss({c, r, -12, -14, 5, 3}, options); };
    const DpoLoss loss = at(chosen, rejected);
    const double by_chosen =
        (at(chosen + 1e-5, rejected).value - at(chosen - 1e-5, rejected).value) / 2e-5;
    const double by_rejected =
        (at(chosen, rejected + 1e-5).value - at(chosen, rejected - 1e-5).value) / 2e-5;
    RC_ASSERT(std::abs(loss.chosen - by_chosen) < 1e-5);
    RC_ASSERT(std::abs(loss.rejected - by_rejected) < 1e-5);
  }
}

}  // namespace
}  // namespace plumb::rlhf
