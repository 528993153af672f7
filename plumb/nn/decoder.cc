#include "plumb/nn/decoder.h"

#include <algorithm>
#include <cmath>

namespace plumb::nn {
namespace {

Buffer packed(const Kernels& kernels, const float* weight, std::size_t n, std::size_t k) {
  Buffer result(packed_size(kernels, n, k));
  kernels.pack(n, k, weight, result.data());
  return result;
}

void fill_angles(const TransformerConfig& config, Generator::Weights& weights) {
  const std::size_t half = config.rotary_width / 2;
  weights.cosine = Buffer(config.context * half);
  weights.sine = Buffer(config.context * half);
  rotary_tables(config, weights.cosine.data(), weights.sine.data());
}

}  // namespace

std::unique_ptr<Generator::Weights> pack_weights(const Transformer& model) {
  auto weights = std::make_unique<Generator::Weights>();
  const TransformerConfig& c = model.config();
  const Layout& layout = model.layout();
  const Kernels& k = kernels();
  if (c.positions == Positions::kRotary) fill_angles(c, *weights);
  for (const LayerLayout& l : layout.layers) {
    weights->layers.push_back(
        {packed(k, model.at(l.query_weight), c.query_rows(), c.width),
         packed(k, model.at(l.out_weight), c.width, c.heads * c.head_width),
         packed(k, model.at(l.up_weight), c.hidden * (c.gated ? 2 : 1), c.width),
         packed(k, model.at(l.down_weight), c.width, c.hidden)});
  }
  if (c.language_head) weights->head = packed(k, model.at(layout.head), c.vocabulary, c.width);
  return weights;
}

Decoder::Decoder(const Transformer& model, const Generator::Weights& weights, std::size_t slots,
                 std::size_t capacity, std::size_t max_rows)
    : model_(model),
      config_(model.config()),
      weights_(weights),
      kernels_(nn::kernels()),
      blocks_((capacity + kCacheBlock - 1) / kCacheBlock),
      keys_(slots * config_.layers * config_.key_heads * blocks_ * config_.head_width *
            kCacheBlock),
      values_(keys_.size()),
      x_(max_rows * config_.width),
      normed_(max_rows * config_.width),
      query_(max_rows * config_.query_rows()),
      mixed_(max_rows * config_.heads * config_.head_width),
      up_(max_rows * config_.hidden * (config_.gated ? 2 : 1)),
      active_(max_rows * config_.hidden),
      part_(max_rows * config_.width),
      scores_(kDecodeHeads * blocks_ * kCacheBlock),
      statistics_(2 * max_rows),
      positions_(max_rows) {}

float* Decoder::keys(std::size_t slot, std::size_t layer, std::size_t head) {
  const std::size_t place = (slot * config_.layers + layer) * config_.key_heads + head;
  return keys_.data() + place * blocks_ * config_.head_width * kCacheBlock;
}

float* Decoder::values(std::size_t slot, std::size_t layer, std::size_t head) {
  return values_.data() + (keys(slot, layer, head) - keys_.data());
}

void Decoder::embed(std::span<const DecoderRow> rows) {
  const std::size_t width = config_.width;
  const Layout& layout = model_.layout();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    positions_[i] = rows[i].position;
    float* out = x_.data() + i * width;
    const auto token = static_cast<std::size_t>(rows[i].token);
    std::copy_n(model_.at(layout.token) + token * width, width, out);
    if (layout.position != kAbsent) {
      const std::size_t row = rows[i].position + config_.position_offset;
      kernels_.add(width, model_.at(layout.position) + row * width, out);
    }
  }
}

void Decoder::norm(const float* x, std::size_t gain, std::size_t bias, float* out) {
  const Rows shape{rows_, config_.width};
  float* mean = statistics_.data();
  if (config_.norm == Norm::kRms) {
    kernels_.rms_norm(shape, x, model_.at(gain), config_.norm_epsilon, out, mean);
  } else {
    kernels_.layer_norm(shape, x, model_.at(gain), model_.at(bias), config_.norm_epsilon, out, mean,
                        mean + rows_);
  }
}

