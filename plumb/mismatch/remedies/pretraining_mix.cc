// The pretraining mix (Ouyang et al. 2022): beside the reward a policy keeps the likelihood of
// texts from before it was optimised. The texts are the base model's own completions of the
// training prompts, which stand in for what it was trained on.
#include <fmt/format.h>

#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/rlhf/policy/text_mix.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {

Result<RemedyPath> pretraining_mix(RemedyStudy& study) {
  PLUMB_TRY(proxy, rlhf::open_reward(study.proxy().model.string()));
  PLUMB_TRY(texts, rlhf::sequences_of(study.comparisons(), study.base()));
  const rlhf::TextMix mix{.texts = std::move(texts),
                          .weight = study.options().mix_weight,
                          .batch = 16,
                          .seed = study.options().seed};
  PLUMB_TRY(path, study.optimise("pretraining-mix", *proxy, study.proxy().tokens, {.mix = &mix}));
  path.note = fmt::format("a language-model loss of weight {} on {} texts, {} a step", mix.weight,
                          mix.texts.size(), mix.batch);
  return std::move(path);
}

}  // namespace plumb::mismatch
