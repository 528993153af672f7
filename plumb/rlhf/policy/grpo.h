// Group relative policy optimisation (Shao et al. 2024): rewards are normalised within the
// completions of a prompt, ratios are clipped token by token, and the divergence from the reference
// is a term of the loss, not of the reward.
//
//   A_i = (r_i - mean) / (standard deviation + epsilon)   over the completions of its prompt
//   loss = mean_i mean_t [-min(rho_it A_i, clip(rho_it, 1 - e, 1 + e) A_i) + beta k3_it]
//
// The mean over the tokens of each completion makes a long bad completion cheap; the other means
// are those of DAPO (all tokens) and Dr. GRPO (a constant, and no division by the deviation).
#pragma once

#include "plumb/rlhf/advantages.h"
#include "plumb/rlhf/policy/learner.h"
#include "plumb/rlhf/policy_losses.h"

namespace plumb::rlhf {

struct GrpoUpdateOptions {
  GroupNormalisation normalisation = {};
  double clip_low = 0.2, clip_high = 0.2;
  TokenMean mean = TokenMean::kCompletion;
  std::size_t epochs = 1;  // steps an update
};

// REQUIRES: rewards [B] of its completions.
Update grpo_update(const Rollout& rollout, std::span<const double> rewards, double beta, float rate,
                   const GrpoUpdateOptions& options, Learner& learner);

}  // namespace plumb::rlhf