void Decoder::remember(std::size_t layer, std::span<const DecoderRow> rows) {
  const std::size_t d = config_.head_width, block = d * kCacheBlock;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float* key = query_.data() + i * config_.query_rows() + config_.heads * d;
    const float* value = key + config_.key_heads * d;
    const std::size_t first = rows[i].position / kCacheBlock * block,
                      lane = rows[i].position % kCacheBlock;
    for (std::size_t head = 0; head < config_.key_heads; ++head, key += d, value += d) {
      float* to_key = keys(rows[i].slot, layer, head) + first;
      float* to_value = values(rows[i].slot, layer, head) + first;
      if (lane == 0) std::fill_n(to_value, block, 0.0F);  // of the sequence that was here before
      for (std::size_t j = 0; j < d; ++j) {
        to_key[j * kCacheBlock + lane] = key[j];
        to_value[j * kCacheBlock + lane] = value[j];
      }
    }
  }
}

void Decoder::attention(std::size_t layer, std::span<const DecoderRow> rows) {
  const std::size_t d = config_.head_width, group = config_.heads / config_.key_heads;
  if (config_.positions == Positions::kRotary) {
    kernels_.rotate({rows_, config_.query_rows()}, query_.data(), config_.heads + config_.key_heads,
                    d, config_.rotary_width, positions_.data(), weights_.cosine.data(),
                    weights_.sine.data(), false);
  }
  remember(layer, rows);
  const float scale = 1.0F / std::sqrt(static_cast<float>(d));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t head = 0; head < config_.key_heads; ++head) {
      kernels_.attention_decode(
          {.group = group,
           .keys = rows[i].position + 1,
           .head_width = d,
           .query = query_.data() + i * config_.query_rows() + head * group * d,
           .key = keys(rows[i].slot, layer, head),
           .value = values(rows[i].slot, layer, head),
           .out = mixed_.data() + (i * config_.heads + head * group) * d,
           .scale = scale,
           .scratch = scores_.data()});
    }
  }
}

void Decoder::step(std::span<const DecoderRow> rows) {
  rows_ = rows.size();
  embed(rows);
  const std::size_t width = config_.width, wide = config_.heads * config_.head_width;
  const std::size_t up = config_.hidden * (config_.gated ? 2 : 1);
  for (std::size_t i = 0; i < config_.layers; ++i) {
    const LayerLayout& l = model_.layout().layers[i];
    const PackedLayer& packed = weights_.layers[i];
    norm(x_.data(), l.norm1_gain, l.norm1_bias, normed_.data());
    kernels_.packed_product(rows_, config_.query_rows(), width, normed_.data(), packed.query.data(),
                            model_.at(l.query_bias), query_.data());
    attention(i, rows);
    kernels_.packed_product(rows_, width, wide, mixed_.data(), packed.out.data(),
                            model_.at(l.out_bias), part_.data());
    // With a parallel residual the second norm reads the layer's input.
    if (config_.parallel_residual) norm(x_.data(), l.norm2_gain, l.norm2_bias, normed_.data());
    kernels_.add(rows_ * width, part_.data(), x_.data());
    if (!config_.parallel_residual) norm(x_.data(), l.norm2_gain, l.norm2_bias, normed_.data());
    kernels_.packed_product(rows_, up, width, normed_.data(), packed.up.data(),
                            model_.at(l.up_bias), up_.data());
    kernels_.activate(config_.activation, config_.gated, {rows_, config_.hidden}, up_.data(),
                      active_.data());
    kernels_.packed_product(rows_, width, config_.hidden, active_.data(), packed.down.data(),
                            model_.at(l.down_bias), part_.data());
    kernels_.add(rows_ * width, part_.data(), x_.data());
  }
}

void Decoder::final_norm(std::span<const std::size_t> wanted) {
  const std::size_t width = config_.width;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::copy_n(x_.data() + wanted[i] * width, width, part_.data() + i * width);
  }
  rows_ = wanted.size();
  norm(part_.data(), model_.layout().final_gain, model_.layout().final_bias, normed_.data());
}

void Decoder::logits(std::span<const std::size_t> wanted, std::span<float> logits) {
  final_norm(wanted);
  kernels_.packed_product(rows_, config_.vocabulary, config_.width, normed_.data(),
                          weights_.head.data(), nullptr, logits.data());
}

void Decoder::scalars(std::span<const std::size_t> wanted, std::span<float> scalars) {
  final_norm(wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    scalars[i] = *model_.at(model_.layout().scalar_bias) +
                 kernels_.dot(config_.width, normed_.data() + i * config_.width,
                              model_.at(model_.layout().scalar));
  }
}

}  // namespace plumb::nn
