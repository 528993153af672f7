// No remedy, and the smallest one: to stop.
#include <fmt/format.h>

#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {

Result<RemedyPath> plain_policy(RemedyStudy& study) {
  PLUMB_TRY(proxy, rlhf::open_reward(study.proxy().model.string()));
  PLUMB_TRY(path, study.optimise("none", *proxy, study.proxy().tokens, {}));
  path.baseline.clear();
  return std::move(path);
}

Result<RemedyPath> kl_budget(RemedyStudy& study) {
  PLUMB_TRY(proxy, rlhf::open_reward(study.proxy().model.string()));
  const double budget = study.options().kl_budget;
  PLUMB_TRY(path, study.optimise("kl-budget", *proxy, study.proxy().tokens, {.kl_budget = budget}));
  path.note = fmt::format("ended at step {}, {:.2f} nats of a budget of {}",
                          path.points.back().step, path.points.back().kl, budget);
  return std::move(path);
}

}  // namespace plumb::mismatch
