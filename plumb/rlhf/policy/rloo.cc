#include "plumb/rlhf/policy/rloo.h"

#include <cmath>

#include "plumb/rlhf/advantages.h"

namespace plumb::rlhf {

Update rloo_update(const Rollout& rollout, std::span<const double> rewards, double beta, float rate,
                   const RlooOptions& options, Learner& learner) {
  const SequenceBatch& batch = rollout.batch;
  const std::vector<double>& old = rollout.scores.log_probs;
  std::vector<double> returns(rollout.size()), advantages(rollout.size());
  for (std::size_t i = 0; i < returns.size(); ++i) {
    returns[i] = penalised_reward(rewards[i], rollout.log_ratios(i), beta);
  }
  leave_one_out(returns, rollout.group, advantages);

  Update update;
  std::vector<double> log_probs = old, gradient(batch.cells());
  for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) {
    if (epoch > 0) learner.log_probs(batch, 0, log_probs);
    const PolicyLoss loss =
        rloo_loss(batch.mask(), log_probs, old, advantages, options.clip, gradient);
    if (epoch == 0) update.loss = loss.value;
    update.clipped = loss.clipped;
    update.gradient_norm = learner.step(batch, 0, gradient, rate);
    if (!std::isfinite(update.gradient_norm)) break;
  }
  return update;
}

}  // namespace plumb::rlhf
