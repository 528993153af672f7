#include "plumb/rlhf/policy/text_mix.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/rlhf/policy/learner.h"
#include "plumb/rlhf/policy/testing.h"

namespace plumb::rlhf {
namespace {

class TextMixes : public PolicyTest {
 protected:
  std::vector<Sequence> texts() const {
    std::vector<Sample> samples(2);
    samples[0].prompt = "tom";
    samples[0].completion = " ran";
    samples[1].prompt = "a";
    samples[1].completion = "bc";
    samples[1].ended = false;
    return *sequences_of(samples, *model_);
  }
  // weight * mean over the tokens of the mix of -log pi, under these weights.
  double loss(const nn::Transformer& model, const TextMix& mix) const {
    Scorer scorer(model, model, 1);
    const SequenceBatch batch(mix.texts, 1, scorer.max_tokens());
    const TokenScores scores = scorer.against_reference(batch);
    double sum = 0;
    for (const double value : scores.log_probs) sum -= value;
    return mix.weight * sum / static_cast<double>(batch.mask().total());
  }
};

TEST_F(TextMixes, EndWhereTheTextEnded) {
  const auto found = texts();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].tokens.back(), 2);
  EXPECT_EQ(found[0].completion(), 5U);  // a blank, three letters, the end
  EXPECT_EQ(found[1].completion(), 2U);
}

// With an epsilon that dwarfs the gradient, and a rate of its size, the first step of Adam is the
// gradient itself.
TEST_F(TextMixes, HaveTheGradientThatDifferencesSay) {
  const TextMix mix{.texts = texts(), .weight = 0.7, .batch = 2, .seed = 1};
  const nn::AdamOptions bare = {
      .beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e6F, .decay = 0, .clip = 1e9F};
  Learner learner(*model_, {.adam = bare, .threads = 1, .mix = &mix});
  const SequenceBatch batch(texts(), 1, learner.scorer().max_tokens());
  const std::vector<double> nothing(batch.cells(), 0.0);
  EXPECT_GT(learner.step(batch, 0, nothing, 1e6F), 0);
  nn::Transformer moved = copy_of(model_->transformer);
  Stream stream(3, "parameters", 0);
  for (int i = 0; i < 60; ++i) {
    const std::size_t place = stream.below(moved.values().size());
    const float kept = moved.values()[place];
    constexpr float kStep = 1e-2F;
    moved.values()[place] = kept + kStep;
    const double up = loss(moved, mix);
    moved.values()[place] = kept - kStep;
    const double down = loss(moved, mix);
    moved.values()[place] = kept;
    const auto slope = static_cast<double>(kept - learner.policy().values()[place]);
    EXPECT_NEAR((up - down) / (2 * static_cast<double>(kStep)), slope,
                0.01 * std::abs(slope) + 2e-4)
        << place;
  }
}

TEST_F(TextMixes, OfNoWeightChangeNothing) {
  const TextMix none{.texts = texts(), .weight = 0, .batch = 2, .seed = 1};
  EXPECT_TRUE(none.empty());
  Learner with(*model_, {.mix = &none}), without(*model_, {});
  const SequenceBatch batch(texts(), 1, with.scorer().max_tokens());
  const std::vector<double> slopes(batch.cells(), -1.0);
  EXPECT_EQ(with.step(batch, 0, slopes, 1e-2F), without.step(batch, 0, slopes, 1e-2F));
}

}  // namespace
}  // namespace plumb::rlhf
