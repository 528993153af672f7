// The forward of generation: rows of (sequence, position, token), one layer at a time, with the
// keys and values of earlier tokens from a cache. Used by generator.cc and guided_generator.cc
// alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "plumb/nn/generator.h"
#include "plumb/nn/kernels.h"

namespace plumb::nn {

// A layer's weights as packed_product takes them.
struct PackedLayer {
  Buffer query, out, up, down;
};

struct Generator::Weights {
  std::vector<PackedLayer> layers;
  Buffer head;
  Buffer cosine, sine;  // [context, rotary_width / 2]
};

// With the language head where there is one.
std::unique_ptr<Generator::Weights> pack_weights(const Transformer& model);

// One token to compute. Rows of one slot come in the order of their positions.
struct DecoderRow {
  std::size_t slot;
  std::uint32_t position;
  std::int32_t token;
};

class Decoder {
 public:
  // A cache of `slots` sequences of at most `capacity` tokens; at most `max_rows` rows at a time.
  Decoder(const Transformer& model, const Generator::Weights& weights, std::size_t slots,
          std::size_t capacity, std::size_t max_rows);

  void step(std::span<const DecoderRow> rows);

  // The logits [vocabulary] of a row of the last step; computed now, for these rows alone.
  // wanted: rows, ascending. logits: [wanted, vocabulary]
  void logits(std::span<const std::size_t> wanted, std::span<float> logits);

  // The same of the scalar head. scalars: [wanted]
  void scalars(std::span<const std::size_t> wanted, std::span<float> scalars);

 private:
  void final_norm(std::span<const std::size_t> wanted);
  void embed(std::span<const DecoderRow> rows);
  void norm(const float* x, std::size_t gain, std::size_t bias, float* out);
  void attention(std::size_t layer, std::span<const DecoderRow> rows);
  void remember(std::size_t layer, std::span<const DecoderRow> rows);
  float* keys(std::size_t slot, std::size_t layer, std::size_t head);
  float* values(std::size_t slot, std::size_t layer, std::size_t head);

  const Transformer& model_;
  const TransformerConfig& config_;
  const Generator::Weights& weights_;
  const Kernels& kernels_;
  std::size_t blocks_;    // of a sequence's cache, see HeadDecode
  std::size_t rows_ = 0;  // of this step
  Buffer keys_, values_;  // [slots, layers, key_heads, blocks, head_width, kCacheBlock]
  Buffer x_, normed_, query_, mixed_, up_, active_, part_, scores_, statistics_;
  std::vector<std::uint32_t> positions_;
};

}  // namespace plumb::nn
