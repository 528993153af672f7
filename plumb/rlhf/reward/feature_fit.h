// The line over features under which comparisons are likeliest, with an L2 penalty: by L-BFGS from
// weights of 0, on all comparisons at once.
//
//   minimises  sum over groups of their loss + l2 / 2 |w|^2
//
// Of pairs under Bradley-Terry this is scikit-learn's LogisticRegression(C=1/l2,
// fit_intercept=False) on the differences of features. All losses of reward_losses.h are convex in
// the weights, so with l2 above 0 there is one optimum.
//
//   PLUMB_TRY(fit, fit_features(rows, groups, {.l2 = 1}));
#pragma once

#include <cstddef>
#include <vector>

#include "plumb/rlhf/reward/compared_texts.h"
#include "plumb/rlhf/reward/features.h"

namespace plumb::rlhf {

struct FeatureFitOptions {
  RewardLossOptions loss = {};  // its tie parameter is where the search begins
  double l2 = 1;
};

struct FeatureFit {
  std::vector<double> weights;
  double log_tie_parameter = 0;
  double first_loss = 0, last_loss = 0;  // means over groups, at weights of 0 and found; no penalty
  std::size_t iterations = 0;
  bool converged = false;  // the gradient of the mean objective is below 1e-6 everywhere
};

// kExhausted: out of memory. REQUIRES: a row a text of the groups, one group or more; l2 >= 0;
// where ties are an outcome under Rao and Kupper, a tie parameter above 0.
Result<FeatureFit> fit_features(const FeatureRows& rows, const TextGroups& groups,
                                const FeatureFitOptions& options);

}  // namespace plumb::rlhf
