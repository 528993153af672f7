// Speed of the engine: training steps of two shapes, beside a large product of oneDNN in the same
// process as the ceiling.
//
//   lm_bench train 260k|15m THREADS
//   lm_bench generate SAMPLES THREADS      260k's shape, random weights, 256 tokens each
//   lm_bench ceiling THREADS
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/nn/generator.h"
#include "plumb/nn/matmul.h"
#include "plumb/nn/trainer.h"

namespace {

using plumb::nn::Pass;
using plumb::nn::TransformerConfig;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The fastest of several runs, after one that warms up.
double best_of(int runs, const std::function<void()>& work) {
  work();
  double best = seconds_of(work);
  for (int i = 1; i < runs; ++i) best = std::min(best, seconds_of(work));
  return best;
}

// GFLOP/s of products 2048 x 2048 x 2048, one in each thread.
double ceiling(int threads) {
  constexpr std::size_t kSize = 2048;
  const auto count = static_cast<std::size_t>(threads);
  std::vector<std::vector<float>> a(count), b(count), c(count);
  for (std::size_t i = 0; i < count; ++i) {
    a[i].assign(kSize * kSize, 0.5F);
    b[i].assign(kSize * kSize, 0.25F);
    c[i].assign(kSize * kSize, 0.0F);
  }
  const double seconds = best_of(5, [&] {
    plumb::parallel_for(count, 1, threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        plumb::nn::product_nn(kSize, kSize, kSize, a[i].data(), b[i].data(), c[i].data());
      }
    });
  });
  return 2e-9 * static_cast<double>(kSize * kSize * kSize * count) / seconds;
}

TransformerConfig shape(const std::string& name) {
  TransformerConfig c;
  const bool small = name == "260k";
  c.vocabulary = small ? 512 : 32000;
  c.width = small ? 64 : 288;
  c.layers = small ? 5 : 6;
  c.heads = small ? 8 : 6;
  c.key_heads = small ? 4 : 6;
  c.head_width = c.rotary_width = c.width / c.heads;
  c.hidden = small ? 172 : 768;
  c.context = small ? 512 : 256;
  return c;
}

// Multiplications and additions of a forward a token: weights, and attention over half the length.
double forward_flops(const TransformerConfig& c, std::size_t length, bool causal) {
  const auto d = [](std::size_t x) { return static_cast<double>(x); };
  const double weights =
      d(c.layers) * d(c.width) *
          (d(c.query_rows()) + d(c.heads * c.head_width) + (c.gated ? 3.0 : 2.0) * d(c.hidden)) +
      (c.language_head ? d(c.vocabulary) * d(c.width) : 0.0);
  return 2 * weights +
         4 * d(c.layers) * d(c.heads * c.head_width) * d(length) * (causal ? 0.5 : 1.0);
}

void train(const std::string& name, int threads, std::size_t tokens_at_once) {
  constexpr std::size_t kBatch = 8, kLength = 256;
  plumb::nn::Transformer model(shape(name));
  plumb::nn::initialise(model, 1);
  plumb::nn::Trainer trainer(model, {.adam = {}, .max_tokens = tokens_at_once, .threads = threads});
  std::vector<std::int32_t> ids(kBatch * (kLength + 1));
  plumb::Stream stream(1, "bench", 0);
  for (auto& id : ids) id = static_cast<std::int32_t>(stream.below(model.config().vocabulary));
  std::vector<std::int32_t> tokens, targets;
  for (std::size_t s = 0; s < kBatch; ++s) {
    for (std::size_t t = 0; t < kLength; ++t) {
      tokens.push_back(ids[s * (kLength + 1) + t]);
      targets.push_back(ids[s * (kLength + 1) + t + 1]);
    }
  }
  const std::vector<std::size_t> lengths(kBatch, kLength);
  const std::size_t shards = trainer.shards(), each = (kBatch + shards - 1) / shards;
  const auto step = [&] {
    trainer.accumulate([&](std::size_t shard, Pass& pass, std::span<float> gradient) {
      const std::size_t first = std::min(shard * each, kBatch),
                        end = std::min(first + each, kBatch);
      for (const auto range : plumb::nn::cut_batches(std::span(lengths).subspan(first, end - first),
                                                     trainer.max_tokens())) {
        std::vector<std::uint32_t> starts;
        for (std::size_t i = 0; i <= range.count; ++i)
          starts.push_back(static_cast<std::uint32_t>(i * kLength));
        const std::size_t at = (first + range.first) * kLength, count = range.count * kLength;
        pass.forward({std::span(tokens).subspan(at, count), starts});
        pass.add_cross_entropy(std::span(targets).subspan(at, count), 1.0F / (kBatch * kLength),
                               gradient);
        pass.backward(gradient);
      }
    });
    trainer.step(1e-3F);
  };
  const double seconds = best_of(name == "260k" ? 20 : 4, step);
  const double rate = kBatch * kLength / seconds;
  const double top = ceiling(threads);
  const double gflops = 3e-9 * forward_flops(model.config(), kLength, true) * rate;
  fmt::print(
      "{{\"shape\":\"{}\",\"threads\":{},\"tokens_per_s\":{:.0f},\"gflops\":{:.1f},"
      "\"ceiling\":{:.1f},\"share\":{:.3f}}}\n",
      name, threads, rate, gflops, top, gflops / top);
}

void generate(std::size_t samples, int threads) {
  constexpr std::size_t kTokens = 256;
  plumb::nn::Transformer model(shape("260k"));
  plumb::nn::initialise(model, 1);
  const plumb::nn::Generator generator(model);
  const std::vector<std::vector<std::int32_t>> prompts(samples, {1});
  const double seconds =
      best_of(5, [&] { generator.generate(prompts, {.max_tokens = kTokens, .threads = threads}); });
  fmt::print("{{\"samples\":{},\"threads\":{},\"tokens_per_s\":{:.0f}}}\n", samples, threads,
             static_cast<double>(samples * kTokens) / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "train" && argc > 3) {
    train(argv[2], std::atoi(argv[3]), argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 0);
  } else if (what == "generate" && argc > 3) {
    generate(std::strtoul(argv[2], nullptr, 10), std::atoi(argv[3]));
  } else if (what == "ceiling" && argc > 2) {
    fmt::print("{{\"gflops\":{:.1f}}}\n", ceiling(std::atoi(argv[2])));
  } else {
    return 2;
  }
  return 0;
}
