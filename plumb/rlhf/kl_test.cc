#include "plumb/rlhf/kl.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/rlhf/kl_controller.h"

namespace plumb::rlhf {
namespace {

using Values = std::vector<double>;

constexpr double kGolden = 6e-7;

const Values kPolicy = {0.5, 0.3, 0.2}, kReference = {0.2, 0.5, 0.3};

Values logs(const Values& shares) {
  Values result;
  for (const double share : shares) result.push_back(std::log(share));
  return result;
}

// E over the policy of an estimator of one token.
double expected(const std::function<double(double)>& estimator) {
  double sum = 0;
  for (std::size_t v = 0; v < kPolicy.size(); ++v) {
    sum += kPolicy[v] * estimator(std::log(kPolicy[v] / kReference[v]));
  }
  return sum;
}

double variance(const std::function<double(double)>& estimator) {
  const double mean = expected(estimator);
  return expected([&](double l) { return (estimator(l) - mean) * (estimator(l) - mean); });
}

double k1_value(double l) { return k1(l).value; }
double k2_value(double l) { return k2(l).value; }
double k3_value(double l) { return k3(l).value; }

// By exact summation in Python over the two distributions.
TEST(KlEstimators, HaveTheKnownExpectationsAndVariances) {
  EXPECT_NEAR(exact_kl(logs(kPolicy), logs(kReference)), 0.223805, kGolden);
  EXPECT_NEAR(expected(k1_value), 0.223805, kGolden);
  EXPECT_NEAR(expected(k2_value), 0.265479, kGolden);
  EXPECT_NEAR(expected(k3_value), 0.223805, kGolden);
  EXPECT_NEAR(variance(k1_value), 0.48087, 6e-6);
  EXPECT_NEAR(variance(k2_value), 0.02409, 6e-6);
  EXPECT_NEAR(variance(k3_value), 0.00900, 6e-6);
}

// Three defects of reference code, each of which these figures would show: k1 clamped at 0 is twice
// too large; k3 of the flipped ratio is the chi-square distance less KL; a flipped k1 is -KL.
TEST(KlEstimators, AreNeitherClampedNorFlipped) {
  EXPECT_NEAR(expected([](double l) { return std::max(k1(l).value, 0.0); }), 0.458145, kGolden);
  EXPECT_NEAR(expected([](double l) { return k3(-l).value; }), 0.339529, kGolden);
  EXPECT_LT(k1(-1).value, 0);
  EXPECT_GT(expected(k1_value), 0);
}

TEST(KlEstimators, KeepTheirDigitsForSmallRatios) {
  EXPECT_NEAR(k3(1e-4).value, 5e-9, 5e-9 * 1e-3);
  EXPECT_NEAR(k3(1e-9).value, 5e-19, 5e-19);
  EXPECT_EQ(k3(0).value, 0);
  EXPECT_EQ(k3(0).slope, 0);
}

RC_GTEST_PROP(KlEstimators, HaveTheirNumericGradient, ()) {
  const double l = *rc::gen::inRange(-400, 401) / 100.0;
  for (const auto estimator : {k1, k2, k3}) {
    const double numeric = (estimator(l + 1e-5).value - estimator(l - 1e-5).value) / 2e-5;
    RC_ASSERT(std::abs(estimator(l).slope - numeric) < 1e-5 * (1 + std::abs(numeric)));
  }
}

std::vector<float> random_logits(std::size_t size, Stream& stream) {
  std::vector<float> logits(size);
  for (float& logit : logits) logit = static_cast<float>(20 * stream.uniform() - 10);
  return logits;
}

RC_GTEST_PROP(ExactKl, IsExactlyZeroForTheSameLogitsAndPositiveElse, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "kl", 0);
  const auto policy = random_logits(512, stream), reference = random_logits(512, stream);
  RC_ASSERT(exact_kl(policy, policy, 0.7) == 0);
  RC_ASSERT(exact_kl(policy, reference, 0.7) > 0);
}

RC_GTEST_PROP(ExactKl, HasItsNumericGradient, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "kl", 1);
  Values policy(6), reference(6), gradient(6);
  for (double& logit : policy) logit = 4 * stream.uniform();
  for (double& logit : reference) logit = 4 * stream.uniform();
  exact_kl(policy, reference, 0.7, gradient);
  for (std::size_t v = 0; v < policy.size(); ++v) {
    Values up = policy, down = policy;
    up[v] += 1e-5;
    down[v] -= 1e-5;
    const double numeric = (exact_kl(up, reference, 0.7) - exact_kl(down, reference, 0.7)) / 2e-5;
    RC_ASSERT(std::abs(gradient[v] - numeric) < 1e-8);
  }
}

TEST(ExactKl, TakesTokensThatCannotBeDrawn) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  EXPECT_NEAR(exact_kl(Values{0, kNever}, Values{0, 0}), std::log(2), 1e-12);
  EXPECT_EQ(exact_kl(Values{0, 0}, Values{0, kNever}), std::numeric_limits<double>::infinity());
  EXPECT_NEAR(exact_kl(Values{0, -5000}, Values{0, -9000}), 0, 1e-12);
}

