#include "plumb/nn/generator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "plumb/nn/pass.h"
#include "plumb/nn/testing.h"

namespace plumb::nn {
namespace {

using Prompts = std::vector<std::vector<std::int32_t>>;

std::vector<std::int32_t> random_tokens(std::size_t count, std::uint64_t index) {
  Stream stream(3, "tokens", index);
  std::vector<std::int32_t> tokens(count);
  for (auto& token : tokens) token = static_cast<std::int32_t>(stream.below(31));
  return tokens;
}

Prompts random_prompts(std::size_t count) {
  Prompts prompts;
  for (std::size_t i = 0; i < count; ++i) prompts.push_back(random_tokens(1 + i * 5 % 23, i));
  return prompts;
}

class OfEachDecoder : public testing::TestWithParam<Architecture> {};

TEST_P(OfEachDecoder, LogitsAreThoseOfTheTrainingPath) {
  const Transformer model = tiny_decoder(GetParam());
  const auto tokens = random_tokens(40, 0);
  const std::vector<std::uint32_t> starts = {0, 40};
  Pass pass(model, 40, PassKind::kInference);
  pass.forward({tokens, starts});
  std::vector<std::size_t> rows(40);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<float> expected(40 * 31);
  pass.logits(rows, expected);
  const auto logits = Generator(model).logits(tokens);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(logits[i], expected[i], 1e-5 * std::max(1.0F, std::abs(expected[i]))) << i;
  }
}

TEST_P(OfEachDecoder, ACompletionDependsOnNothingButItsPromptAndIndex) {
  const Transformer model = tiny_decoder(GetParam());
  const Generator generator(model);
  const Prompts prompts = random_prompts(11);
  const SampleOptions options{
      .max_tokens = 30, .top_p = 0.9F, .stop_tokens = {5}, .seed = 9, .threads = 1};
  const auto together = generator.generate(prompts, options);
  SampleOptions two = options;
  two.threads = 2;
  const auto threaded = generator.generate(prompts, two);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    SampleOptions own = options;
    own.first_index = i;
    const auto alone = generator.generate(std::span(&prompts[i], 1), own);
    EXPECT_EQ(alone[0].tokens, together[i].tokens) << i;
    EXPECT_EQ(alone[0].log_probabilities, together[i].log_probabilities) << i;
    EXPECT_EQ(threaded[i].tokens, together[i].tokens) << i;
    EXPECT_EQ(threaded[i].log_probabilities, together[i].log_probabilities) << i;
  }
}

