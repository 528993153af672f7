// Text generation: many prompts of different lengths at once, with a cache of keys and values.
//
// A completion depends on its prompt, its index and the options, never on what else is generated or
// on how many threads do it: products here are the engine's own (packed_product), in which a row's
// bits do not depend on the other rows, and each completion has a random stream of its own.
//
//   Generator generator(model);
//   auto completions = generator.generate(prompts, {.max_tokens = 256, .seed = 1});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/nn/transformer.h"

namespace plumb::nn {

struct SampleOptions {
  std::size_t max_tokens = 256;  // new ones, of each completion
  float temperature = 1.0F;      // 0: always the likeliest token, the first of equals
  std::size_t top_k = 0;         // draw from the k likeliest; 0: from all
  float top_p = 1.0F;            // draw from the fewest that together are this likely
  std::vector<std::int32_t> stop_tokens = {};
  std::uint64_t seed = 0;
  std::uint64_t first_index = 0;  // completion i draws from Stream(seed, "sample", first_index + i)
  int threads = 0;                // 0: all; never changes a result
  Progress progress = {};         // completions done
};

enum class Ending : std::uint8_t { kStopToken, kMaxTokens, kContext };

struct Completion {
  std::vector<std::int32_t> tokens;  // new ones, the stop token included
  std::vector<float>
      log_probabilities;  // of each, by the model as it is: temperature 1, all tokens
  Ending ending = Ending::kMaxTokens;
};

// Picks a token of `logits` (which it overwrites) as the options say. draw: uniform on [0, 1).
std::int32_t pick_token(std::span<float> logits, const SampleOptions& options, double draw);

class Generator {
 public:
  // Packs the weights: a copy of them. REQUIRES: causal, norm_first, language_head. `model` must
  // outlive the generator.
  explicit Generator(const Transformer& model);
  Generator(Generator&&) noexcept;
  ~Generator();

  // Takes the model's weights anew, after a training step.
  void refresh();

  // One completion a prompt, in their order. REQUIRES: each prompt has 1 to context tokens.
  std::vector<Completion> generate(std::span<const std::vector<std::int32_t>> prompts,
                                   const SampleOptions& options) const;

  // The logits [tokens, vocabulary] after each token of a text, as generation computes them.
  std::vector<float> logits(std::span<const std::int32_t> tokens) const;

  struct Weights;

 private:
  const Transformer& model_;
  std::unique_ptr<Weights> weights_;
};

}  // namespace plumb::nn
