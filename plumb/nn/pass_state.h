// What a pass holds: the arena and the places in it. Shared by forward.cc, backward.cc and
// heads.cc.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "plumb/nn/buffer.h"
#include "plumb/nn/inference.h"
#include "plumb/nn/kernels.h"
#include "plumb/nn/pass.h"

namespace plumb::nn {

// Activations that a backward reads again. In inference all layers share one set.
struct LayerActivations {
  float* norm1_out;         // [T, width]
  float *mean1, *inverse1;  // [T] of the first norm
  float* query;             // [T, query_rows], turned
  float* mixed;             // [T, heads * head_width] out of attention
  float* log_sum;           // [heads, T]
  float* middle;            // [T, width] behind attention
  float* norm2_out;         // [T, width]
  float *mean2, *inverse2;  // [T]
  float* up;                // [T, hidden or 2 * hidden]
  float* active;            // [T, hidden]
  float* out;               // [T, width] of the layer; post-norm: before its last norm
  float* next;              // [T, width] what the next layer reads
};

// Gradients of one layer at a time.
struct Gradients {
  float *stream, *part;  // [T, width] of the residual stream and of a part's input
  float* mixed;          // [T, heads * head_width]
  float* query;          // [T, query_rows]
  float* active;         // [T, hidden]
  float* up;             // [T, hidden or 2 * hidden]
};

// Hands out pieces of one allocation; with no memory behind it, it only counts.
class Arena {
 public:
  explicit Arena(float* memory) : memory_(memory) {}
  float* take(std::size_t floats) {
    float* piece = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += (floats + 15) / 16 * 16;
    return piece;
  }
  std::size_t used() const { return used_; }

 private:
  float* memory_;
  std::size_t used_ = 0;
};

struct Places {
  float* embedded;              // [T, width] what layer 0 reads
  float *sum, *mean, *inverse;  // of the embedding norm
  std::vector<LayerActivations> layers;
  float *final_out, *final_mean, *final_inverse;
  Gradients gradients;
  float* scratch;                  // of attention
  float *head_rows, *d_head_rows;  // [chunk, width]
  float* logits;                   // [chunk, vocabulary]
  std::size_t chunk = 0;           // rows of logits at a time
};

// Of inference with room for whole steps of rows (packed_matrix.h).
Places places_in(Arena& arena, const TransformerConfig& config, std::size_t max_tokens,
                 PassKind kind);

struct Pass::State {
  State(const Transformer& model, std::size_t max_tokens, PassKind kind,
        const InferenceWeights* prepared = nullptr);

  const Transformer& model;
  const TransformerConfig& config;
  const Layout& layout;
  const Kernels& kernels;
  std::size_t max_tokens;
  PassKind kind;
  const InferenceWeights* prepared;  // nullptr: products read the model's own floats
  std::optional<InferenceScratch> scratch;
  Buffer arena;
  Places places;
  Buffer cosine, sine;  // [context, rotary_width / 2]

  // Of the current batch.
  std::vector<std::int32_t> tokens, segments;
  std::vector<std::uint32_t> starts, positions;  // positions from 0 in each sequence
  const float* hidden = nullptr;                 // [T, width] the output
  std::size_t longest = 0;
  Buffer bias, d_bias;  // [heads, 2 * longest - 1] by distance

  std::size_t count() const { return tokens.size(); }
  Rows rows(std::size_t width) const { return {count(), width}; }
  bool training() const { return kind == PassKind::kTraining; }

  // What layer i reads: [T, width].
  const float* input_of(std::size_t layer) const {
    return layer == 0 ? places.embedded : places.layers[layer - 1].next;
  }

  // out = x norm'ed; the statistics are kept for the backward.
  void norm(const float* x, std::size_t gain, std::size_t bias_at, float* out, float* mean,
            float* inverse) const;
  void norm_backward(const float* x, std::size_t gain, std::size_t bias_at, const float* mean,
                     const float* inverse, const float* d_out, float* d_x, float* gradient) const;

  // One head of one sequence, as the kernels take it.
  HeadForward head_of(const LayerActivations& a, std::size_t sequence, std::size_t head) const;

  // out (+)= in W^T + b, over the tokens of the batch.
  void linear(const float* in, std::size_t inputs, std::size_t outputs, std::size_t weight,
              std::size_t bias_at, float* out, bool add);
  // d_in (+)= d_out W; dW += d_out^T in; db += the rows of d_out.
  void linear_backward(const float* in, std::size_t inputs, std::size_t outputs, std::size_t weight,
                       std::size_t bias_at, const float* d_out, float* d_in, bool add,
                       float* gradient) const;

  void begin(const Batch& batch);
  void embed();
  void embed_backward(float* gradient);
  void spread_relative_bias();
  void gather_relative_bias(float* gradient);
  void attention(std::size_t layer, const float* in, const float* residual, float* out);
  void attention_backward(std::size_t layer, const float* in, const float* d_out, float* d_in,
                          bool add, float* gradient);
  void feed_forward(std::size_t layer, const float* in, const float* residual, float* out);
  void feed_forward_backward(std::size_t layer, const float* in, const float* d_out, float* d_in,
                             bool add, float* gradient);
  void layer_forward(std::size_t layer);
  void layer_backward(std::size_t layer, float* gradient);

  // Calls body(rows, logits) for chunks of `rows`; where `gradient` is not null, what it leaves in
  // place of the logits goes back to the hidden states and the head.
  void each_chunk(std::span<const std::size_t> chosen, const LogitLoss& body, float* gradient);
};

}  // namespace plumb::nn
