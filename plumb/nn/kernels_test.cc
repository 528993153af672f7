// Each loop, on each instruction set of this machine, against a plain formula in double; backwards
// against central differences of that formula.
#include "plumb/nn/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "plumb/nn/testing.h"

namespace plumb::nn {
namespace {

using Doubles = std::vector<double>;

Doubles doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

class EachKernel : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    kernels_ = kernels_named(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this machine has no " << GetParam();
  }
  const Kernels* kernels_ = nullptr;
};

void expect_close(const std::vector<float>& values, const Doubles& expected, double tolerance,
                  const std::string& what = "") {
  ASSERT_EQ(values.size(), expected.size());
  double squares = 0;
  for (const double x : expected) squares += x * x;
  const double typical = std::sqrt(squares / static_cast<double>(expected.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i], expected[i], tolerance * std::max(std::abs(expected[i]), typical) + 1e-6)
        << what << " at " << i;
  }
}

// d/dx of sum(weights * f(x)) by central differences.
Doubles differences(const std::function<Doubles(const Doubles&)>& f, Doubles x,
                    const std::vector<float>& weights) {
  constexpr double kStep = 1e-5;
  const auto loss = [&] {
    const Doubles y = f(x);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * static_cast<double>(weights[i]);
    return sum;
  };
  Doubles result;
  for (double& value : x) {
    const double kept = value;
    value = kept + kStep;
    const double up = loss();
    value = kept - kStep;
    result.push_back((up - loss()) / (2 * kStep));
    value = kept;
  }
  return result;
}

TEST_P(EachKernel, MultipliesSmallMatricesOfAnySize) {
  for (const auto [m, n, k] : {std::array<std::size_t, 3>{1, 1, 1},
                               {7, 64, 8},
                               {64, 8, 64},
                               {13, 37, 5},
                               {6, 16, 3},
                               {2, 131, 9},
                               {5, 12, 0}}) {
    for (const bool transposed : {false, true}) {
      const auto a = random_floats(m * k, 1), b = random_floats(k * n, 2);
      auto c = random_floats(m * n, 3);
      Doubles expected = doubles(c);
      const std::size_t row = transposed ? 1 : k, column = transposed ? m : 1;
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          for (std::size_t l = 0; l < k; ++l) {
            expected[i * n + j] +=
                static_cast<double>(a[i * row + l * column]) * static_cast<double>(b[l * n + j]);
          }
        }
      }
      kernels_->small_product({m, n, k, a.data(), row, column, b.data(), n, c.data(), n, true});
      expect_close(c, expected, 1e-5);
    }
  }
}

TEST_P(EachKernel, MultipliesPackedWeightsTheSameForAnyNumberOfRows) {
  const std::size_t m = 9, n = 333, k = 24;  // panels together, one alone, and a part of one
  const auto in = random_floats(m * k, 1), weight = random_floats(n * k, 2),
             bias = random_floats(n, 3);
  std::vector<float> packed(packed_size(*kernels_, n, k)), out(m * n), single(n);
  kernels_->pack(n, k, weight.data(), packed.data());
  kernels_->packed_product(m, n, k, in.data(), packed.data(), bias.data(), out.data());
  Doubles expected(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      expected[i * n + j] = static_cast<double>(bias[j]);
      for (std::size_t l = 0; l < k; ++l) {
        expected[i * n + j] +=
            static_cast<double>(in[i * k + l]) * static_cast<double>(weight[j * k + l]);
      }
    }
  }
  expect_close(out, expected, 1e-5);
  for (std::size_t i = 0; i < m; ++i) {
    kernels_->packed_product(1, n, k, in.data() + i * k, packed.data(), bias.data(), single.data());
    EXPECT_TRUE(std::equal(single.begin(), single.end(), out.data() + i * n)) << i;
  }
  kernels_->packed_product(m, n, k, in.data(), packed.data(), nullptr, out.data());
  kernels_->packed_product(1, n, k, in.data(), packed.data(), nullptr, single.data());
  EXPECT_TRUE(std::equal(single.begin(), single.end(), out.data()));
}

