#include "plumb/nn/inference.h"

#include <fmt/format.h>

#include <algorithm>

namespace plumb::nn {
namespace {

constexpr std::size_t kRows = 8 * kRowStep;  // at a time

// Calls body(first, count) for the rows, kRows at a time.
template <typename Body>
void each_chunk(std::size_t rows, const Body& body) {
  for (std::size_t first = 0; first < rows; first += kRows) {
    body(first, std::min(kRows, rows - first));
  }
}

std::size_t up_rows(const TransformerConfig& config) {
  return config.hidden * (config.gated ? 2 : 1);
}

}  // namespace

Result<InferenceWeights> InferenceWeights::make(const Transformer& model, Precision precision) {
  if (auto possible = check_precision(precision); !possible) {
    return tl::unexpected(possible.error());
  }
  InferenceWeights weights(model, precision);
  if (precision == Precision::kInt8 && weights.most_inputs() > PackedMatrix::kMostInputs) {
    return fail(ErrorKind::kUsage,
                fmt::format("precision int8: the model's rows of {} are wider than {}; take bf16",
                            weights.most_inputs(), PackedMatrix::kMostInputs));
  }
  const TransformerConfig& c = model.config();
  for (const LayerLayout& layer : model.layout().layers) {
    weights.add(c.query_rows(), c.width, layer.query_weight, layer.query_bias);
    weights.add(c.width, c.heads * c.head_width, layer.out_weight, layer.out_bias);
    weights.add(up_rows(c), c.width, layer.up_weight, layer.up_bias);
    weights.add(c.width, c.hidden, layer.down_weight, layer.down_bias);
  }
  if (c.language_head) weights.add(c.vocabulary, c.width, model.layout().head, kAbsent);
  return weights;
}

void InferenceWeights::add(std::size_t outputs, std::size_t inputs, std::size_t weight,
                           std::size_t bias) {
  matrices_.try_emplace(weight, precision_, outputs, inputs, model_->at(weight), model_->at(bias));
}

std::size_t InferenceWeights::most_inputs() const {
  const TransformerConfig& c = model_->config();
  return std::max({c.width, c.heads * c.head_width, c.hidden});
}

std::size_t InferenceWeights::most_outputs() const {
  const TransformerConfig& c = model_->config();
  return std::max({c.width, c.query_rows(), up_rows(c), c.language_head ? c.vocabulary : 0});
}

void InferenceWeights::round(std::size_t rows, std::size_t width, const float* in,
                             InferenceScratch& scratch) const {
  if (precision_ == Precision::kBf16) {
    kernels().to_bf16(rows * width, in, scratch.halves());
    return;
  }
  for (std::size_t row = 0; row < rows; ++row) {
    scratch.scales_[row] =
        kernels().quantize_row(width, in + row * width, scratch.bytes() + row * width);
  }
}

// Of what was rounded.
void InferenceWeights::multiply(const PackedMatrix& matrix, std::size_t rows, float* out, Into into,
                                InferenceScratch& scratch) const {
  if (precision_ == Precision::kBf16) {
    matrix.product(rows, scratch.halves(), out, into);
    return;
  }
  matrix.product(rows, scratch.bytes(), scratch.sums());
  for (std::size_t row = 0; row < rows; ++row) {
    matrix.finish(kernels(), scratch.sums() + row * matrix.outputs(), scratch.scales_[row],
                  out + row * matrix.outputs(), into);
  }
}

void InferenceWeights::linear(std::size_t weight, std::size_t rows, const float* in, float* out,
                              Into into, InferenceScratch& scratch) const {
  const PackedMatrix& matrix = matrices_.at(weight);
  if (precision_ == Precision::kF32) return matrix.product(rows, in, out, into);
  each_chunk(rows, [&](std::size_t first, std::size_t count) {
    round(count, matrix.inputs(), in + first * matrix.inputs(), scratch);
    multiply(matrix, count, out + first * matrix.outputs(), into, scratch);
  });
}

void InferenceWeights::feed_forward(std::size_t layer, std::size_t rows, const float* in,
                                    float* out, InferenceScratch& scratch) const {
  const TransformerConfig& c = model_->config();
  const PackedMatrix& up = matrices_.at(model_->layout().layers[layer].up_weight);
  const PackedMatrix& down = matrices_.at(model_->layout().layers[layer].down_weight);
  each_chunk(rows, [&](std::size_t first, std::size_t count) {
    const float* from = in + first * c.width;
    float* to = out + first * c.width;
    float* middle = scratch.products_.data();
    float* active = scratch.active_.data();
    if (precision_ == Precision::kF32) {
      up.product(count, from, middle, Into::kReplace);
      kernels().activate(c.activation, c.gated, {count, c.hidden}, middle, active);
      return down.product(count, active, to, Into::kAdd);
    }
    round(count, c.width, from, scratch);
    if (precision_ == Precision::kBf16) {
      up.product(count, scratch.halves(), middle, Into::kReplace);
    } else {
      up.product(count, scratch.bytes(), scratch.sums());
    }
    for (std::size_t row = 0; row < count; ++row) {
      const float* values = middle + row * up.outputs();
      if (precision_ == Precision::kInt8) {
        up.finish(kernels(), scratch.sums() + row * up.outputs(), scratch.scales_[row],
                  scratch.up_row_.data(), Into::kReplace);
        values = scratch.up_row_.data();
      }
      kernels().activate(c.activation, c.gated, {1, c.hidden}, values, active);
      if (precision_ == Precision::kBf16) {
        kernels().to_bf16(c.hidden, active, scratch.halves() + row * c.hidden);
      } else {
        scratch.scales_[row] =
            kernels().quantize_row(c.hidden, active, scratch.bytes() + row * c.hidden);
      }
    }
    multiply(down, count, to, Into::kAdd, scratch);
  });
}

InferenceScratch::InferenceScratch(const InferenceWeights& weights) {
  const TransformerConfig& c = weights.model().config();
  const bool is_f32 = weights.precision() == Precision::kF32;
  active_ = Buffer(is_f32 ? kRows * c.hidden : c.hidden);
  products_ = Buffer(
      kRows * (weights.precision() == Precision::kInt8 ? weights.most_outputs() : up_rows(c)));
  if (is_f32) return;
  rounded_ = Buffer(kRows * weights.most_inputs() / 2);
  if (weights.precision() == Precision::kBf16) return;
  up_row_ = Buffer(up_rows(c));
  scales_.resize(kRows);
}

}  // namespace plumb::nn
