// A policy that learns: its weights beside those of the reference it is measured against, the
// generator that draws from it, the passes that score it, and the optimiser. The methods (rloo.h,
// grpo.h, ppo.h, dpo.h) say what is learnt; everything they share stands here.
//
//   Learner learner(start, {.adam = {}, .threads = 0});
//   PLUMB_TRY(rollout, learner.draw(prompts, how));
//   double norm = learner.step(rollout.batch, 0, gradient, rate);
#pragma once

#include <optional>
#include <span>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/nn/generator.h"
#include "plumb/nn/trainer.h"
#include "plumb/rlhf/policy/rollout.h"
#include "plumb/rlhf/policy/sequences.h"
#include "plumb/rlhf/policy/text_mix.h"

namespace plumb::rlhf {

// AdamW as policies take it: a longer memory of squares, an epsilon that calms the first steps, and
// no decay, which would pull a policy from its reference without any reward.
inline constexpr nn::AdamOptions kPolicyAdam = {
    .beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-5F, .decay = 0, .clip = 1.0F};

struct LearnerOptions {
  nn::AdamOptions adam = kPolicyAdam;
  int threads = 0;
  const TextMix* mix = nullptr;  // beside every step; must outlive the learner
};

class Learner {
 public:
  // The policy begins as a copy of `start`, which is also the reference and must outlive the
  // learner. Throws std::bad_alloc.
  Learner(const lm::LanguageModel& start, const LearnerOptions& options);

  nn::Transformer& policy() { return policy_; }
  nn::Trainer& trainer() { return trainer_; }
  Scorer& scorer() { return scorer_; }

  // Completions of the policy as it is now, scored.
  Result<Rollout> draw(std::span<const Prompt* const> prompts, const Drawing& how);

  // Log-probabilities [B, T] of one part under the policy as it is now, into an array of all.
  void log_probs(const SequenceBatch& batch, std::size_t part, std::span<double> log_probs) {
    scorer_.log_probs(batch, part, log_probs);
  }

  // One step of the optimiser from a loss's derivative by the log-probabilities [B, T] of a part.
  // Returns the norm of the gradient; where it is not finite nothing changed.
  double step(const SequenceBatch& batch, std::size_t part, std::span<const double> d_log_probs,
              float rate);

  // After the weights were set from outside.
  void weights_changed() { stale_ = true; }

 private:
  const lm::LanguageModel& start_;
  const TextMix* mix_;
  nn::Transformer policy_;
  nn::Trainer trainer_;
  Scorer scorer_;
  nn::Generator generator_;
  bool stale_ = false;  // the generator's weights are older than the policy's
};

// What an update did, for its line of the events.
struct Update {
  double loss = 0;             // before the first step of the update
  double gradient_norm = 0;    // of the last step
  double clipped = 0;          // share of terms that the clip held back, in the last step
  Json more = Json::object();  // of the method
};

}  // namespace plumb::rlhf