TEST_P(EachKernel, NormalisesByTheRootMeanSquare) {
  for (const std::size_t n : {3UL, 16UL, 45UL}) {
    const Rows shape{4, n};
    const auto x = random_floats(4 * n, 1), gain = random_floats(n, 2),
               d_out = random_floats(4 * n, 3), start = random_floats(4 * n, 4);
    std::vector<float> out(4 * n), inverse(4), d_x = start, d_gain(n);
    kernels_->rms_norm(shape, x.data(), gain.data(), 1e-3F, out.data(), inverse.data());
    const auto formula = [&](const Doubles& v, const Doubles& g) {
      Doubles y(v.size());
      for (std::size_t row = 0; row < 4; ++row) {
        double squares = 0;
        for (std::size_t i = 0; i < n; ++i) squares += v[row * n + i] * v[row * n + i];
        const double rms = std::sqrt(squares / static_cast<double>(n) + 1e-3);
        for (std::size_t i = 0; i < n; ++i) y[row * n + i] = v[row * n + i] / rms * g[i];
      }
      return y;
    };
    expect_close(out, formula(doubles(x), doubles(gain)), 1e-5);
    kernels_->rms_norm_backward(shape, x.data(), gain.data(), inverse.data(), d_out.data(),
                                d_x.data(), d_gain.data());
    Doubles by_x =
        differences([&](const Doubles& v) { return formula(v, doubles(gain)); }, doubles(x), d_out);
    for (std::size_t i = 0; i < by_x.size(); ++i) by_x[i] += static_cast<double>(start[i]);
    expect_close(d_x, by_x, 1e-4, "d_x");
    expect_close(
        d_gain,
        differences([&](const Doubles& g) { return formula(doubles(x), g); }, doubles(gain), d_out),
        1e-4, "d_gain");
  }
}

TEST_P(EachKernel, NormalisesByMeanAndDeviation) {
  for (const std::size_t n : {3UL, 16UL, 45UL}) {
    const Rows shape{4, n};
    const auto x = random_floats(4 * n, 1), gain = random_floats(n, 2), bias = random_floats(n, 5),
               d_out = random_floats(4 * n, 3);
    std::vector<float> out(4 * n), mean(4), inverse(4), d_x(4 * n), d_gain(n), d_bias(n);
    kernels_->layer_norm(shape, x.data(), gain.data(), bias.data(), 1e-3F, out.data(), mean.data(),
                         inverse.data());
    const auto formula = [&](const Doubles& v, const Doubles& g, const Doubles& b) {
      Doubles y(v.size());
      for (std::size_t row = 0; row < 4; ++row) {
        const double* own = v.data() + row * n;
        const double middle = std::accumulate(own, own + n, 0.0) / static_cast<double>(n);
        double squares = 0;
        for (std::size_t i = 0; i < n; ++i) squares += (own[i] - middle) * (own[i] - middle);
        const double deviation = std::sqrt(squares / static_cast<double>(n) + 1e-3);
        for (std::size_t i = 0; i < n; ++i) {
          y[row * n + i] = (own[i] - middle) / deviation * g[i] + b[i];
        }
      }
      return y;
    };
    const Doubles g = doubles(gain), b = doubles(bias);
    expect_close(out, formula(doubles(x), g, b), 1e-5);
    kernels_->layer_norm_backward(shape, x.data(), gain.data(), mean.data(), inverse.data(),
                                  d_out.data(), d_x.data(), d_gain.data(), d_bias.data());
    expect_close(d_x,
                 differences([&](const Doubles& v) { return formula(v, g, b); }, doubles(x), d_out),
                 1e-4, "d_x");
    expect_close(d_gain,
                 differences([&](const Doubles& v) { return formula(doubles(x), v, b); }, g, d_out),
                 1e-4, "d_gain");
    expect_close(d_bias,
                 differences([&](const Doubles& v) { return formula(doubles(x), g, v); }, b, d_out),
                 1e-4, "d_bias");
  }
}

TEST_P(EachKernel, TurnsPairsByTheAngleOfTheirPosition) {
  const std::size_t heads = 2, width = 6, rotary = 4;  // two dimensions stay
  const std::vector<std::uint32_t> positions = {0, 3};
  std::vector<float> cosine, sine;
  for (std::size_t t = 0; t < 4; ++t) {
    for (std::size_t i = 0; i < 2; ++i) {
      cosine.push_back(
          static_cast<float>(std::cos(static_cast<double>(t) / (1.0 + static_cast<double>(i)))));
      sine.push_back(
          static_cast<float>(std::sin(static_cast<double>(t) / (1.0 + static_cast<double>(i)))));
    }
  }
  const auto x = random_floats(2 * heads * width, 1);
  auto turned = x;
  const Rows shape{2, heads * width};
  kernels_->rotate(shape, turned.data(), heads, width, rotary, positions.data(), cosine.data(),
                   sine.data(), false);
  Doubles expected = doubles(x);
  for (std::size_t head = 0; head < heads; ++head) {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::size_t a = (heads + head) * width + i;
      const double angle = 3.0 / (1.0 + static_cast<double>(i));
      expected[a] = static_cast<double>(x[a]) * std::cos(angle) -
                    static_cast<double>(x[a + 2]) * std::sin(angle);
      expected[a + 2] = static_cast<double>(x[a + 2]) * std::cos(angle) +
                        static_cast<double>(x[a]) * std::sin(angle);
    }
  }
  expect_close(turned, expected, 1e-6);
  // A rotation's transpose is its inverse, and the gradient's path.
  kernels_->rotate(shape, turned.data(), heads, width, rotary, positions.data(), cosine.data(),
                   sine.data(), true);
  expect_close(turned, doubles(x), 1e-6);
}

