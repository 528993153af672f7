// What keeps a policy near its reference: a fixed penalty, a penalty that follows a target, or a
// budget at which the run stops. Gao et al. (2023) find no better frontier with a penalty than with
// a stop, so the budget is the cheapest control.
//
//   AdaptiveKl penalty{.beta = 0.05, .target_nats = 6, .horizon = 10000};
//   penalty.update(kl_nats, completions);
#pragma once

#include <algorithm>
#include <cmath>

namespace plumb::rlhf {

// Ziegler et al. 2019, section 2.2: beta grows while the divergence is above the target, by at most
// a fifth per horizon of completions.
struct AdaptiveKl {
  double beta = 0.05;
  double target_nats = 6;
  double horizon = 10000;  // completions

  // REQUIRES: kl_nats is finite.
  void update(double kl_nats, double completions) {
    const double error = std::clamp(kl_nats / target_nats - 1, -0.2, 0.2);
    beta *= 1 + error * completions / horizon;
  }
};

enum class KlState {
  kWithin,
  kSpent,   // at or above the budget: the run stops here
  kBroken,  // no number: the run stops at the last good checkpoint
};

// Against the exact divergence of whole completions (kl.h).
inline KlState check_budget(double kl_nats, double budget_nats) {
  if (!std::isfinite(kl_nats)) return KlState::kBroken;
  return kl_nats >= budget_nats ? KlState::kSpent : KlState::kWithin;
}

}  // namespace plumb::rlhf