// Draws of tokens at this temperature, scored at temperature 1.
Result<void> checked(double temperature) {
  Values sums, exact;
  const Values policy = {0.5, 0.3, 0.2};
  Values drawn;
  double total = 0;
  for (const double share : policy) total += drawn.emplace_back(std::pow(share, 1 / temperature));
  Stream stream(5, "kl-check", 0);
  for (int i = 0; i < 2000; ++i) {
    double left = total * stream.uniform();
    std::size_t v = 0;
    while (v + 1 < drawn.size() && left >= drawn[v]) left -= drawn[v++];
    sums.push_back(std::log(policy[v] / kReference[v]));
    exact.push_back(exact_kl(logs(policy), logs(kReference)));
  }
  return check_kl(sums, exact);
}

TEST(CheckKl, AcceptsTheRightSamplerAndRefusesAnotherTemperature) {
  EXPECT_TRUE(checked(1));
  const auto refused = checked(0.5);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("temperature"), std::string::npos);
}

TEST(CheckKl, AcceptsIdenticalModelsAndRefusesWhatIsNoNumber) {
  EXPECT_TRUE(check_kl(Values{0, 0}, Values{0, 0}));
  EXPECT_FALSE(check_kl(Values{0, std::nan("")}, Values{0, 0}));
  EXPECT_FALSE(check_kl(Values{1, 1}, Values{0, 0}));
}

TEST(AdaptiveKl, HasTheKnownPenaltyAfterThreeUpdates) {
  AdaptiveKl penalty{.beta = 0.2, .target_nats = 6, .horizon = 10000};
  for (int i = 0; i < 3; ++i) penalty.update(9, 256);
  EXPECT_NEAR(penalty.beta, 0.20308775, 1e-8);
  AdaptiveKl falling{.beta = 0.2, .target_nats = 6, .horizon = 10000};
  falling.update(5.4, 1000);
  EXPECT_NEAR(falling.beta, 0.2 * (1 - 0.1 * 0.1), 1e-12);
}

TEST(KlBudget, StopsAtTheBudgetAndSaysWhenTheMeterBroke) {
  EXPECT_EQ(check_budget(5.9, 6), KlState::kWithin);
  EXPECT_EQ(check_budget(6, 6), KlState::kSpent);
  EXPECT_EQ(check_budget(std::nan(""), 6), KlState::kBroken);
  EXPECT_EQ(check_budget(std::numeric_limits<double>::infinity(), 6), KlState::kBroken);
}

std::vector<float> random_logits(std::uint64_t index, float scale) {
  Stream stream(9, "logits", index);
  std::vector<float> logits(37);
  for (float& logit : logits) logit = scale * static_cast<float>(2 * stream.uniform() - 1);
  return logits;
}

// Against the plain formulas in double, for policies near and far from their reference.
TEST(StepScores, AreTheExactDivergenceAndTheLogProbabilities) {
  std::vector<float> scratch(37);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::vector<float> policy = random_logits(i, i % 5 == 4 ? 60.0F : 4.0F);
    std::vector<float> reference = random_logits(1000 + i, i % 5 == 4 ? 60.0F : 4.0F);
    if (i % 2 == 0) {
      const float near = std::pow(10.0F, -static_cast<float>(i % 7));
      for (std::size_t v = 0; v < 37; ++v) reference[v] = policy[v] + near * reference[v];
    }
    const Values p(policy.begin(), policy.end()), q(reference.begin(), reference.end());
    const std::size_t token = i % 37;
    const StepScores scores = step_scores(policy, reference, token, scratch);
    const auto log_sum = [](const Values& logits) {
      double sum = 0;
      for (const double logit : logits) sum += std::exp(logit - 60);
      return 60 + std::log(sum);
    };
    const double exact = exact_kl(p, q);
    EXPECT_NEAR(scores.kl, exact, 1e-5 * exact + 1e-14) << i;
    EXPECT_NEAR(scores.log_probability, p[token] - log_sum(p), 3e-6);
    EXPECT_NEAR(scores.log_probability - scores.reference_log_probability,
                p[token] - log_sum(p) - q[token] + log_sum(q), 1e-6)
        << i;
    double entropy = 0;
    for (const double logit : p) entropy -= std::exp(logit - log_sum(p)) * (logit - log_sum(p));
    EXPECT_NEAR(scores.entropy, entropy, 1e-5);
  }
}

TEST(StepScores, OfEqualLogitsAreZeroToTheBitAndOfNoNumbersNone) {
  std::vector<float> scratch(37), broken = random_logits(1, 4);
  for (std::uint64_t i = 0; i < 50; ++i) {
    const std::vector<float> logits = random_logits(i, i % 2 == 0 ? 4.0F : 90.0F);
    const StepScores scores = step_scores(logits, logits, 3, scratch);
    EXPECT_EQ(scores.kl, 0);
    EXPECT_EQ(scores.log_probability, scores.reference_log_probability);
  }
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    broken[5] = bad;
    EXPECT_FALSE(std::isfinite(step_scores(broken, random_logits(2, 4), 3, scratch).kl));
  }
}

}  // namespace
}  // namespace plumb::rlhf