double activation(Activation kind, double x) {
  switch (kind) {
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kGeluErf:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kRelu:
      return std::max(x, 0.0);
  }
  return 0;
}

TEST_P(EachKernel, Activates) {
  for (const auto kind :
       {Activation::kSilu, Activation::kGeluTanh, Activation::kGeluErf, Activation::kRelu}) {
    for (const bool gated : {false, true}) {
      const std::size_t n = 37, in_width = gated ? 2 * n : n;
      const auto in = random_floats(3 * in_width, 1, 6.0), d_out = random_floats(3 * n, 2);
      std::vector<float> out(3 * n), d_in(3 * in_width);
      const auto formula = [&](const Doubles& x) {
        Doubles y(3 * n);
        for (std::size_t row = 0; row < 3; ++row) {
          for (std::size_t i = 0; i < n; ++i) {
            const double* own = x.data() + row * in_width;
            y[row * n + i] = activation(kind, own[i]) * (gated ? own[n + i] : 1.0);
          }
        }
        return y;
      };
      kernels_->activate(kind, gated, {3, n}, in.data(), out.data());
      expect_close(out, formula(doubles(in)), 2e-6);
      kernels_->activate_backward(kind, gated, {3, n}, in.data(), d_out.data(), d_in.data());
      expect_close(d_in, differences(formula, doubles(in), d_out), 1e-4);
    }
  }
}

TEST_P(EachKernel, ActivatesLargeAndSmallNumbersWithoutNan) {
  const std::vector<float> in = {-1e30F, -1000, -100, -1e-30F, 0, 1e-30F, 100, 1000, 1e30F};
  for (const auto kind : {Activation::kSilu, Activation::kGeluErf, Activation::kRelu}) {
    std::vector<float> out(in.size());
    kernels_->activate(kind, false, {1, in.size()}, in.data(), out.data());
    for (std::size_t i = 0; i < in.size(); ++i) {
      EXPECT_NEAR(out[i], std::max(in[i], 0.0F), 1e-6 * std::abs(in[i]) + 1e-30) << in[i];
    }
  }
}

// Attention of one head in double: out [T, width] of x = [T, 3, width].
Doubles attention(const Doubles& x, std::size_t tokens, std::size_t width, bool causal,
                  const Doubles& bias) {
  Doubles out(tokens * width);
  for (std::size_t q = 0; q < tokens; ++q) {
    const std::size_t keys = causal ? q + 1 : tokens;
    Doubles p(keys);
    double sum = 0;
    for (std::size_t k = 0; k < keys; ++k) {
      double score = bias.empty() ? 0.0 : bias[tokens - 1 + q - k];
      for (std::size_t d = 0; d < width; ++d) {
        score += x[q * 3 * width + d] * x[k * 3 * width + width + d] /
                 std::sqrt(static_cast<double>(width));
      }
      sum += p[k] = std::exp(score);
    }
    for (std::size_t k = 0; k < keys; ++k) {
      for (std::size_t d = 0; d < width; ++d) {
        out[q * width + d] += p[k] / sum * x[k * 3 * width + 2 * width + d];
      }
    }
  }
  return out;
}

HeadForward head_of(const std::vector<float>& x, std::size_t tokens, std::size_t width, bool causal,
                    const float* bias, std::vector<float>& out, std::vector<float>& log_sum,
                    std::vector<float>& scratch) {
  scratch.resize(attention_scratch(width));
  return {.tokens = tokens,
          .head_width = width,
          .query = x.data(),
          .key = x.data() + width,
          .value = x.data() + 2 * width,
          .row = 3 * width,
          .out = out.data(),
          .out_row = width,
          .log_sum = log_sum.data(),
          .scale = 1.0F / std::sqrt(static_cast<float>(width)),
          .causal = causal,
          .bias = bias,
          .scratch = scratch.data()};
}

