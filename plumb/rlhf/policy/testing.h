// What the tests of policies share: a tiny model of letters, prompts for it, and rewards that
// count.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plumb/lm/testing.h"
#include "plumb/rlhf/policy/prompts.h"
#include "plumb/rlhf/reward/reward.h"

namespace plumb::rlhf {

// The share of a completion's letters that are this one.
class LetterReward : public Reward {
 public:
  explicit LetterReward(char letter) : letter_(letter), name_(std::string("letter ") + letter) {}

  const std::string& name() const override { return name_; }
  Json provenance() const override { return {{"reward", name_}}; }
  Result<std::vector<double>> score(std::span<const Completed> texts, int) override {
    std::vector<double> scores;
    for (const Completed& text : texts) {
      const auto count = std::ranges::count(text.completion, letter_);
      scores.push_back(static_cast<double>(count) /
                       static_cast<double>(std::max<std::size_t>(text.completion.size(), 1)));
    }
    return scores;
  }

 private:
  char letter_;
  std::string name_;
};

class PolicyTest : public lm::LanguageModelTest {
 protected:
  PolicyTest() {
    save_model();
    model_.emplace(*lm::load_language_model({folder_}));
  }

  // "a", "b", ..., "aa", ...
  std::vector<Prompt> prompts(std::size_t count) const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      texts.emplace_back(1 + i / 26, static_cast<char>('a' + i % 26));
    }
    return *encode_prompts(texts, "letters", *model_);
  }

  // The model with every weight moved a little.
  nn::Transformer moved(double by, std::uint64_t seed = 1) const {
    nn::Transformer other(model_->transformer.config());
    Stream stream(seed, "moved", 0);
    for (std::size_t i = 0; i < other.values().size(); ++i) {
      other.values()[i] =
          model_->transformer.values()[i] + static_cast<float>(by * (2 * stream.uniform() - 1));
    }
    return other;
  }

  std::optional<lm::LanguageModel> model_;
};

}  // namespace plumb::rlhf
