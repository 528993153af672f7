// A loss whose expectation over flipped labels is that over clean ones (Natarajan et al. 2013;
// rlhf/reward/reward_losses.h): what people's errors do to the reward model is undone on average.
#include <fmt/format.h>

#include <algorithm>

#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {

Result<RemedyPath> noise_robust(RemedyStudy& study) {
  // At 1/2 there is nothing to undo, and the loss has no bound just below.
  const double flips = std::min(study.options().noise, 0.45);
  rlhf::RewardLossOptions loss;
  loss.flip_rate = flips;
  PLUMB_TRY(trained, study.train_reward("noise-robust", study.preferences(), loss));
  PLUMB_TRY(reward, rlhf::open_reward(trained.model.string()));
  PLUMB_TRY(path, study.optimise("noise-robust", *reward, trained.tokens, {}));
  path.note = fmt::format("told that {} of the comparisons are wrong, as they are", flips);
  return std::move(path);
}

}  // namespace plumb::mismatch
