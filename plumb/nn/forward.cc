// Forward, one function a part. T: tokens of the batch.
#include <cmath>

#include "plumb/nn/matmul.h"
#include "plumb/nn/pass_state.h"

namespace plumb::nn {
namespace {

// The bucket of the distance query - key (Raffel et al. 2020, as MPNet uses it): half of them for
// keys behind the query; small distances have their own, larger ones share by logarithm.
std::size_t relative_bucket(std::ptrdiff_t distance, std::size_t buckets, std::size_t furthest) {
  const std::size_t half = buckets / 2, exact = half / 2;
  const std::size_t first = distance < 0 ? half : 0;
  const auto far = static_cast<std::size_t>(distance < 0 ? -distance : distance);
  if (far < exact) return first + far;
  const double share = std::log(static_cast<double>(far) / static_cast<double>(exact)) /
                       std::log(static_cast<double>(furthest) / static_cast<double>(exact));
  const auto steps = static_cast<std::size_t>(share * static_cast<double>(half - exact));
  return first + std::min(half - 1, exact + steps);
}

}  // namespace

void Pass::State::norm(const float* x, std::size_t gain, std::size_t bias_at, float* out,
                       float* mean, float* inverse) const {
  if (config.norm == Norm::kRms) {
    kernels.rms_norm(rows(config.width), x, model.at(gain), config.norm_epsilon, out, inverse);
  } else {
    kernels.layer_norm(rows(config.width), x, model.at(gain), model.at(bias_at),
                       config.norm_epsilon, out, mean, inverse);
  }
}

void Pass::State::linear(const float* in, std::size_t inputs, std::size_t outputs,
                         std::size_t weight, std::size_t bias_at, float* out, bool add) {
  if (prepared != nullptr) {
    return prepared->linear(weight, count(), in, out, add ? Into::kAdd : Into::kReplace, *scratch);
  }
  const float* b = model.at(bias_at);
  if (b != nullptr && !add) kernels.fill_rows(rows(outputs), b, out);
  if (b != nullptr && add) {
    for (std::size_t t = 0; t < count(); ++t) kernels.add(outputs, b, out + t * outputs);
  }
  product_nt(count(), outputs, inputs, in, model.at(weight), out,
             add || b != nullptr ? Into::kAdd : Into::kReplace);
}

void Pass::State::embed() {
  const std::size_t width = config.width;
  for (std::size_t t = 0; t < count(); ++t) {
    float* out = places.sum + t * width;
    const auto token = static_cast<std::size_t>(tokens[t]);
    std::copy_n(model.at(layout.token) + token * width, width, out);
    if (layout.position != kAbsent) {
      const std::size_t row = positions[t] + config.position_offset;
      kernels.add(width, model.at(layout.position) + row * width, out);
    }
    if (layout.segment != kAbsent) {
      const std::size_t row = segments.empty() ? 0 : static_cast<std::size_t>(segments[t]);
      kernels.add(width, model.at(layout.segment) + row * width, out);
    }
  }
  if (config.embedding_norm) {
    norm(places.sum, layout.embedding_gain, layout.embedding_bias, places.embedded, places.mean,
         places.inverse);
  }
}

// bias[head][query - key]
void Pass::State::spread_relative_bias() {
  if (layout.relative == kAbsent) return;
  const std::size_t distances = 2 * longest - 1;
  if (bias.size() < config.heads * distances) {
    bias = Buffer(config.heads * distances);
    d_bias = Buffer(config.heads * distances);
  }
  for (std::size_t i = 0; i < distances; ++i) {
    const std::size_t bucket =
        relative_bucket(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(longest - 1),
                        config.relative_buckets, config.relative_distance);
    for (std::size_t head = 0; head < config.heads; ++head) {
      bias.data()[head * distances + i] = model.at(layout.relative)[bucket * config.heads + head];
    }
  }
}

void Pass::State::gather_relative_bias(float* gradient) {
  if (layout.relative == kAbsent) return;
  const std::size_t distances = 2 * longest - 1;
  for (std::size_t i = 0; i < distances; ++i) {
    const std::size_t bucket =
        relative_bucket(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(longest - 1),
                        config.relative_buckets, config.relative_distance);
    for (std::size_t head = 0; head < config.heads; ++head) {
      gradient[layout.relative + bucket * config.heads + head] +=
          d_bias.data()[head * distances + i];
    }
  }
}

HeadForward Pass::State::head_of(const LayerActivations& a, std::size_t sequence,
                                 std::size_t head) const {
  const std::size_t row = config.query_rows(), wide = config.heads * config.head_width;
  const std::size_t first = starts[sequence];
  const std::size_t key_head = head / (config.heads / config.key_heads);
  const float* in = a.query + first * row;
  const std::size_t center = head * (2 * longest - 1) + longest - 1;
  return {.tokens = starts[sequence + 1] - first,
          .head_width = config.head_width,
          .query = in + head * config.head_width,
          .key = in + wide + key_head * config.head_width,
          .value = in + wide + (config.key_heads + key_head) * config.head_width,
          .row = row,
          .out = a.mixed + first * wide + head * config.head_width,
          .out_row = wide,
          .log_sum = a.log_sum == nullptr ? nullptr : a.log_sum + head * max_tokens + first,
          .scale = 1.0F / std::sqrt(static_cast<float>(config.head_width)),
          .causal = config.causal,
          .bias = layout.relative == kAbsent ? nullptr : bias.data() + center,
          .scratch = places.scratch};
}

void Pass::State::attention(std::size_t layer, const float* in, const float* residual, float* out) {
  const LayerActivations& a = places.layers[layer];
  const LayerLayout& l = layout.layers[layer];
  linear(in, config.width, config.query_rows(), l.query_weight, l.query_bias, a.query, false);
  if (config.positions == Positions::kRotary) {
    kernels.rotate(rows(config.query_rows()), a.query, config.heads + config.key_heads,
                   config.head_width, config.rotary_width, positions.data(), cosine.data(),
                   sine.data(), false);
  }
  for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
    for (std::size_t head = 0; head < config.heads; ++head) kernels.attention(head_of(a, s, head));
  }
  if (out != residual) std::copy_n(residual, count() * config.width, out);
  linear(a.mixed, config.heads * config.head_width, config.width, l.out_weight, l.out_bias, out,
         true);
}

