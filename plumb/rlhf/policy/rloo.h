// REINFORCE with the mean of the other completions of a prompt as its baseline, "leave one out"
// (Kool et al. 2019; Ahmadian et al. 2024). A completion is one action:
//
//   R_i = r_i - beta (log pi(y_i) - log ref(y_i))
//   A_i = R_i - mean of the other R_j of its prompt
//   loss = -mean_i min(rho_i A_i, clip(rho_i, 1 - e, 1 + e) A_i),  rho_i = pi(y_i) / pi_old(y_i)
//
// The first step of an update has rho = 1 and the gradient of -mean A_i log pi(y_i).
#pragma once

#include "plumb/rlhf/policy/learner.h"

namespace plumb::rlhf {

struct RlooOptions {
  double clip = 0.2;
  std::size_t epochs = 1;  // steps an update
};

// REQUIRES: rollout.group >= 2; rewards [B] of its completions.
Update rloo_update(const Rollout& rollout, std::span<const double> rewards, double beta, float rate,
                   const RlooOptions& options, Learner& learner);

}  // namespace plumb::rlhf
