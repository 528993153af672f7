#include "plumb/nn/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "plumb/nn/testing.h"

namespace plumb::nn {
namespace {

struct Text {
  std::vector<std::int32_t> tokens, targets;
  std::vector<std::uint32_t> starts;

  Text(std::size_t sequences, std::size_t length) : starts(1) {
    for (std::size_t s = 0; s < sequences; ++s) {
      Stream stream(5, "text", s);
      for (std::size_t t = 0; t < length; ++t) {
        const auto token = static_cast<std::int32_t>(stream.below(31));
        tokens.push_back(token);
        targets.push_back((3 * token + 1) % 31);  // what can be learned
      }
      starts.push_back(static_cast<std::uint32_t>(tokens.size()));
    }
  }
  Batch batch() const { return {tokens, starts}; }
};

// Steps with `threads` on eight sequences; the parameters afterwards and the last loss.
std::pair<std::vector<float>, double> trained(int threads, std::size_t steps) {
  Transformer model = tiny_decoder(Architecture::kLlama);
  Trainer trainer(model, {.adam = {.decay = 0.01F}, .max_tokens = 80, .threads = threads});
  const Text text(1, 40);
  std::vector<double> nats(trainer.shards());
  for (std::size_t step = 0; step < steps; ++step) {
    trainer.accumulate([&](std::size_t shard, Pass& pass, std::span<float> gradient) {
      const Text own(1 + shard % 3, 13);
      pass.forward(own.batch());
      nats[shard] = pass.add_cross_entropy(own.targets, 0.01F, gradient) /
                    static_cast<double>(own.tokens.size());
      pass.backward(gradient);
    });
    trainer.step(0.01F);
  }
  return {{model.values().begin(), model.values().end()},
          std::accumulate(nats.begin(), nats.end(), 0.0) / static_cast<double>(nats.size())};
}

TEST(Trainer, GivesTheSameBytesWithAnyNumberOfThreads) {
  const auto one = trained(1, 5), two = trained(2, 5), five = trained(5, 5);
  EXPECT_EQ(one.first, two.first);
  EXPECT_EQ(one.first, five.first);
  EXPECT_EQ(one.second, two.second);
}

TEST(Trainer, LowersTheLoss) { EXPECT_LT(trained(2, 60).second, 0.5 * trained(2, 1).second); }

TEST(Trainer, KeepsTheParametersWhereTheGradientIsNotFinite) {
  Transformer model = tiny_decoder(Architecture::kLlama);
  const std::vector<float> before(model.values().begin(), model.values().end());
  Trainer trainer(model, {.threads = 1});
  trainer.accumulate([](std::size_t shard, Pass&, std::span<float> gradient) {
    if (shard == 1) gradient[7] = std::numeric_limits<float>::quiet_NaN();
  });
  EXPECT_FALSE(std::isfinite(trainer.step(0.1F)));
  EXPECT_TRUE(std::ranges::equal(model.values(), before));
  EXPECT_EQ(trainer.optimizer().steps(), 0U);
}

TEST(Optimizer, ClipsTheNormOfTheSumOfShards) {
  // Adam's first step does not depend on the gradient's scale, its moments do.
  Transformer model = tiny_decoder(Architecture::kLlama);
  Optimizer optimizer(model, {.decay = 0, .clip = 1});
  std::vector<Buffer> gradients;
  for (int i = 0; i < 2; ++i) gradients.emplace_back(model.layout().size);
  gradients[0].data()[0] = 2;
  gradients[1].data()[0] = 1;
  gradients[1].data()[3] = 4;
  EXPECT_DOUBLE_EQ(optimizer.step(model, gradients, 0.1F, 1), 5.0);
  EXPECT_NEAR(optimizer.first().data()[0], 0.1 * 3.0 / 5.0, 1e-6);
  EXPECT_NEAR(optimizer.first().data()[3], 0.1 * 4.0 / 5.0, 1e-6);
}

TEST(Optimizer, DecaysMatricesAlone) {
  Transformer model = tiny_decoder(Architecture::kGpt2);
  const std::vector<float> before(model.values().begin(), model.values().end());
  Optimizer optimizer(model, {.decay = 0.5F});
  std::vector<Buffer> gradients;
  gradients.emplace_back(model.layout().size);
  optimizer.step(model, gradients, 0.1F, 1);
  for (const Parameter& parameter : model.layout().parameters) {
    const float factor = parameter.shape.size() > 1 ? 1 - 0.1F * 0.5F : 1.0F;
    for (std::size_t i = parameter.offset; i < parameter.offset + parameter.size; ++i) {
      ASSERT_NEAR(model.values()[i], factor * before[i], 1e-6) << parameter.name;
    }
  }
}

TEST(RateSchedule, RisesStaysAndFalls) {
  const RateSchedule cosine{
      .kind = Schedule::kCosine, .rate = 1.0F, .final_share = 0.1F, .warmup = 10, .steps = 110};
  EXPECT_FLOAT_EQ(cosine.at(0), 0.1F);
  EXPECT_FLOAT_EQ(cosine.at(9), 1.0F);
  EXPECT_FLOAT_EQ(cosine.at(10), 1.0F);
  EXPECT_FLOAT_EQ(cosine.at(60), 0.55F);
  EXPECT_FLOAT_EQ(cosine.at(110), 0.1F);
  EXPECT_FLOAT_EQ(cosine.at(1000), 0.1F);
  RateSchedule linear = cosine;
  linear.kind = Schedule::kLinear;
  EXPECT_FLOAT_EQ(linear.at(35), 0.775F);
  RateSchedule constant = cosine;
  constant.kind = Schedule::kConstant;
  EXPECT_FLOAT_EQ(constant.at(5), 0.6F);
  EXPECT_FLOAT_EQ(constant.at(500), 1.0F);
}

TEST(CutBatches, FillsWithoutOverflowing) {
  const std::vector<std::size_t> lengths = {3, 4, 9, 1, 1, 20, 2};
  const auto ranges = cut_batches(lengths, 8);
  std::vector<std::size_t> counts;
  for (const SequenceRange& range : ranges) counts.push_back(range.count);
  EXPECT_EQ(counts, (std::vector<std::size_t>{2, 1, 2, 1, 1}));
  EXPECT_TRUE(cut_batches({}, 8).empty());
}

TEST(Pass, TakesASequenceTheSameInAnyBatch) {
  for (const auto architecture :
       {Architecture::kLlama, Architecture::kGpt2, Architecture::kGptNeoX}) {
    const Transformer model = tiny_decoder(architecture);
    const Text text(5, 9);
    Pass together(model, 45, PassKind::kTraining), alone(model, 9, PassKind::kInference);
    together.forward(text.batch());
    const std::vector<float> all(together.hidden().begin(), together.hidden().end());
    const std::vector<std::uint32_t> starts = {0, 9};
    for (std::size_t s = 0; s < 5; ++s) {
      alone.forward({std::span(text.tokens).subspan(s * 9, 9), starts});
      for (std::size_t i = 0; i < alone.hidden().size(); ++i) {
        const float expected = all[s * 9 * model.config().width + i];
        EXPECT_NEAR(alone.hidden()[i], expected, 1e-5 * std::max(1.0F, std::abs(expected)));
      }
    }
  }
}

// A vocabulary so large that logits take several chunks.
Transformer wide_decoder() {
  TransformerConfig config = tiny_decoder(Architecture::kLlama).config();
  config.vocabulary = 60000;
  Transformer model(config);
  initialise(model, 4);
  return model;
}

TEST(Pass, GivesLogProbabilitiesByChunksAndTheirGradient) {
  const Transformer model = wide_decoder();
  const Text text(8, 40);
  Pass pass(model, text.tokens.size(), PassKind::kTraining);
  pass.forward(text.batch());
  std::vector<std::int32_t> targets = text.targets;
  for (std::size_t i = 0; i < targets.size(); i += 3) targets[i] = kNoTarget;
  std::vector<float> values(targets.size()), entropies(targets.size());
  pass.log_probabilities(targets, values, entropies);
  Transformer by_values(model.config()), by_loss(model.config());
  std::vector<float> d_values(targets.size(), -0.125F);
  pass.add_log_probability_gradient(targets, d_values, by_values.values());
  pass.backward(by_values.values());
  pass.forward(text.batch());
  const double nats = pass.add_cross_entropy(targets, 0.125F, by_loss.values());
  pass.backward(by_loss.values());

  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum -= static_cast<double>(values[i]);
    EXPECT_EQ(values[i] == 0.0F, targets[i] == kNoTarget);
    // Nearly uniform: an entropy of log(60000).
    EXPECT_NEAR(entropies[i], targets[i] == kNoTarget ? 0.0 : std::log(60000.0), 0.05);
  }
  EXPECT_NEAR(sum, nats, 1e-6 * nats);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < by_loss.values().size(); ++i) {
    const auto a = static_cast<double>(by_values.values()[i]),
               b = static_cast<double>(by_loss.values()[i]);
    difference += (a - b) * (a - b);
    norm += b * b;
  }
  EXPECT_GT(norm, 0);
  EXPECT_LT(std::sqrt(difference / norm), 1e-5);
}

TEST(Pass, CountsTheFloatsThatItAllocates) {
  const TransformerConfig config = tiny_decoder(Architecture::kLlama).config();
  EXPECT_GT(pass_floats(config, 100, PassKind::kTraining),
            pass_floats(config, 100, PassKind::kInference));
  EXPECT_GT(pass_floats(config, 100, PassKind::kInference), 100 * config.width);
}

}  // namespace
}  // namespace plumb::nn
