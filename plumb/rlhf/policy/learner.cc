#include "plumb/rlhf/policy/learner.h"

namespace plumb::rlhf {

Learner::Learner(const lm::LanguageModel& start, const LearnerOptions& options)
    : start_(start),
      mix_(options.mix != nullptr && !options.mix->empty() ? options.mix : nullptr),
      policy_(copy_of(start.transformer)),
      trainer_(policy_, {.adam = options.adam, .threads = options.threads}),
      scorer_(policy_, start.transformer, options.threads),
      generator_(policy_) {}

Result<Rollout> Learner::draw(std::span<const Prompt* const> prompts, const Drawing& how) {
  if (stale_) generator_.refresh();
  stale_ = false;
  return rlhf::draw(start_, generator_, scorer_, prompts, how);
}

double Learner::step(const SequenceBatch& batch, std::size_t part,
                     std::span<const double> d_log_probs, float rate) {
  if (mix_ == nullptr) {
    accumulate(trainer_, batch, part, d_log_probs);
  } else {
    accumulate_with_mix(trainer_, batch, part, d_log_probs, *mix_, trainer_.optimizer().steps());
  }
  stale_ = true;
  return trainer_.step(rate);
}

}  // namespace plumb::rlhf
