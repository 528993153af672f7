#include "plumb/nn/guided_generator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "plumb/nn/pass.h"
#include "plumb/nn/testing.h"

namespace plumb::nn {
namespace {

using Tokens = std::vector<std::int32_t>;

std::vector<Tokens> prompts(std::size_t count) {
  std::vector<Tokens> all;
  for (std::size_t i = 0; i < count; ++i) {
    Stream stream(3, "prompts", i);
    Tokens& tokens = all.emplace_back(1 + i * 5 % 23);
    for (auto& token : tokens) token = static_cast<std::int32_t>(stream.below(31));
  }
  return all;
}

// A network whose scalars are anything.
Transformer scalar_network(Architecture architecture) {
  TransformerConfig config = tiny_decoder(architecture).config();
  config.language_head = false;
  config.scalar_head = true;
  Transformer values(config);
  Stream stream(5, "values", 0);
  for (float& weight : values.values()) weight += static_cast<float>(0.4 * stream.uniform() - 0.2);
  return values;
}

// By a whole forward of the training path each time.
std::vector<double> log_probabilities(const Transformer& model, const Tokens& text) {
  Pass pass(model, text.size(), PassKind::kInference);
  const std::vector<std::uint32_t> starts = {0, static_cast<std::uint32_t>(text.size())};
  pass.forward({text, starts});
  std::vector<float> logits(model.config().vocabulary);
  const std::size_t last = text.size() - 1;
  pass.logits({&last, 1}, logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  std::vector<double> result;
  for (const float logit : logits) result.push_back(static_cast<double>(logit) - std::log(sum));
  return result;
}

double value_of(const Transformer& values, const Tokens& text) {
  Pass pass(values, text.size(), PassKind::kInference);
  const std::vector<std::uint32_t> starts = {0, static_cast<std::uint32_t>(text.size())};
  pass.forward({text, starts});
  std::vector<float> scalars(text.size());
  pass.scalars(scalars);
  return static_cast<double>(scalars.back());
}

// log q of every token after a text, by the formula.
std::map<std::int32_t, double> guided(const Transformer& model, const Transformer& values,
                                      const Tokens& text, const Guidance& guidance) {
  const std::vector<double> log_p = log_probabilities(model, text);
  Tokens order(log_p.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater<>(), [&](std::int32_t token) {
    return log_p[static_cast<std::size_t>(token)];
  });
  std::map<std::int32_t, double> log_q;
  double sum = 0;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::int32_t token = order[place];
    Tokens longer = text;
    if (place < guidance.tokens) longer.push_back(token);
    log_q[token] =
        log_p[static_cast<std::size_t>(token)] + guidance.strength * value_of(values, longer);
    sum += std::exp(log_q[token]);
  }
  for (auto& [token, value] : log_q) value -= std::log(sum);
  return log_q;
}

class OfEachGuided : public testing::TestWithParam<Architecture> {};

TEST_P(OfEachGuided, IsDrawnByLikelihoodAndValue) {
  const Transformer model = tiny_decoder(GetParam()), values = scalar_network(GetParam());
  const GuidedGenerator generator(model, values);
  const Guidance guidance{.tokens = 6, .strength = 1.5};
  const auto texts = prompts(9);
  const auto drawn =
      generator.generate(texts, {.max_tokens = 12, .stop_tokens = {5}, .seed = 2}, guidance);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Tokens text = texts[i];
    double log_q = 0, kl = 0;
    for (std::size_t t = 0; t < drawn[i].completion.tokens.size(); ++t) {
      const std::int32_t token = drawn[i].completion.tokens[t];
      const auto log_p = log_probabilities(model, text);
      const auto wanted = guided(model, values, text, guidance);
      ASSERT_TRUE(wanted.contains(token));
      log_q += wanted.at(token);
      for (const auto& [other, value] : wanted) {
        kl += std::exp(value) * (value - log_p[static_cast<std::size_t>(other)]);
      }
      EXPECT_NEAR(static_cast<double>(drawn[i].completion.log_probabilities[t]),
                  log_p[static_cast<std::size_t>(token)], 1e-4);
      text.push_back(token);
    }
    EXPECT_NEAR(drawn[i].log_q, log_q, 1e-3);
    EXPECT_NEAR(drawn[i].kl, kl, 1e-3);
    EXPECT_GT(drawn[i].kl, 0);
    EXPECT_EQ(drawn[i].asked, 7 * drawn[i].completion.tokens.size());
  }
}

TEST_P(OfEachGuided, WithoutStrengthIsPlainSamplingToTheByte) {
  const Transformer model = tiny_decoder(GetParam()), values = scalar_network(GetParam());
  const auto texts = prompts(70);  // three waves
  const SampleOptions options{
      .max_tokens = 16, .stop_tokens = {5}, .seed = 9, .first_index = 4, .threads = 2};
  const auto plain = Generator(model).generate(texts, options);
  const auto guided =
      GuidedGenerator(model, values).generate(texts, options, {.tokens = 6, .strength = 0});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(guided[i].completion.tokens, plain[i].tokens) << i;
    EXPECT_EQ(guided[i].completion.ending, plain[i].ending);
    EXPECT_EQ(guided[i].kl, 0);
    EXPECT_EQ(guided[i].asked, 0U);
  }
}

TEST_P(OfEachGuided, DependsOnNothingButPromptAndIndex) {
  const Transformer model = tiny_decoder(GetParam()), values = scalar_network(GetParam());
  const GuidedGenerator generator(model, values);
  const auto texts = prompts(40);
  SampleOptions options{.max_tokens = 10, .seed = 1, .threads = 1};
  const auto one = generator.generate(texts, options, {});
  options.threads = 3;
  const auto three = generator.generate(texts, options, {});
  options.first_index = 37;
  const auto alone = generator.generate(std::span(texts).subspan(37, 1), options, {});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(one[i].completion.tokens, three[i].completion.tokens);
    EXPECT_EQ(one[i].kl, three[i].kl);
  }
  EXPECT_EQ(alone[0].completion.tokens, one[37].completion.tokens);
  EXPECT_EQ(alone[0].kl, one[37].kl);
}

TEST_P(OfEachGuided, EndsWhereTheContextIsFull) {
  const Transformer model = tiny_decoder(GetParam()), values = scalar_network(GetParam());
  const std::size_t context = model.config().context;
  const std::vector<Tokens> texts = {Tokens(context - 2, 7), Tokens(context, 7)};
  const auto drawn = GuidedGenerator(model, values).generate(texts, {.max_tokens = 9}, {});
  EXPECT_EQ(drawn[0].completion.tokens.size(), 2U);
  EXPECT_EQ(drawn[0].completion.ending, Ending::kContext);
  EXPECT_TRUE(drawn[1].completion.tokens.empty());
  EXPECT_EQ(drawn[1].completion.ending, Ending::kContext);
}

INSTANTIATE_TEST_SUITE_P(Architectures, OfEachGuided,
                         testing::Values(Architecture::kLlama, Architecture::kGpt2,
                                         Architecture::kGptNeoX),
                         [](const auto& param) {
                           return std::string(architecture_name(param.param));
                         });

}  // namespace
}  // namespace plumb::nn
