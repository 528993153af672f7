#include "plumb/rlhf/policy/text_mix.h"

#include <algorithm>

#include "plumb/base/hash.h"
#include "plumb/rlhf/policy/prompts.h"

namespace plumb::rlhf {

Result<std::vector<Sequence>> sequences_of(std::span<const Sample> samples,
                                           const lm::LanguageModel& model) {
  std::vector<Sequence> sequences;
  for (const Sample& sample : samples) {
    PLUMB_TRY(prompt, model.encode(sample.prompt));
    PLUMB_TRY(whole, model.encode(sample.prompt + sample.completion));
    // The prompt ends where its tokens alone and those of both texts together part.
    const auto parting = std::ranges::mismatch(prompt, whole).in1;
    const auto length = static_cast<std::size_t>(parting - prompt.begin());
    if (sample.ended.value_or(true) && model.frame.end) whole.push_back(*model.frame.end);
    if (length == 0 || whole.size() <= length) continue;
    if (whole.size() > model.transformer.config().context) continue;
    sequences.push_back({std::move(whole), length});
  }
  return sequences;
}

Json mix_json(const TextMix& mix) {
  std::string tokens;
  for (const Sequence& text : mix.texts) {
    for (const TokenId token : text.tokens) tokens += std::to_string(token) + " ";
    tokens += std::to_string(text.prompt) + "\n";
  }
  return {{"mix_weight", mix.weight},
          {"mix_batch", mix.batch},
          {"mix_texts", mix.texts.size()},
          {"mix_sha256", sha256(tokens)}};
}

void accumulate_with_mix(nn::Trainer& trainer, const SequenceBatch& batch, std::size_t part,
                         std::span<const double> d_log_probs, const TextMix& mix,
                         std::size_t number) {
  const nn::SequenceRange range = batch.part(part);
  const auto own = batch.sequences().subspan(range.first, range.count);
  std::vector<Sequence> sequences(own.begin(), own.end());
  for (const std::size_t i : prompts_of_step(mix.texts.size(), mix.batch, number, mix.seed)) {
    sequences.push_back(mix.texts[i]);
  }
  const SequenceBatch both(std::move(sequences), 1, trainer.max_tokens());
  std::vector<double> slopes(both.cells());
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (i < range.count) {
      const auto from = batch.row(d_log_probs, range.first + i);
      std::ranges::copy(from, both.row(std::span(slopes), i).begin());
    } else {
      tokens += both.sequences()[i].completion();
    }
  }
  for (std::size_t i = range.count; i < both.size(); ++i) {
    std::ranges::fill(both.row(std::span(slopes), i), -mix.weight / static_cast<double>(tokens));
  }
  accumulate(trainer, both, 0, slopes);
}

}  // namespace plumb::rlhf
