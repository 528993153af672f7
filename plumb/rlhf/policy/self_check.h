// Whether the parts of a policy training measure the same distribution, before anything is trained.
// The usual complaint about such trainings, a KL divergence below 0 or one that grows by itself, is
// a sampler that draws from something else than what is scored.
#pragma once

#include <cstdint>
#include <span>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/rlhf/policy/rollout.h"

namespace plumb::rlhf {

struct SelfTestOptions {
  std::size_t completions = 256;
  std::size_t max_tokens = 32;
  std::uint64_t seed = 0;
  float temperature = 1.0F;  // of the sampler: what a training would draw at
  int threads = 0;
};

struct SelfTest {
  std::size_t completions = 0;
  double perturbed_kl = 0, perturbed_k1 = 0;  // nats a completion
  double generator_gap = 0;  // largest difference of a token's log-probability, generator to scorer
};

// On completions of the first prompts:
//   1. the model beside itself: every divergence is 0 and every ratio 1, to the bit;
//   2. scored again: the same bits, so that the ratio of a first update is 1;
//   3. the generator's log-probabilities are the scorer's, to rounding;
//   4. the mean log-probability of what was drawn is minus the mean entropy, within 4 standard
//      errors;
//   5. of a perturbed copy: mean k1 is the mean exact divergence, within 4 standard errors.
// kInternal says which failed and by how much. REQUIRES: prompts not empty.
Result<SelfTest> self_test(const lm::LanguageModel& model, std::span<const Prompt> prompts,
                           const SelfTestOptions& options);

}  // namespace plumb::rlhf
