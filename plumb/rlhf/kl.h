// How far a policy is from its reference: estimators from sampled tokens, and the exact divergence
// of a step from the two distributions over the whole vocabulary. The exact one, summed over the
// sampled tokens, is the meter; the estimators stand beside it and serve as penalties.
//
// Everywhere l = log pi(y) - log ref(y) of a token y drawn from pi: the policy minus the reference.
// The other sign estimates minus the divergence, and rewards what it should punish. Nothing is
// clamped: a clamped k1 is biased. Nats.
#pragma once

#include <cstddef>
#include <span>

#include "plumb/base/result.h"
#include "plumb/rlhf/reward/reward_losses.h"

namespace plumb::rlhf {

// Each with its derivative by log pi(y), the sample held fixed (Schulman 2020).
Slope k1(double l);  // l: unbiased, may be negative
Slope k2(double l);  // l^2 / 2: biased, but its gradient's expectation is that of the divergence
Slope k3(double l);  // e^(-l) - 1 + l: unbiased, never negative; accurate for small l

// KL(pi || ref) of one step, from logits [vocabulary] at this temperature. Exactly 0 where the
// logits are the same. gradient: empty, or [vocabulary] for the derivative by the policy's logits.
// A token that the policy cannot draw (logit -infinity) counts nothing; one that only the reference
// cannot draw makes it infinite. REQUIRES: both of one length, not 0; temperature > 0.
double exact_kl(std::span<const float> policy_logits, std::span<const float> reference_logits,
                double temperature = 1, std::span<float> gradient = {});
double exact_kl(std::span<const double> policy_logits, std::span<const double> reference_logits,
                double temperature = 1, std::span<double> gradient = {});

// All that the meters take from one step, in one pass over the vocabulary: the log-probabilities of
// the token that was drawn, the exact divergence, and the policy's entropy, at temperature 1. Equal
// logits give equal log-probabilities and divergence 0 to the bit; the divergence is never
// negative, and its error is relative even where it is small. Not finite where a policy logit is
// not. scratch: [vocabulary], overwritten. REQUIRES: all of one length, token below it.
struct StepScores {
  double log_probability, reference_log_probability, kl, entropy;
};
StepScores step_scores(std::span<const float> policy_logits,
                       std::span<const float> reference_logits, std::size_t token,
                       std::span<float> scratch);

// Whether the sampler and the meter agree: from sequences drawn by the policy, the sums of k1 and
// of the exact divergence differ in mean by at most 4 standard errors, and all are finite.
// kInternal says what it found; the usual causes are sampling at another temperature or from a part
// of the vocabulary, and padding that was counted. REQUIRES: both of one length, at least 2.
Result<void> check_kl(std::span<const double> k1_sums, std::span<const double> exact_sums);

}  // namespace plumb::rlhf
