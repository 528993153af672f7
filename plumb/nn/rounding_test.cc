// Rows as bf16 and bytes, on each instruction set of this machine, against plain formulas.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "plumb/nn/data_type.h"
#include "plumb/nn/kernels.h"
#include "plumb/nn/testing.h"

namespace plumb::nn {
namespace {

class EachRounding : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    kernels_ = kernels_named(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this machine has no " << GetParam();
  }
  const Kernels* kernels_ = nullptr;
};

float float_of(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

TEST_P(EachRounding, GoesToTheNearestBf16AndToTheEvenOneBetween) {
  // 1 + 2^-8 lies between 1 and 1 + 2^-7; 1 + 3 * 2^-8 between 1 + 2^-7 and 1 + 2^-6.
  const std::vector<std::pair<float, float>> cases = {
      {1.0F, 1.0F},
      {1.00390625F, 1.0F},
      {1.01171875F, 1.015625F},
      {1.0040F, 1.0078125F},
      {-1.00390625F, -1.0F},
      {0.0F, 0.0F},
      {-0.0F, -0.0F},
      {3.4e38F, std::numeric_limits<float>::infinity()},
      {0x1p-133F, 0x1p-133F},
      {-2.5F, -2.5F},
      {0.33333334F, 0.333984375F},
      {65504.0F, 65536.0F}};
  std::vector<float> x;
  for (const auto& one : cases) x.push_back(one.first);
  std::vector<std::uint16_t> halves(x.size());
  kernels_->to_bf16(x.size(), x.data(), halves.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(float_of(halves[i]), cases[i].second) << x[i];
    EXPECT_EQ(std::signbit(float_of(halves[i])), std::signbit(x[i])) << x[i];
  }
}

TEST_P(EachRounding, IsNeverFurtherThanHalfAStepOfBf16) {
  const auto x = random_floats(1003, 1, 100);
  std::vector<std::uint16_t> rounded(x.size());
  kernels_->to_bf16(x.size(), x.data(), rounded.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_LE(std::abs(float_of(rounded[i]) - x[i]), std::abs(x[i]) * 0x1p-8F) << x[i];
  }
}

TEST_P(EachRounding, KeepsWhatIsNotANumber) {
  std::vector<float> x(19, 1.0F);
  x[0] = x[18] = std::numeric_limits<float>::quiet_NaN();
  x[3] = std::numeric_limits<float>::infinity();
  x[4] = std::bit_cast<float>(0x7f800001U);  // its payload is below bf16's bits
  std::vector<std::uint16_t> rounded(x.size());
  kernels_->to_bf16(x.size(), x.data(), rounded.data());
  EXPECT_TRUE(std::isnan(float_of(rounded[0])) && std::isnan(float_of(rounded[18])));
  EXPECT_EQ(float_of(rounded[3]), x[3]);
  EXPECT_TRUE(std::isnan(float_of(rounded[4])));
}

TEST_P(EachRounding, MakesBytesThatAreHalfAStepAwayAtMost) {
  for (const std::size_t n : {1UL, 16UL, 37UL, 384UL}) {
    for (const float shift : {0.0F, 0.9F, -5.0F, 7.0F}) {
      auto x = random_floats(n, n);
      for (float& value : x) value += shift;
      std::vector<std::uint8_t> bytes(n, 0xcc);
      const RowScale scale = kernels_->quantize_row(n, x.data(), bytes.data());
      EXPECT_GE(scale.zero, 0);
      EXPECT_LE(scale.zero, 255);
      for (std::size_t i = 0; i < n; ++i) {
        const float back = scale.step * static_cast<float>(static_cast<int>(bytes[i]) - scale.zero);
        // The zero itself is rounded, so the ends may be cut by half a step more.
        EXPECT_NEAR(back, x[i], scale.step * 1.001F) << n << " " << i;
      }
    }
  }
}

TEST_P(EachRounding, KeepsZeroExactAndUsesTheWholeRange) {
  const std::vector<float> x = {0.0F, -0.17F, 3.0F, 0.0F, 1.0F};
  std::vector<std::uint8_t> bytes(x.size());
  const RowScale scale = kernels_->quantize_row(x.size(), x.data(), bytes.data());
  EXPECT_EQ(bytes[0], scale.zero);
  EXPECT_EQ(bytes[1], 0);
  EXPECT_EQ(bytes[2], 255);
  EXPECT_NEAR(scale.step, 3.17F / 255, 1e-7F);
  const std::vector<float> nothing(20, 0.0F);
  std::vector<std::uint8_t> none(20, 9);
  const RowScale flat = kernels_->quantize_row(20, nothing.data(), none.data());
  for (const std::uint8_t byte : none) EXPECT_EQ(byte, flat.zero);
  EXPECT_EQ(flat.step, 1.0F);
}

TEST_P(EachRounding, MakesNoNumberOfARowThatIsNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const std::size_t at : {0UL, 5UL, 18UL}) {
      auto x = random_floats(19, 3);
      x[at] = bad;
      std::vector<std::uint8_t> bytes(x.size());
      EXPECT_FALSE(std::isfinite(kernels_->quantize_row(19, x.data(), bytes.data()).step)) << at;
    }
  }
}

TEST_P(EachRounding, MakesFloatsOfSums) {
  for (const std::size_t n : {1UL, 32UL, 45UL}) {
    std::vector<std::int32_t> sums(n), weights(n);
    for (std::size_t i = 0; i < n; ++i) {
      sums[i] = static_cast<std::int32_t>(i * 7919) - 40000;
      weights[i] = static_cast<std::int32_t>(i * 31) - 100;
    }
    const auto steps = random_floats(n, 1, 0.01), bias = random_floats(n, 2),
               before = random_floats(n, 3);
    for (const bool with_bias : {false, true}) {
      for (const bool add : {false, true}) {
        auto out = before;
        kernels_->dequantize_row({.n = n,
                                  .sums = sums.data(),
                                  .in = {.step = 0.02F, .zero = 117},
                                  .steps = steps.data(),
                                  .weight_sums = weights.data(),
                                  .bias = with_bias ? bias.data() : nullptr,
                                  .accumulate = add},
                                 out.data());
        for (std::size_t i = 0; i < n; ++i) {
          double expected = 0.02 * static_cast<double>(steps[i]) * (sums[i] - 117.0 * weights[i]);
          if (with_bias) expected += static_cast<double>(bias[i]);
          if (add) expected += static_cast<double>(before[i]);
          EXPECT_NEAR(out[i], expected, 1e-5 + 1e-6 * std::abs(expected)) << i;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EachRounding, testing::Values("portable", "avx2", "avx512"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace plumb::nn
