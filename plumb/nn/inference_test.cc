// Prepared products against the reference pass, in each precision that this processor has.
#include "plumb/nn/inference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/nn/pass.h"
#include "plumb/nn/testing.h"

namespace plumb::nn {
namespace {

// One of each way to lay a transformer out, with rows that fill no vector.
std::vector<Transformer> models() {
  std::vector<Transformer> all;
  all.push_back(tiny_decoder(Architecture::kLlama));
  all.push_back(tiny_decoder(Architecture::kGpt2));
  all.push_back(tiny_decoder(Architecture::kGptNeoX));
  TransformerConfig c;
  c.architecture = Architecture::kBert;
  c.vocabulary = 31;
  c.width = 40;
  c.layers = 3;
  c.heads = c.key_heads = 5;
  c.head_width = 8;
  c.hidden = 77;
  c.context = c.position_rows = 40;
  c.norm = Norm::kLayer;
  c.norm_first = c.gated = c.causal = c.language_head = c.tied = false;
  c.embedding_norm = c.query_bias = c.linear_bias = true;
  c.positions = Positions::kLearned;
  c.rotary_width = 0;
  c.segments = 2;
  c.activation = Activation::kGeluErf;
  all.emplace_back(c);
  initialise(all.back(), 5);
  for (float& value : all.back().values()) value *= value == 1.0F ? 1.0F : 10.0F;
  return all;
}

struct Tokens {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> starts = {0};
};

// Lengths of 1 to 40, 170 tokens and more in all: several chunks of rows, the last one broken.
Tokens tokens(std::uint64_t seed) {
  Tokens t;
  for (const std::size_t length : {40UL, 1UL, 17UL, 39UL, 2UL, 40UL, 33UL, 5UL}) {
    Stream stream(seed, "tokens", length);
    for (std::size_t i = 0; i < length; ++i) {
      t.ids.push_back(static_cast<std::int32_t>(stream.below(31)));
    }
    t.starts.push_back(static_cast<std::uint32_t>(t.ids.size()));
  }
  return t;
}

class EachPrecision : public testing::TestWithParam<Precision> {
 protected:
  void SetUp() override {
    if (const auto possible = check_precision(GetParam()); !possible) {
      GTEST_SKIP() << possible.error().message;
    }
  }
};

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}

TEST_P(EachPrecision, GivesTheReferencesHiddenStatesAndLogits) {
  const double loss = GetParam() == Precision::kF32    ? 1e-9
                      : GetParam() == Precision::kBf16 ? 2e-4
                                                       : 2e-3;
  for (const Transformer& model : models()) {
    const auto weights = InferenceWeights::make(model, GetParam());
    ASSERT_TRUE(weights);
    const Tokens t = tokens(1);
    Pass reference(model, 200, PassKind::kInference), pass(*weights, 200);
    reference.forward({t.ids, t.starts});
    pass.forward({t.ids, t.starts});
    EXPECT_GT(cosine(pass.hidden(), reference.hidden()), 1 - loss)
        << architecture_name(model.config().architecture);
    if (GetParam() != Precision::kF32) {
      EXPECT_LT(cosine(pass.hidden(), reference.hidden()), 1 - 1e-9) << "nothing was rounded";
    }
    if (!model.config().language_head) continue;
    const std::vector<std::size_t> rows = {0, 3, 60, t.ids.size() - 1};
    std::vector<float> logits(rows.size() * 31), expected(logits.size());
    pass.logits(rows, logits);
    reference.logits(rows, expected);
    EXPECT_GT(cosine(logits, expected), 1 - loss);
  }
}

TEST_P(EachPrecision, GivesASequenceTheSameBitsInAnyBatch) {
  if (kernels_named("avx512") == nullptr) GTEST_SKIP() << "this machine has no AVX-512";
  for (const Transformer& model : models()) {
    const auto weights = InferenceWeights::make(model, GetParam());
    ASSERT_TRUE(weights);
    const Tokens t = tokens(2);
    const std::size_t width = model.config().width;
    Pass together(*weights, 200), alone(*weights, 40);
    together.forward({t.ids, t.starts});
    for (std::size_t s = 0; s + 1 < t.starts.size(); ++s) {
      const std::uint32_t first = t.starts[s], count = t.starts[s + 1] - first;
      const std::vector<std::uint32_t> starts = {0, count};
      alone.forward({std::span(t.ids).subspan(first, count), starts});
      EXPECT_TRUE(
          std::equal(alone.hidden().begin(), alone.hidden().end(),
                     together.hidden().begin() + static_cast<std::ptrdiff_t>(first * width)))
          << "a sequence of " << count;
    }
  }
}

TEST_P(EachPrecision, ComputesTheSameAgainAfterALargerBatch) {
  const Transformer model = tiny_decoder(Architecture::kLlama);
  const auto weights = InferenceWeights::make(model, GetParam());
  ASSERT_TRUE(weights);
  Pass pass(*weights, 200);
  const std::vector<std::int32_t> few = {1, 2, 3};
  const std::vector<std::uint32_t> starts = {0, 3};
  pass.forward({few, starts});
  const std::vector<float> before(pass.hidden().begin(), pass.hidden().end());
  const Tokens t = tokens(3);
  pass.forward({t.ids, t.starts});
  pass.forward({few, starts});
  EXPECT_TRUE(std::equal(before.begin(), before.end(), pass.hidden().begin()));
}

INSTANTIATE_TEST_SUITE_P(Inference, EachPrecision,
                         testing::Values(Precision::kF32, Precision::kBf16, Precision::kInt8),
                         [](const auto& param) {
                           return std::string(precision_name(param.param));
                         });

// Products of int8 by hand: the bytes and steps as the kernels give them, sums in whole numbers.
TEST(PackedMatrix, MultipliesBytesExactly) {
  if (!check_precision(Precision::kInt8)) GTEST_SKIP() << "this processor has no VNNI";
  const std::size_t rows = 19, outputs = 45, inputs = 70;
  const auto weight = random_floats(outputs * inputs, 1), bias = random_floats(outputs, 2),
             in = random_floats(round_rows(rows) * inputs, 3, 4);
  const PackedMatrix matrix(Precision::kInt8, outputs, inputs, weight.data(), bias.data());
  std::vector<std::uint8_t> bytes(round_rows(rows) * inputs);
  std::vector<RowScale> scales;
  for (std::size_t r = 0; r < rows; ++r) {
    scales.push_back(
        kernels().quantize_row(inputs, in.data() + r * inputs, bytes.data() + r * inputs));
  }
  std::vector<std::int32_t> sums(round_rows(rows) * outputs);
  matrix.product(rows, bytes.data(), sums.data());
  std::vector<float> out(outputs);
  for (std::size_t r = 0; r < rows; ++r) {
    matrix.finish(kernels(), sums.data() + r * outputs, scales[r], out.data(), Into::kReplace);
    for (std::size_t o = 0; o < outputs; ++o) {
      double largest = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(weight[o * inputs + i])));
      }
      double sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        const double w =
            std::nearbyint(static_cast<double>(weight[o * inputs + i]) / largest * 127);
        sum += w * (bytes[r * inputs + i] - scales[r].zero);
      }
      const double expected =
          sum * largest / 127 * static_cast<double>(scales[r].step) + static_cast<double>(bias[o]);
      EXPECT_NEAR(out[o], expected, 2e-4 * (1 + std::abs(expected))) << r << " " << o;
    }
  }
}

TEST(Precision, HasNames) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    EXPECT_EQ(parse_precision(precision_name(precision)), precision);
  }
  EXPECT_FALSE(parse_precision("f16"));
  EXPECT_TRUE(check_precision(Precision::kF32));
}

}  // namespace
}  // namespace plumb::nn