TEST_P(EachKernel, AttendsOverTilesAsOverOneTable) {
  for (const std::size_t tokens : {1UL, 5UL, 64UL, 65UL, 150UL}) {
    for (const std::size_t width : {3UL, 8UL, 24UL}) {
      for (const bool causal : {false, true}) {
        for (const bool biased : {false, true}) {
          const auto x = random_floats(tokens * 3 * width, 1, 2.0);
          const auto bias = random_floats(2 * tokens - 1, 2);
          std::vector<float> out(tokens * width), log_sum(tokens), scratch;
          kernels_->attention(head_of(x, tokens, width, causal,
                                      biased ? bias.data() + tokens - 1 : nullptr, out, log_sum,
                                      scratch));
          expect_close(
              out, attention(doubles(x), tokens, width, causal, biased ? doubles(bias) : Doubles{}),
              2e-5, fmt::format("{} tokens of {}", tokens, width));
        }
      }
    }
  }
}

TEST_P(EachKernel, CarriesGradientsBackThroughAttention) {
  for (const std::size_t tokens : {1UL, 7UL, 70UL}) {
    for (const bool causal : {false, true}) {
      const std::size_t width = tokens < 10 ? 8 : 3;
      const auto x = random_floats(tokens * 3 * width, 1, 2.0);
      const auto bias = random_floats(2 * tokens - 1, 2), d_out = random_floats(tokens * width, 3);
      std::vector<float> out(tokens * width), log_sum(tokens), scratch, d_x(x.size()),
          d_bias(bias.size());
      const HeadForward forward =
          head_of(x, tokens, width, causal, bias.data() + tokens - 1, out, log_sum, scratch);
      kernels_->attention(forward);
      kernels_->attention_backward({.forward = forward,
                                    .d_out = d_out.data(),
                                    .d_query = d_x.data(),
                                    .d_key = d_x.data() + width,
                                    .d_value = d_x.data() + 2 * width,
                                    .d_row = 3 * width,
                                    .d_bias = d_bias.data() + tokens - 1});
      expect_close(
          d_x,
          differences(
              [&](const Doubles& v) { return attention(v, tokens, width, causal, doubles(bias)); },
              doubles(x), d_out),
          1e-4, "d_x");
      expect_close(
          d_bias,
          differences(
              [&](const Doubles& v) { return attention(doubles(x), tokens, width, causal, v); },
              doubles(bias), d_out),
          1e-4, "d_bias");
    }
  }
}

void expect_decoded_attention(const Kernels& kernels, std::size_t tokens, std::size_t width,
                              std::size_t group) {
  const std::size_t blocks = (tokens + kCacheBlock - 1) / kCacheBlock;
  const auto x = random_floats(tokens * 3 * width, 1, 2.0),
             query = random_floats(group * width, 2, 2.0);
  // What stands behind the last token must not matter.
  std::vector<float> keys(blocks * width * kCacheBlock, 30.0F), values(keys.size(), 1e30F);
  std::vector<float> out(group * width), scratch(kDecodeHeads * blocks * kCacheBlock);
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t d = 0; d < width; ++d) {
      const std::size_t at = (t / kCacheBlock * width + d) * kCacheBlock + t % kCacheBlock;
      keys[at] = x[t * 3 * width + width + d];
      values[at] = x[t * 3 * width + 2 * width + d];
    }
  }
  kernels.attention_decode({.group = group,
                            .keys = tokens,
                            .head_width = width,
                            .query = query.data(),
                            .key = keys.data(),
                            .value = values.data(),
                            .out = out.data(),
                            .scale = 1.0F / std::sqrt(static_cast<float>(width)),
                            .scratch = scratch.data()});
  Doubles expected;
  for (std::size_t head = 0; head < group; ++head) {
    Doubles changed = doubles(x);
    for (std::size_t d = 0; d < width; ++d) {
      changed[(tokens - 1) * 3 * width + d] = static_cast<double>(query[head * width + d]);
    }
    const Doubles all = attention(changed, tokens, width, true, {});
    expected.insert(expected.end(), all.end() - static_cast<std::ptrdiff_t>(width), all.end());
  }
  expect_close(out, expected, 1e-5);
}

