#include "plumb/mismatch/remedies/length_control.h"

#include <fmt/format.h>

#include <map>

#include "plumb/mismatch/remedies/remedy.h"
#include "plumb/rlhf/reward/open_reward.h"

namespace plumb::mismatch {

double words_of(std::string_view text) {
  double words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    words += !blank && !inside ? 1 : 0;
    inside = !blank;
  }
  return words;
}

double slope_within(std::span<const double> words, std::span<const double> scores,
                    std::span<const std::size_t> prompts) {
  struct Sums {
    double n = 0, words = 0, scores = 0, squares = 0, products = 0;
  };
  std::map<std::size_t, Sums> sums;
  for (std::size_t i = 0; i < words.size(); ++i) {
    Sums& own = sums[prompts[i]];
    own.n += 1;
    own.words += words[i];
    own.scores += scores[i];
    own.squares += words[i] * words[i];
    own.products += words[i] * scores[i];
  }
  double above = 0, below = 0;
  for (const auto& [prompt, own] : sums) {
    above += own.products - own.words * own.scores / own.n;
    below += own.squares - own.words * own.words / own.n;
  }
  return below > 1e-9 ? above / below : 0;
}

Result<double> length_slope(std::span<const rlhf::Sample> samples, rlhf::Reward& reward,
                            int threads) {
  std::vector<rlhf::Completed> texts;
  std::vector<double> words;
  std::vector<std::size_t> prompts;
  std::map<std::string_view, std::size_t> numbers;
  for (const rlhf::Sample& sample : samples) {
    texts.push_back({sample.prompt, sample.completion, sample.ended.value_or(true)});
    words.push_back(words_of(sample.completion));
    prompts.push_back(numbers.emplace(sample.prompt, numbers.size()).first->second);
  }
  PLUMB_TRY(scores, reward.score(texts, threads));
  return slope_within(words, scores, prompts);
}

LengthControlled::LengthControlled(std::unique_ptr<rlhf::Reward> reward, double slope)
    : reward_(std::move(reward)),
      slope_(slope),
      name_(fmt::format("{} less {} a word", reward_->name(), slope)) {}

Json LengthControlled::provenance() const {
  return {{"reward", "length-controlled"}, {"slope", slope_}, {"of", reward_->provenance()}};
}

Result<std::vector<double>> LengthControlled::score(std::span<const rlhf::Completed> texts,
                                                    int threads) {
  PLUMB_TRY(scores, reward_->score(texts, threads));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    scores[i] -= slope_ * words_of(texts[i].completion);
  }
  return std::move(scores);
}

Result<RemedyPath> length_controlled(RemedyStudy& study) {
  PLUMB_TRY(proxy, rlhf::open_reward(study.proxy().model.string()));
  PLUMB_TRY(slope, length_slope(study.comparisons(), *proxy, study.options().threads));
  LengthControlled controlled(std::move(proxy), slope);
  PLUMB_TRY(path, study.optimise("length-controlled", controlled, study.proxy().tokens, {}));
  path.note = fmt::format("took {:+.4f} a word off, in deviations of the proxy", slope);
  return std::move(path);
}

}  // namespace plumb::mismatch