void Pass::State::feed_forward(std::size_t layer, const float* in, const float* residual,
                               float* out) {
  const LayerActivations& a = places.layers[layer];
  const LayerLayout& l = layout.layers[layer];
  const std::size_t up = config.hidden * (config.gated ? 2 : 1);
  if (prepared != nullptr) {
    if (out != residual) std::copy_n(residual, count() * config.width, out);
    return prepared->feed_forward(layer, count(), in, out, *scratch);
  }
  linear(in, config.width, up, l.up_weight, l.up_bias, a.up, false);
  kernels.activate(config.activation, config.gated, rows(config.hidden), a.up, a.active);
  if (out != residual) std::copy_n(residual, count() * config.width, out);
  linear(a.active, config.hidden, config.width, l.down_weight, l.down_bias, out, true);
}

void Pass::State::layer_forward(std::size_t layer) {
  const LayerActivations& a = places.layers[layer];
  const LayerLayout& l = layout.layers[layer];
  const float* in = input_of(layer);
  if (!config.norm_first) {  // x = norm(x + attention(x)); x = norm(x + feed_forward(x))
    attention(layer, in, in, a.middle);
    norm(a.middle, l.norm1_gain, l.norm1_bias, a.norm1_out, a.mean1, a.inverse1);
    feed_forward(layer, a.norm1_out, a.norm1_out, a.out);
    norm(a.out, l.norm2_gain, l.norm2_bias, a.norm2_out, a.mean2, a.inverse2);
    return;
  }
  norm(in, l.norm1_gain, l.norm1_bias, a.norm1_out, a.mean1, a.inverse1);
  attention(layer, a.norm1_out, in, a.middle);
  const float* second = config.parallel_residual ? in : a.middle;
  norm(second, l.norm2_gain, l.norm2_bias, a.norm2_out, a.mean2, a.inverse2);
  feed_forward(layer, a.norm2_out, a.middle, a.out);
}

void Pass::forward(const Batch& batch) {
  State& s = *state_;
  s.begin(batch);
  s.embed();
  s.spread_relative_bias();
  for (std::size_t layer = 0; layer < s.config.layers; ++layer) s.layer_forward(layer);
  s.hidden = s.places.layers.back().next;
  if (s.config.norm_first) {
    s.norm(s.hidden, s.layout.final_gain, s.layout.final_bias, s.places.final_out,
           s.places.final_mean, s.places.final_inverse);
    s.hidden = s.places.final_out;
  }
  if (s.training()) std::fill_n(s.places.gradients.stream, s.count() * s.config.width, 0.0F);
}

std::span<const float> Pass::hidden() const {
  return {state_->hidden, state_->count() * state_->config.width};
}

}  // namespace plumb::nn