TEST_P(EachKernel, DecodesTheLastRowOfAttention) {
  for (const std::size_t tokens : {1UL, 15UL, 16UL, 37UL, 200UL}) {
    for (const std::size_t width : {2UL, 8UL, 18UL, 48UL}) {
      for (const std::size_t group : {1UL, 2UL, 7UL}) {
        expect_decoded_attention(*kernels_, tokens, width, group);
      }
    }
  }
}

TEST_P(EachKernel, TurnsLogitsIntoProbabilities) {
  for (const std::size_t n : {1UL, 5UL, 16UL, 61UL}) {
    const auto logits = random_floats(n, 1, 30.0);
    double sum = 0, entropy = 0;
    for (const float x : logits) sum += std::exp(static_cast<double>(x));
    Doubles expected;
    for (const float x : logits) {
      expected.push_back(std::exp(static_cast<double>(x)) / sum);
      entropy -= expected.back() * std::log(expected.back());
    }
    auto p = logits;
    const float log_sum = kernels_->softmax(n, p.data());
    EXPECT_NEAR(log_sum, std::log(sum), 1e-5 * std::abs(std::log(sum)));
    expect_close(p, expected, 2e-6);
    EXPECT_NEAR(kernels_->entropy(n, logits.data(), log_sum), entropy, 1e-4 * entropy + 1e-4);
  }
}

TEST_P(EachKernel, AddsScalesAndSums) {
  const std::size_t n = 1100;
  const auto x = random_floats(n, 1);
  auto y = random_floats(n, 2);
  Doubles expected = doubles(y);
  double squares = 0, dot = 0;
  for (std::size_t i = 0; i < n; ++i) {
    expected[i] = (expected[i] + static_cast<double>(x[i])) * 0.5 + 3.0 * static_cast<double>(x[i]);
    squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  kernels_->add(n, x.data(), y.data());
  kernels_->scale(n, 0.5F, y.data());
  kernels_->axpy(n, 3.0F, x.data(), y.data());
  expect_close(y, expected, 1e-6);
  for (std::size_t i = 0; i < n; ++i) dot += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  EXPECT_NEAR(kernels_->dot(n, x.data(), y.data()), dot, 1e-4 * std::abs(dot));
  EXPECT_NEAR(kernels_->sum_of_squares(n, x.data()), squares, 1e-6 * squares);

  std::vector<float> rows(3 * 19), sums(19, 1.0F);
  kernels_->fill_rows({3, 19}, x.data(), rows.data());
  kernels_->add_columns({3, 19}, rows.data(), sums.data());
  for (std::size_t i = 0; i < 19; ++i) EXPECT_NEAR(sums[i], 1.0F + 3.0F * x[i], 1e-6);
}

TEST_P(EachKernel, StepsAsAdamWithDecoupledDecay) {
  const std::size_t n = 21;
  auto p = random_floats(n, 1), m = random_floats(n, 2), v = random_floats(n, 3);
  const auto g = random_floats(n, 4);
  for (float& x : v) x = std::abs(x);
  Doubles expected;
  for (std::size_t i = 0; i < n; ++i) {
    const double gradient = 0.5 * static_cast<double>(g[i]);
    const double first = 0.9 * static_cast<double>(m[i]) + 0.1 * gradient;
    const double second = 0.95 * static_cast<double>(v[i]) + 0.05 * gradient * gradient;
    const double start = static_cast<double>(p[i]);
    expected.push_back(start - 0.01 * 0.1 * start -
                       0.01 * (first / (1 - std::pow(0.9, 3))) /
                           (std::sqrt(second / (1 - std::pow(0.95, 3))) + 1e-8));
  }
  kernels_->adam({.rate = 0.01F,
                  .beta1 = 0.9F,
                  .beta2 = 0.95F,
                  .epsilon = 1e-8F,
                  .decay = 0.1F,
                  .correction1 = static_cast<float>(1 - std::pow(0.9, 3)),
                  .correction2 = static_cast<float>(1 - std::pow(0.95, 3)),
                  .gradient_scale = 0.5F},
                 n, g.data(), p.data(), m.data(), v.data());
  expect_close(p, expected, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(On, EachKernel, testing::Values("portable", "avx2", "avx512"),
                         [](const auto& param) { return std::string(param.param); });

TEST(Kernels, OfThisMachineAreTheBestItHas) {
  EXPECT_NE(kernels_named("portable"), nullptr);
  EXPECT_EQ(kernels_named("avx9"), nullptr);
  EXPECT_EQ(&kernels(), kernels_named(kernels().name));
}

}  // namespace
}  // namespace plumb::nn
