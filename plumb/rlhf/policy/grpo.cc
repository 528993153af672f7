#include "plumb/rlhf/policy/grpo.h"

#include <cmath>

namespace plumb::rlhf {

Update grpo_update(const Rollout& rollout, std::span<const double> rewards, double beta, float rate,
                   const GrpoUpdateOptions& options, Learner& learner) {
  const SequenceBatch& batch = rollout.batch;
  const std::vector<double>& old = rollout.scores.log_probs;
  std::vector<double> advantages(rollout.size());
  group_normalised(rewards, rollout.group, options.normalisation, advantages);

  const GrpoOptions loss_options{.clip_low = options.clip_low,
                                 .clip_high = options.clip_high,
                                 .beta = beta,
                                 .mean = options.mean};
  Update update;
  std::vector<double> log_probs = old, gradient(batch.cells());
  for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) {
    if (epoch > 0) learner.log_probs(batch, 0, log_probs);
    const PolicyLoss loss = grpo_loss(batch.mask(), log_probs, old, rollout.scores.reference,
                                      advantages, loss_options, gradient);
    if (epoch == 0) update.loss = loss.value;
    update.clipped = loss.clipped;
    update.gradient_norm = learner.step(batch, 0, gradient, rate);
    if (!std::isfinite(update.gradient_norm)) break;
  }
  return update;
}

}  // namespace plumb::rlhf
