// Backward, in the reverse order of forward.cc. d_x is the loss's gradient by x.
#include <cassert>

#include "plumb/nn/matmul.h"
#include "plumb/nn/pass_state.h"

namespace plumb::nn {

void Pass::State::norm_backward(const float* x, std::size_t gain, std::size_t bias_at,
                                const float* mean, const float* inverse, const float* d_out,
                                float* d_x, float* gradient) const {
  if (config.norm == Norm::kRms) {
    kernels.rms_norm_backward(rows(config.width), x, model.at(gain), inverse, d_out, d_x,
                              gradient + gain);
  } else {
    kernels.layer_norm_backward(rows(config.width), x, model.at(gain), mean, inverse, d_out, d_x,
                                gradient + gain, gradient + bias_at);
  }
}

void Pass::State::linear_backward(const float* in, std::size_t inputs, std::size_t outputs,
                                  std::size_t weight, std::size_t bias_at, const float* d_out,
                                  float* d_in, bool add, float* gradient) const {
  product_tn(outputs, inputs, count(), d_out, in, gradient + weight, Into::kAdd);
  if (bias_at != kAbsent) kernels.add_columns(rows(outputs), d_out, gradient + bias_at);
  product_nn(count(), inputs, outputs, d_out, model.at(weight), d_in,
             add ? Into::kAdd : Into::kReplace);
}

void Pass::State::attention_backward(std::size_t layer, const float* in, const float* d_out,
                                     float* d_in, bool add, float* gradient) {
  const LayerActivations& a = places.layers[layer];
  const LayerLayout& l = layout.layers[layer];
  const Gradients& g = places.gradients;
  const std::size_t row = config.query_rows(), wide = config.heads * config.head_width;
  linear_backward(a.mixed, wide, config.width, l.out_weight, l.out_bias, d_out, g.mixed, false,
                  gradient);
  std::fill_n(g.query, count() * row, 0.0F);
  for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
    for (std::size_t head = 0; head < config.heads; ++head) {
      const HeadForward forward = head_of(a, s, head);
      const auto same_place = [&](const float* x) { return g.query + (x - a.query); };
      kernels.attention_backward({.forward = forward,
                                  .d_out = g.mixed + (forward.out - a.mixed),
                                  .d_query = same_place(forward.query),
                                  .d_key = same_place(forward.key),
                                  .d_value = same_place(forward.value),
                                  .d_row = row,
                                  .d_bias = forward.bias == nullptr
                                                ? nullptr
                                                : d_bias.data() + (forward.bias - bias.data())});
    }
  }
  if (config.positions == Positions::kRotary) {
    kernels.rotate(rows(row), g.query, config.heads + config.key_heads, config.head_width,
                   config.rotary_width, positions.data(), cosine.data(), sine.data(), true);
  }
  linear_backward(in, config.width, row, l.query_weight, l.query_bias, g.query, d_in, add,
                  gradient);
}

void Pass::State::feed_forward_backward(std::size_t layer, const float* in, const float* d_out,
                                        float* d_in, bool add, float* gradient) {
  const LayerActivations& a = places.layers[layer];
  const LayerLayout& l = layout.layers[layer];
  const Gradients& g = places.gradients;
  const std::size_t up = config.hidden * (config.gated ? 2 : 1);
  linear_backward(a.active, config.hidden, config.width, l.down_weight, l.down_bias, d_out,
                  g.active, false, gradient);
  kernels.activate_backward(config.activation, config.gated, rows(config.hidden), a.up, g.active,
                            g.up);
  linear_backward(in, config.width, up, l.up_weight, l.up_bias, g.up, d_in, add, gradient);
}

// In and out: places.gradients.stream, the gradient of the layer's output, then of its input.
void Pass::State::layer_backward(std::size_t layer, float* gradient) {
  const LayerActivations& a = places.layers[layer];
  const LayerLayout& l = layout.layers[layer];
  const Gradients& g = places.gradients;
  const float* in = input_of(layer);
  const auto first_norm = [&](const float* x, const float* d_out, float* d_x) {
    norm_backward(x, l.norm1_gain, l.norm1_bias, a.mean1, a.inverse1, d_out, d_x, gradient);
  };
  const auto second_norm = [&](const float* x, const float* d_out, float* d_x) {
    norm_backward(x, l.norm2_gain, l.norm2_bias, a.mean2, a.inverse2, d_out, d_x, gradient);
  };
  if (!config.norm_first) {
    std::fill_n(g.part, count() * config.width, 0.0F);
    second_norm(a.out, g.stream, g.part);
    std::copy_n(g.part, count() * config.width, g.stream);
    feed_forward_backward(layer, a.norm1_out, g.part, g.stream, true, gradient);
    std::fill_n(g.part, count() * config.width, 0.0F);
    first_norm(a.middle, g.stream, g.part);
    std::copy_n(g.part, count() * config.width, g.stream);
    attention_backward(layer, in, g.part, g.stream, true, gradient);
    return;
  }
  if (config.parallel_residual) {
    // Both parts read the gradient of the output, so neither may add to it before the other is
    // done.
    feed_forward_backward(layer, a.norm2_out, g.stream, g.part, false, gradient);
    attention_backward(layer, a.norm1_out, g.stream, g.mixed, false, gradient);
    second_norm(in, g.part, g.stream);
    first_norm(in, g.mixed, g.stream);
    return;
  }
  feed_forward_backward(layer, a.norm2_out, g.stream, g.part, false, gradient);
  second_norm(a.middle, g.part, g.stream);
  attention_backward(layer, a.norm1_out, g.stream, g.part, false, gradient);
  first_norm(in, g.part, g.stream);
}

void Pass::State::embed_backward(float* gradient) {
  const std::size_t width = config.width;
  const Gradients& g = places.gradients;
  const float* d_sum = g.stream;
  if (config.embedding_norm) {
    std::fill_n(g.part, count() * width, 0.0F);
    norm_backward(places.sum, layout.embedding_gain, layout.embedding_bias, places.mean,
                  places.inverse, g.stream, g.part, gradient);
    d_sum = g.part;
  }
  for (std::size_t t = 0; t < count(); ++t) {
    const float* d = d_sum + t * width;
    kernels.add(width, d, gradient + layout.token + static_cast<std::size_t>(tokens[t]) * width);
    if (layout.position != kAbsent) {
      const std::size_t row = positions[t] + config.position_offset;
      kernels.add(width, d, gradient + layout.position + row * width);
    }
    if (layout.segment != kAbsent) {
      const std::size_t row = segments.empty() ? 0 : static_cast<std::size_t>(segments[t]);
      kernels.add(width, d, gradient + layout.segment + row * width);
    }
  }
}

void Pass::backward(std::span<float> gradient) {
  State& s = *state_;
  assert(s.training() && gradient.size() == s.layout.size);
  const std::size_t wide = s.count() * s.config.width;
  if (s.config.norm_first) {
    const Gradients& g = s.places.gradients;
    std::copy_n(g.stream, wide, g.part);
    std::fill_n(g.stream, wide, 0.0F);
    s.norm_backward(s.places.layers.back().next, s.layout.final_gain, s.layout.final_bias,
                    s.places.final_mean, s.places.final_inverse, g.part, g.stream, gradient.data());
  }
  std::ranges::fill(s.d_bias.span(), 0.0F);
  for (std::size_t layer = s.config.layers; layer-- > 0;) {
    s.layer_backward(layer, gradient.data());
  }
  s.gather_relative_bias(gradient.data());
  s.embed_backward(gradient.data());
}

}  // namespace plumb::nn
