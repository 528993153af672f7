#include "plumb/rlhf/policy/prefix_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "plumb/nn/guided_generator.h"

namespace plumb::rlhf {
namespace {

using Tokens = std::vector<TokenId>;

constexpr std::size_t kVocabulary = 6, kLength = 3;
constexpr double kStrength = 2;

nn::Transformer six_tokens() {
  nn::TransformerConfig c;
  c.vocabulary = kVocabulary;
  c.width = 16;
  c.layers = 1;
  c.heads = c.key_heads = 2;
  c.head_width = c.rotary_width = 8;
  c.hidden = 24;
  c.context = 8;
  nn::Transformer model(c);
  nn::initialise(model, 4);
  for (float& value : model.values()) value *= value == 1.0F ? 1.0F : 8.0F;
  return model;
}

// Twos are worth something, and a four in the end what the first token makes of it.
double score_of(std::span<const TokenId> completion) {
  const auto twos = static_cast<double>(std::ranges::count(completion, 2));
  if (completion.back() != 4) return twos;
  return twos + (completion.front() % 2 == 0 ? 2 : -1);
}

// All completions of three tokens, and what follows from them for every beginning: no sampling.
class World {
 public:
  World() : model_(six_tokens()), generator_(model_) {}

  const nn::Transformer& model() const { return model_; }
  const nn::Generator& generator() const { return generator_; }

  // Of every token after a text.
  std::vector<double> log_probabilities(const Tokens& text) const {
    const std::vector<float> all = generator_.logits(text);
    const auto last = std::span(all).last(kVocabulary);
    double sum = 0;
    for (const float logit : last) sum += std::exp(static_cast<double>(logit));
    std::vector<double> result;
    for (const float logit : last) result.push_back(static_cast<double>(logit) - std::log(sum));
    return result;
  }

  // The expected score where the model writes on.
  double value(const Tokens& text) const {
    return expected(text, [&](const Tokens& longer) { return log_probabilities(longer); });
  }

  // Where the guided distribution does, with these very values.
  double guided_value(const Tokens& text) const {
    return expected(text, [&](const Tokens& longer) {
      std::vector<double> log_q = log_probabilities(longer);
      double sum = 0;
      for (std::size_t token = 0; token < kVocabulary; ++token) {
        log_q[token] += kStrength * value(with(longer, token));
        sum += std::exp(log_q[token]);
      }
      for (double& one : log_q) one -= std::log(sum);
      return log_q;
    });
  }

  std::vector<Sequence> draw(std::size_t count) const {
    std::vector<Sequence> sequences;
    const std::vector<Tokens> prompts(count, Tokens{0});
    for (const auto& one : generator_.generate(prompts, {.max_tokens = kLength, .seed = 8})) {
      Sequence& sequence = sequences.emplace_back(Sequence{{0}, 1});
      sequence.tokens.insert(sequence.tokens.end(), one.tokens.begin(), one.tokens.end());
    }
    return sequences;
  }

  static Tokens with(Tokens text, std::size_t token) {
    text.push_back(static_cast<TokenId>(token));
    return text;
  }

 private:
  using Distribution = std::function<std::vector<double>(const Tokens&)>;
  double expected(const Tokens& text, const Distribution& distribution) const {
    if (text.size() == 1 + kLength) return score_of(std::span(text).subspan(1));
    const std::vector<double> log_p = distribution(text);
    double sum = 0;
    for (std::size_t token = 0; token < kVocabulary; ++token) {
      sum += std::exp(log_p[token]) * expected(with(text, token), distribution);
    }
    return sum;
  }

  nn::Transformer model_;
  nn::Generator generator_;
};

std::vector<double> scores_of(const std::vector<Sequence>& sequences) {
  std::vector<double> scores;
  for (const Sequence& one : sequences)
    scores.push_back(score_of(std::span(one.tokens).subspan(1)));
  return scores;
}

double scalar_after(const nn::Transformer& values, const Tokens& text) {
  nn::Pass pass(values, text.size(), nn::PassKind::kInference);
  const std::vector<std::uint32_t> starts = {0, static_cast<std::uint32_t>(text.size())};
  pass.forward({text, starts});
  std::vector<float> scalars(text.size());
  pass.scalars(scalars);
  return static_cast<double>(scalars.back());
}

TEST(PrefixValues, AreTheExpectedScoresAndGuideAsTheseDo) {
  const World world;
  const auto sequences = world.draw(4000);
  const PrefixValues learnt =
      learn_prefix_values(world.model(), sequences, scores_of(sequences),
                          {.epochs = 60, .rate = 2e-3F, .seed = 1, .threads = 2});
  // Over all beginnings, each as often as the model writes it.
  double error = 0, spread = 0;
  const double middle = world.value({0});
  const std::function<void(const Tokens&, double)> visit = [&](const Tokens& text, double p) {
    const double exact = world.value(text), off = scalar_after(learnt.model, text) - exact;
    error += p * off * off;
    spread += p * (exact - middle) * (exact - middle);
    if (text.size() == 1 + kLength) return;
    const auto log_p = world.log_probabilities(text);
    for (std::size_t token = 0; token < kVocabulary; ++token) {
      visit(World::with(text, token), p * std::exp(log_p[token]));
    }
  };
  visit({0}, 1);
  EXPECT_LT(error, 0.05 * spread) << "of the variance of values";

  const nn::GuidedGenerator generator(world.model(), learnt.model);
  const std::vector<Tokens> prompts(2000, Tokens{0});
  double mean = 0, squares = 0;
  for (const auto& one : generator.generate(prompts, {.max_tokens = kLength, .seed = 3},
                                            {.tokens = kVocabulary, .strength = kStrength})) {
    const double score = score_of(one.completion.tokens);
    mean += score / 2000;
    squares += score * score / 2000;
  }
  const double noise = std::sqrt((squares - mean * mean) / 2000);
  EXPECT_NEAR(mean, world.guided_value({0}), 4 * noise + 0.1);
  EXPECT_GT(mean, middle + 0.5);
}

TEST(PrefixValues, AreTheSameWithAnyNumberOfThreads) {
  const World world;
  const auto sequences = world.draw(100);
  const auto learn = [&](int threads) {
    return learn_prefix_values(world.model(), sequences, scores_of(sequences),
                               {.epochs = 2, .seed = 1, .threads = threads});
  };
  const PrefixValues one = learn(1), three = learn(3);
  EXPECT_TRUE(std::ranges::equal(one.model.values(), three.model.values()));
  EXPECT_EQ(one.loss, three.loss);
  EXPECT_EQ(trained_tokens(sequences, {.epochs = 2}), 2 * 3 * 100);
}

}  // namespace
}  // namespace plumb::rlhf
