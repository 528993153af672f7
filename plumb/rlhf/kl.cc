#include "plumb/rlhf/kl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "plumb/nn/kernels.h"

namespace plumb::rlhf {
namespace {

constexpr double kStandardErrors = 4;

template <typename Float>
double log_sum_exp(std::span<const Float> logits, double temperature) {
  const double top = static_cast<double>(std::ranges::max(logits)) / temperature;
  double sum = 0;
  for (const Float logit : logits) sum += std::exp(static_cast<double>(logit) / temperature - top);
  return top + std::log(sum);
}

template <typename Float>
double exact_kl_of(std::span<const Float> policy, std::span<const Float> reference,
                   double temperature, std::span<Float> gradient) {
  assert(!policy.empty() && policy.size() == reference.size() && temperature > 0);
  assert(gradient.empty() || gradient.size() == policy.size());
  const double policy_norm = log_sum_exp(policy, temperature);
  const double reference_norm = log_sum_exp(reference, temperature);
  const auto log_policy = [&](std::size_t v) {
    return static_cast<double>(policy[v]) / temperature - policy_norm;
  };
  const auto log_ratio = [&](std::size_t v) {
    return log_policy(v) - (static_cast<double>(reference[v]) / temperature - reference_norm);
  };
  double kl = 0;
  for (std::size_t v = 0; v < policy.size(); ++v) {
    const double share = std::exp(log_policy(v));
    if (share > 0) kl += share * log_ratio(v);
  }
  for (std::size_t v = 0; v < gradient.size(); ++v) {
    const double share = std::exp(log_policy(v));
    gradient[v] =
        share > 0 ? static_cast<Float>(share * (log_ratio(v) - kl) / temperature) : Float{0};
  }
  return kl;
}

// e^x - 1 - x, without cancellation.
double above_tangent(double x) {
  if (std::abs(x) > 0.05) return std::exp(x) - 1 - x;
  return x * x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6 * (1 + x / 7)))));
}

// Where log ratios are too far apart for the short way.
StepScores far_step_scores(std::span<const float> policy, std::span<const float> reference,
                           std::size_t token) {
  const double log_sum = log_sum_exp(policy, 1.0), reference_sum = log_sum_exp(reference, 1.0);
  StepScores scores{static_cast<double>(policy[token]) - log_sum,
                    static_cast<double>(reference[token]) - reference_sum,
                    std::max(exact_kl_of(policy, reference, 1.0, std::span<float>()), 0.0), 0};
  if (!std::isfinite(log_sum)) scores.kl = log_sum - log_sum;
  for (const float logit : policy) {
    const double log_share = static_cast<double>(logit) - log_sum;
    const double share = std::exp(log_share);
    if (share > 0) scores.entropy -= share * log_share;
  }
  return scores;
}

}  // namespace

// With d = policy - reference logits, m its mean under the policy and x = m - d, the policy's mean
// of x is 0, and so KL = log E[e^x] = log(1 + E[e^x - 1 - x]), a sum of terms that are not
// negative.
StepScores step_scores(std::span<const float> policy_logits,
                       std::span<const float> reference_logits, std::size_t token,
                       std::span<float> scratch) {
  assert(policy_logits.size() == reference_logits.size() && token < policy_logits.size());
  assert(scratch.size() == policy_logits.size());
  std::ranges::copy(policy_logits, scratch.begin());
  const auto log_sum = static_cast<double>(nn::kernels().softmax(scratch.size(), scratch.data()));
  double total = 0, logit_sum = 0, difference_sum = 0;
  bool near = std::isfinite(log_sum);
  for (std::size_t v = 0; v < scratch.size(); ++v) {
    const auto share = static_cast<double>(scratch[v]),
               policy = static_cast<double>(policy_logits[v]);
    total += share;
    logit_sum += share * policy;
    difference_sum += share * (policy - static_cast<double>(reference_logits[v]));
    near = near && scratch[v] > 0;
  }
  const double mean = difference_sum / total;
  double above = 0;
  for (std::size_t v = 0; v < scratch.size() && near; ++v) {
    const double x =
        mean - (static_cast<double>(policy_logits[v]) - static_cast<double>(reference_logits[v]));
    above += static_cast<double>(scratch[v]) * above_tangent(x);
    near = std::abs(x) < 30;
  }
  if (!near) return far_step_scores(policy_logits, reference_logits, token);
  const double kl = std::log1p(above / total);
  const double log_ratio = static_cast<double>(policy_logits[token]) -
                           static_cast<double>(reference_logits[token]) - mean + kl;
  const double log_probability = static_cast<double>(policy_logits[token]) - log_sum;
  return {log_probability, log_probability - log_ratio, kl, log_sum - logit_sum / total};
}

Slope k1(double l) { return {l, 1}; }

Slope k2(double l) { return {l * l / 2, l}; }

Slope k3(double l) { return {std::expm1(-l) + l, -std::expm1(-l)}; }

double exact_kl(std::span<const float> policy_logits, std::span<const float> reference_logits,
                double temperature, std::span<float> gradient) {
  return exact_kl_of(policy_logits, reference_logits, temperature, gradient);
}

double exact_kl(std::span<const double> policy_logits, std::span<const double> reference_logits,
                double temperature, std::span<double> gradient) {
  return exact_kl_of(policy_logits, reference_logits, temperature, gradient);
}

Result<void> check_kl(std::span<const double> k1_sums, std::span<const double> exact_sums) {
  assert(k1_sums.size() == exact_sums.size() && k1_sums.size() >= 2);
  const auto n = static_cast<double>(k1_sums.size());
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < k1_sums.size(); ++i) mean += (k1_sums[i] - exact_sums[i]) / n;
  for (std::size_t i = 0; i < k1_sums.size(); ++i) {
    const double residual = k1_sums[i] - exact_sums[i] - mean;
    squares += residual * residual;
  }
  const double error = std::sqrt(squares / (n - 1) / n);
  if (!std::isfinite(mean) || !std::isfinite(error)) {
    return fail(ErrorKind::kInternal, "the KL divergence of a sampled sequence is not finite");
  }
  if (std::abs(mean) <= kStandardErrors * error) return {};
  return fail(
      ErrorKind::kInternal,
      fmt::format("the sampled KL is {:+.4g} nats from the exact one, standard error {:.2g}: what "
                  "samples and what scores are not the same distribution (temperature, top-k or "
                  "top-p, padding)",
                  mean, error));
}

}  // namespace plumb::rlhf
