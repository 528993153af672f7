#include "plumb/nn/transformer.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "plumb/base/random.h"

namespace plumb::nn {
namespace {

constexpr std::size_t kAlignment = 16;  // floats: every tensor begins at a cache line

class LayoutBuilder {
 public:
  explicit LayoutBuilder(const TransformerConfig& config) : config_(config) {}

  Layout build() {
    const std::size_t width = config_.width;
    layout_.token = place("embedding.token", {config_.vocabulary, width});
    if (config_.position_rows > 0) {
      layout_.position = place("embedding.position", {config_.position_rows, width});
    }
    if (config_.segments > 0) {
      layout_.segment = place("embedding.segment", {config_.segments, width});
    }
    if (config_.embedding_norm) {
      place_norm("embedding.norm", layout_.embedding_gain, layout_.embedding_bias);
    }
    if (config_.relative_buckets > 0) {
      layout_.relative = place("relative", {config_.relative_buckets, config_.heads});
    }
    for (std::size_t i = 0; i < config_.layers; ++i) place_layer(fmt::format("layers.{}.", i));
    if (config_.norm_first) place_norm("final.norm", layout_.final_gain, layout_.final_bias);
    if (config_.language_head) {
      layout_.head =
          config_.tied ? layout_.token : place("head.weight", {config_.vocabulary, width});
    }
    if (config_.scalar_head) {
      layout_.scalar = place("scalar.weight", {width});
      layout_.scalar_bias = place("scalar.bias", {1});
    }
    return std::move(layout_);
  }

 private:
  std::size_t place(std::string name, Shape shape) {
    std::size_t size = 1;
    for (const std::size_t dimension : shape) size *= dimension;
    const std::size_t offset = layout_.size;
    layout_.parameters.push_back({std::move(name), std::move(shape), offset, size});
    layout_.size = (offset + size + kAlignment - 1) / kAlignment * kAlignment;
    return offset;
  }

  void place_norm(const std::string& name, std::size_t& gain, std::size_t& bias) {
    gain = place(name + ".gain", {config_.width});
    if (config_.norm == Norm::kLayer) bias = place(name + ".bias", {config_.width});
  }

  void place_linear(const std::string& name, std::size_t outputs, std::size_t inputs, bool has_bias,
                    std::size_t& weight, std::size_t& bias) {
    weight = place(name + ".weight", {outputs, inputs});
    if (has_bias) bias = place(name + ".bias", {outputs});
  }

  void place_layer(const std::string& name) {
    LayerLayout layer;
    const std::size_t width = config_.width, heads = config_.heads * config_.head_width;
    place_norm(name + "norm1", layer.norm1_gain, layer.norm1_bias);
    place_linear(name + "query", config_.query_rows(), width, config_.query_bias,
                 layer.query_weight, layer.query_bias);
    place_linear(name + "out", width, heads, config_.linear_bias, layer.out_weight, layer.out_bias);
    place_norm(name + "norm2", layer.norm2_gain, layer.norm2_bias);
    place_linear(name + "up", (config_.gated ? 2 : 1) * config_.hidden, width, config_.linear_bias,
                 layer.up_weight, layer.up_bias);
    place_linear(name + "down", width, config_.hidden, config_.linear_bias, layer.down_weight,
                 layer.down_bias);
    layout_.layers.push_back(layer);
  }

  const TransformerConfig& config_;
  Layout layout_;
};

// Two normal draws at a time (Box and Muller 1958).
void fill_normal(std::span<float> values, double deviation, Stream stream) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const double radius = deviation * std::sqrt(-2.0 * std::log(1.0 - stream.uniform()));
    const double angle = 2.0 * std::numbers::pi * stream.uniform();
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < values.size()) values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

}  // namespace

Layout layout_of(const TransformerConfig& config) { return LayoutBuilder(config).build(); }

Transformer::Transformer(const TransformerConfig& config)
    : config_(config), layout_(layout_of(config)), values_(layout_.size) {}

void rotary_tables(const TransformerConfig& config, float* cosine, float* sine) {
  const std::size_t half = config.rotary_width / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const double frequency =
        std::pow(static_cast<double>(config.rotary_base),
                 -2.0 * static_cast<double>(i) / static_cast<double>(config.rotary_width));
    for (std::size_t t = 0; t < config.context; ++t) {
      const double angle = static_cast<double>(t) * frequency;
      cosine[t * half + i] = static_cast<float>(std::cos(angle));
      sine[t * half + i] = static_cast<float>(std::sin(angle));
    }
  }
}

bool decays(const Parameter& parameter) { return parameter.shape.size() > 1; }

void initialise(Transformer& model, std::uint64_t seed) {
  constexpr double kDeviation = 0.02;
  const double residual = kDeviation / std::sqrt(2.0 * static_cast<double>(model.config().layers));
  const auto& parameters = model.layout().parameters;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    const std::span<float> values = model.values().subspan(parameter.offset, parameter.size);
    const bool to_residual =
        parameter.name.ends_with(".out.weight") || parameter.name.ends_with(".down.weight");
    if (decays(parameter)) {
      fill_normal(values, to_residual ? residual : kDeviation, Stream(seed, "initialise", i));
    } else if (parameter.name.ends_with(".gain")) {
      std::fill(values.begin(), values.end(), 1.0F);
    }
  }
}

}  // namespace plumb::nn