TEST_P(OfEachDecoder, LogProbabilitiesAreThoseOfTheModel) {
  const Transformer model = tiny_decoder(GetParam());
  const Prompts prompts = random_prompts(4);
  const auto completions =
      Generator(model).generate(prompts, {.max_tokens = 12, .temperature = 0.7F, .top_k = 9});
  Pass pass(model, 40, PassKind::kInference);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    auto tokens = prompts[i];
    const auto& made = completions[i].tokens;
    tokens.insert(tokens.end(), made.begin(), made.end() - 1);
    std::vector<std::int32_t> targets(tokens.size(), kNoTarget);
    std::copy(made.begin(), made.end(), targets.end() - static_cast<std::ptrdiff_t>(made.size()));
    const std::vector<std::uint32_t> starts = {0, static_cast<std::uint32_t>(tokens.size())};
    pass.forward({tokens, starts});
    std::vector<float> values(tokens.size());
    pass.log_probabilities(targets, values);
    for (std::size_t t = 0; t < made.size(); ++t) {
      EXPECT_NEAR(completions[i].log_probabilities[t], values[prompts[i].size() - 1 + t], 1e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Generator, OfEachDecoder,
                         testing::Values(Architecture::kLlama, Architecture::kGpt2,
                                         Architecture::kGptNeoX),
                         [](const auto& param) {
                           return std::string(architecture_name(param.param));
                         });

TEST(Generator, EndsAtAStopTokenAtTheMostTokensAndAtTheContext) {
  const Transformer model = tiny_decoder(Architecture::kLlama);
  const Generator generator(model);
  const Prompts prompts = {random_tokens(38, 1), random_tokens(3, 2)};
  const auto free = generator.generate(prompts, {.max_tokens = 7, .temperature = 0});
  EXPECT_EQ(free[0].ending, Ending::kContext);
  EXPECT_EQ(free[0].tokens.size(), 3U);  // the last one needs no place
  EXPECT_EQ(free[1].ending, Ending::kMaxTokens);
  EXPECT_EQ(free[1].tokens.size(), 7U);
  const std::int32_t stop = free[1].tokens[2];
  const auto stopped =
      generator.generate(prompts, {.max_tokens = 7, .temperature = 0, .stop_tokens = {stop}});
  EXPECT_EQ(stopped[1].ending, Ending::kStopToken);
  EXPECT_EQ(stopped[1].tokens.back(), stop);
  EXPECT_LE(stopped[1].tokens.size(), 3U);
  EXPECT_TRUE(generator.generate({}, {}).empty());
  EXPECT_TRUE(generator.generate(prompts, {.max_tokens = 0})[1].tokens.empty());
}

TEST(Generator, TakesNewWeightsWhenItIsRefreshed) {
  Transformer model = tiny_decoder(Architecture::kLlama, 1);
  Generator generator(model);
  const auto before = generator.logits(random_tokens(5, 0));
  const Transformer other = tiny_decoder(Architecture::kLlama, 2);
  std::ranges::copy(other.values(), model.values().begin());
  generator.refresh();
  EXPECT_NE(generator.logits(random_tokens(5, 0)), before);
  EXPECT_EQ(generator.logits(random_tokens(5, 0)), Generator(other).logits(random_tokens(5, 0)));
}

std::vector<double> shares(const std::vector<float>& logits, const SampleOptions& options) {
  constexpr std::size_t kDraws = 20000;
  std::vector<double> share(logits.size());
  for (std::size_t i = 0; i < kDraws; ++i) {
    auto copy = logits;
    const double draw = (static_cast<double>(i) + 0.5) / kDraws;
    share[static_cast<std::size_t>(pick_token(copy, options, draw))] += 1.0 / kDraws;
  }
  return share;
}

TEST(PickToken, DrawsByTemperatureTopKAndTopP) {
  const std::vector<float> logits = {std::log(0.1F), std::log(0.4F), std::log(0.2F),
                                     std::log(0.3F)};
  const auto expect = [&](const SampleOptions& options, const std::vector<double>& expected) {
    const auto share = shares(logits, options);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(share[i], expected[i], 2e-4) << i;
  };
  expect({}, {0.1, 0.4, 0.2, 0.3});
  expect({.temperature = 0.5F}, {0.01 / 0.3, 0.16 / 0.3, 0.04 / 0.3, 0.09 / 0.3});
  expect({.top_k = 2}, {0, 4.0 / 7, 0, 3.0 / 7});
  expect({.top_k = 1}, {0, 1, 0, 0});
  expect({.top_p = 0.5F}, {0, 4.0 / 7, 0, 3.0 / 7});
  expect({.top_p = 0.71F}, {0, 4.0 / 9, 2.0 / 9, 3.0 / 9});
  expect({.top_p = 0.0F}, {0, 1, 0, 0});
  expect({.top_k = 3, .top_p = 0.4F}, {0, 1, 0, 0});  // 0.4 / 0.9 of what top_k left
  expect({.temperature = 0}, {0, 1, 0, 0});
}

TEST(PickToken, TakesTheFirstOfEqualsWhereItDoesNotDraw) {
  std::vector<float> logits = {1, 3, 3, 2};
  EXPECT_EQ(pick_token(logits, {.temperature = 0}, 0.9), 1);
}

RC_GTEST_PROP(PickToken, NeverPicksWhatHasNoProbability, (std::uint64_t seed, double share)) {
  Stream stream(seed, "logits", 0);
  std::vector<float> logits(1 + stream.below(40));
  for (float& x : logits) x = stream.below(2) == 0 ? -1e4F : static_cast<float>(stream.uniform());
  logits[stream.below(logits.size())] = 1.0F;
  const double draw = std::abs(std::fmod(std::isfinite(share) ? share : 0.5, 1.0));
  auto copy = logits;
  const auto token = pick_token(copy, {}, draw);
  RC_ASSERT(logits[static_cast<std::size_t>(token)] > -1e3F);
}

}  // namespace
}  // namespace plumb::nn
