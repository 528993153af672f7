// Proximal policy optimisation of completions (Schulman et al. 2017; Ziegler et al. 2019): every
// token is an action, its reward the penalty for the divergence and, at the last one, the score.
//
//   R_t = -beta (log pi(y_t) - log ref(y_t)),  and the score at the last token
//   A_t, returns: generalised advantages of R and the values (gamma = 1)
//   policy loss = mean_t max(-rho_t A_t, -clip(rho_t, 1 - e, 1 + e) A_t)
//   value loss  = c/2 mean_t max((V_t - returns_t)^2, (clip(V_t, V_old - e, V_old + e) -
//   returns_t)^2)
//
// Values are those of a network of their own, which begins as the policy's with a head of zeros.
// Advantages are whitened in each minibatch, which is part of the rollout in its order.
#pragma once

#include "plumb/rlhf/policy/learner.h"

namespace plumb::rlhf {

struct PpoOptions {
  double gamma = 1, lambda = 0.95;
  double clip = 0.2;        // of ratios
  double value_clip = 0.2;  // of values
  double value_weight = 0.1;
  float value_rate = 1;  // of the values' steps, in rates of the policy's
  bool whiten_rewards = false, whiten_advantages = true;
  std::size_t epochs = 4, minibatches = 1;
};

// One number before each token of a completion: what it will earn from there on.
class ValueModel {
 public:
  // Begins as `start` with a head of zeros. Throws std::bad_alloc.
  ValueModel(const nn::Transformer& start, const LearnerOptions& options);

  nn::Transformer& model() { return model_; }
  nn::Trainer& trainer() { return trainer_; }

  // Values [B, T] of one part, into an array of all.
  void values(const SequenceBatch& batch, std::size_t part, std::span<double> values);

  // One step from a loss's derivative by the values [B, T] of a part; returns the gradient's norm.
  double step(const SequenceBatch& batch, std::size_t part, std::span<const double> d_values,
              float rate);

 private:
  nn::Transformer model_;
  nn::Trainer trainer_;
  std::vector<nn::Pass> passes_;  // a worker each
};

// The rollout must have been drawn with parts = options.minibatches. REQUIRES: rewards [B].
// more: "value_loss", "value_gradient_norm", "explained" (share of the returns' variance that the
// values knew before the update; nothing where returns do not vary).
Update ppo_update(const Rollout& rollout, std::span<const double> rewards, double beta, float rate,
                  const PpoOptions& options, Learner& learner, ValueModel& values);

}  // namespace plumb::rlhf
