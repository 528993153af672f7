// A transformer's parameters: one array of floats, and where each tensor stands in it. Gradients
// and the optimiser's moments are arrays of the same layout.
//
//   Transformer model(config);
//   initialise(model, 1);
//   std::span<float> weights = model.tensor(model.layout().layers[0].query_weight, 64 * 64);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/nn/buffer.h"
#include "plumb/nn/config.h"
#include "plumb/nn/safetensors.h"

namespace plumb::nn {

// A tensor of the layout.
struct Parameter {
  std::string name;
  Shape shape;
  std::size_t offset;  // floats from the beginning
  std::size_t size;
};

// Offsets. kAbsent: this transformer has no such tensor.
inline constexpr std::size_t kAbsent = ~std::size_t{0};

struct LayerLayout {
  // Before attention (norm_first) or after it.
  std::size_t norm1_gain = kAbsent, norm1_bias = kAbsent;
  // Queries of all heads, then keys, then values: [query_rows, width].
  std::size_t query_weight = kAbsent, query_bias = kAbsent;
  std::size_t out_weight = kAbsent, out_bias = kAbsent;  // [width, heads * head_width]
  std::size_t norm2_gain = kAbsent, norm2_bias = kAbsent;
  // gated: the gate's rows, then the other half's: [2 * hidden, width]; else [hidden, width].
  std::size_t up_weight = kAbsent, up_bias = kAbsent;
  std::size_t down_weight = kAbsent, down_bias = kAbsent;  // [width, hidden]
};

struct Layout {
  std::size_t token = kAbsent;     // [vocabulary, width]
  std::size_t position = kAbsent;  // [position_rows, width]
  std::size_t segment = kAbsent;   // [segments, width]
  std::size_t embedding_gain = kAbsent, embedding_bias = kAbsent;
  std::size_t relative = kAbsent;  // [relative_buckets, heads]
  std::vector<LayerLayout> layers;
  std::size_t final_gain = kAbsent, final_bias = kAbsent;
  std::size_t head = kAbsent;  // [vocabulary, width]; the token embedding's offset where tied
  std::size_t scalar = kAbsent, scalar_bias = kAbsent;  // [width], [1]

  std::vector<Parameter> parameters;  // in the order of offsets
  std::size_t size = 0;               // floats
};

// REQUIRES: check_config(config).
Layout layout_of(const TransformerConfig& config);

class Transformer {
 public:
  // All parameters zero. REQUIRES: check_config(config). Throws std::bad_alloc.
  explicit Transformer(const TransformerConfig& config);

  const TransformerConfig& config() const { return config_; }
  const Layout& layout() const { return layout_; }
  std::span<float> values() { return values_.span(); }
  std::span<const float> values() const { return values_.span(); }
  // nullptr where `offset` is kAbsent.
  const float* at(std::size_t offset) const {
    return offset == kAbsent ? nullptr : values_.data() + offset;
  }
  float* at(std::size_t offset) { return offset == kAbsent ? nullptr : values_.data() + offset; }

 private:
  TransformerConfig config_;
  Layout layout_;
  Buffer values_;
};

// Weights normal with deviation 0.02, those that write to the residual stream divided by
// sqrt(2 * layers) (Radford et al. 2019), gains 1, biases and the scalar head 0.
void initialise(Transformer& model, std::uint64_t seed);

// cosine, sine: [context, rotary_width / 2] of the angle of each position and pair.
void rotary_tables(const TransformerConfig& config, float* cosine, float* sine);

// Whether weight decay applies: matrices yes; gains, biases and vectors no.
bool decays(const Parameter& parameter);

}  // namespace plumb::nn
