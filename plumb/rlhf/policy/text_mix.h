// Texts whose likelihood a policy keeps in view while it learns from a reward: the pretraining mix
// of Ouyang et al. 2022 ("PPO-ptx"). The loss of a step is then
//
//   the method's loss + weight * mean over tokens of -log pi(token)
//
// over the completions of `batch` texts, drawn step after step without repetition (prompts.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/nn/trainer.h"
#include "plumb/rlhf/policy/sequences.h"
#include "plumb/rlhf/samples.h"

namespace plumb::rlhf {

struct TextMix {
  std::vector<Sequence> texts = {};
  double weight = 0;
  std::size_t batch = 16;
  std::uint64_t seed = 0;

  bool empty() const { return texts.empty() || weight == 0; }
};

// Samples as sequences, the end token last where they ended. kBadInput: a text that the tokenizer
// refuses. Those beyond the context, and without a token of their own, are left out.
Result<std::vector<Sequence>> sequences_of(std::span<const Sample> samples,
                                           const lm::LanguageModel& model);

// Of a manifest: the weight, the batch and the hash of the texts' tokens.
Json mix_json(const TextMix& mix);

// As accumulate() of sequences.h, with the gradient of the mix of step `number` beside it.
void accumulate_with_mix(nn::Trainer& trainer, const SequenceBatch& batch, std::size_t part,
                         std::span<const double> d_log_probs, const TextMix& mix,
                         std::size_t number);

}  // namespace plumb::rlhf
