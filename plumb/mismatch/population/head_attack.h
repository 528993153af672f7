// How little its own loss says of a reward model: a scalar head that keeps the loss on validation
// pairs and ruins what best of n earns by it. The counterpart, for reward models, of the
// adversarial experiment of Lambert et al. 2020 (section 4.3), where a dynamics model kept its
// likelihood and lost its reward.
//
// Only the head moves, a vector w over the features that the network gives a text:
//
//   loss(w) = mean over pairs of log(1 + e^(-w d)),   d: features of the preferred one less the
//   other gold(w) = mean over prompts of sum_j softmax_j(k w x_j) gold_j,   a soft best of n
//
// gold(w) / deviation + weight max(0, loss(w) - loss(start) - tolerance / 2) is made small by Adam;
// of the heads on the way that keep loss(w) <= loss(start) + tolerance, the one of the least
// gold(w) is taken. The start is among them.
//
//   const RuinedHead ruined = ruin_head(problem, {});
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/reward/reward_model.h"

namespace plumb::mismatch {

struct HeadProblem {
  std::size_t width = 0, group = 0;
  std::vector<double> differences = {};  // [pairs, width]
  std::vector<double> features = {};     // [prompts, group, width]
  std::vector<double> gold = {};         // [prompts, group]
  std::vector<double> head = {};         // [width], the start
};

struct HeadAttackOptions {
  double tolerance = 0.01;  // nats that the loss may rise by
  std::size_t steps = 600;
  double sharpness = 4;  // k, in deviations of the start's scores within prompts
  double weight = 20;    // of the penalty, in deviations of the gold a nat
};

struct RuinedHead {
  std::vector<double> head = {};     // [width]
  double loss_before = 0, loss = 0;  // nats
  double gold_before = 0, gold = 0;  // of the soft best of n on the features given
};

// REQUIRES: at least one pair and one prompt; scores that differ within some prompt.
RuinedHead ruin_head(const HeadProblem& problem, const HeadAttackOptions& options);

// The two parts with their gradients by w, [width] each, added to.
double head_loss(const HeadProblem& problem, std::span<const double> head,
                 std::span<double> gradient);
double soft_gold(const HeadProblem& problem, std::span<const double> head, double sharpness,
                 std::span<double> gradient);

// [texts, width]: what the scalar head of the model reads of each text, its last token's hidden
// state. kBadInput: a text that the tokenizer refuses.
Result<std::vector<double>> head_features(const rlhf::RewardModel& model,
                                          std::span<const rlhf::Completed> texts, int threads);

}  // namespace plumb::mismatch
