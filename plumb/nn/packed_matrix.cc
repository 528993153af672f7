#include "plumb/nn/packed_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

namespace plumb::nn {
namespace {

using DataType = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

const dnnl::engine& processor() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::memory::desc matrix(std::size_t rows, std::size_t columns, DataType type, Tag tag) {
  return {{static_cast<dnnl_dim_t>(rows), static_cast<dnnl_dim_t>(columns)}, type, tag};
}

DataType weight_type(Precision precision) {
  return precision == Precision::kF32    ? DataType::f32
         : precision == Precision::kBf16 ? DataType::bf16
                                         : DataType::s8;
}

DataType input_type(Precision precision) {
  return precision == Precision::kInt8 ? DataType::u8 : weight_type(precision);
}

// All arguments are ours, so that memory alone can be lacking.
template <typename Body>
auto guarded(const Body& body) {
  try {
    return body();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    std::abort();
  }
}

// A weight row as whole numbers of `step`, the largest 127; returns their sum.
std::int32_t quantize_weights(std::size_t n, const float* row, float& step, std::int8_t* out) {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(row[i]));
  step = largest > 0 ? largest / 127.0F : 1.0F;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float nearest = std::clamp(std::nearbyint(row[i] / step), -127.0F, 127.0F);
    out[i] = static_cast<std::int8_t>(nearest);
    sum += out[i];
  }
  return sum;
}

}  // namespace

struct PackedMatrix::State {
  Precision precision;
  std::size_t outputs, inputs;
  const float* bias;
  dnnl::memory weight;
  std::vector<float> steps;               // int8: [outputs]
  std::vector<std::int32_t> weight_sums;  // int8: [outputs]

  dnnl::matmul::primitive_desc plan(std::size_t rows, bool add, bool any_layout) const;
  void pack(const float* from);
  void multiply(std::size_t rows, const void* in, void* out, bool add) const;
};

// Made anew for each product, from oneDNN's own cache: 2 microseconds. A primitive's memory is not
// shared between threads so.
dnnl::matmul::primitive_desc PackedMatrix::State::plan(std::size_t rows, bool add,
                                                       bool any_layout) const {
  const auto in = matrix(rows, inputs, input_type(precision), Tag::ab);
  const auto by =
      any_layout ? matrix(inputs, outputs, weight_type(precision), Tag::any) : weight.get_desc();
  const bool sums = precision == Precision::kInt8;
  const auto out = matrix(rows, outputs, sums ? DataType::s32 : DataType::f32, Tag::ab);
  dnnl::primitive_attr attributes;
  if (add) {
    dnnl::post_ops after;
    after.append_sum(1.0F);
    attributes.set_post_ops(after);
  }
  if (bias == nullptr || sums) return {{in, by, out}, attributes, processor()};
  return {{in, by, matrix(1, outputs, DataType::f32, Tag::ab), out}, attributes, processor()};
}

void PackedMatrix::State::pack(const float* from) {
  // oneDNN wants pointers that it could write to, and does not.
  auto* floats = const_cast<float*>(from);
  if (precision == Precision::kF32) {
    weight = dnnl::memory(matrix(inputs, outputs, DataType::f32, Tag::ba), processor(), floats);
    return;
  }
  weight = dnnl::memory(plan(8 * kRowStep, false, true).weights_desc(), processor());
  std::vector<std::int8_t> bytes;
  dnnl::memory plain;
  if (precision == Precision::kInt8) {
    bytes.resize(outputs * inputs);
    for (std::size_t i = 0; i < outputs; ++i) {
      weight_sums[i] =
          quantize_weights(inputs, from + i * inputs, steps[i], bytes.data() + i * inputs);
    }
    plain = dnnl::memory(matrix(inputs, outputs, DataType::s8, Tag::ba), processor(), bytes.data());
  } else {
    plain = dnnl::memory(matrix(inputs, outputs, DataType::f32, Tag::ba), processor(), floats);
  }
  dnnl::stream stream(processor());
  dnnl::reorder(plain, weight).execute(stream, plain, weight);
  stream.wait();
}

void PackedMatrix::State::multiply(std::size_t rows, const void* in, void* out, bool add) const {
  stay_in_this_thread();
  guarded([&] {
    const auto chosen = plan(round_rows(rows), add, false);
    dnnl::stream stream(processor());
    const dnnl::memory source(chosen.src_desc(), processor(), const_cast<void*>(in));
    const dnnl::memory target(chosen.dst_desc(), processor(), out);
    std::unordered_map<int, dnnl::memory> arguments = {
        {DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DST, target}};
    if (bias != nullptr && precision != Precision::kInt8) {
      arguments.emplace(DNNL_ARG_BIAS,
                        dnnl::memory(chosen.bias_desc(), processor(), const_cast<float*>(bias)));
    }
    dnnl::matmul(chosen).execute(stream, arguments);
    stream.wait();
  });
}

PackedMatrix::PackedMatrix(Precision precision, std::size_t outputs, std::size_t inputs,
                           const float* weight, const float* bias)
    : state_(std::make_unique<State>(State{precision, outputs, inputs, bias, {}, {}, {}})) {
  if (precision == Precision::kInt8) {
    state_->steps.resize(outputs);
    state_->weight_sums.resize(outputs);
  }
  stay_in_this_thread();
  guarded([&] { state_->pack(weight); });
}

PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix::~PackedMatrix() = default;

std::size_t PackedMatrix::outputs() const { return state_->outputs; }
std::size_t PackedMatrix::inputs() const { return state_->inputs; }

void PackedMatrix::product(std::size_t rows, const float* in, float* out, Into into) const {
  state_->multiply(rows, in, out, into == Into::kAdd);
}

void PackedMatrix::product(std::size_t rows, const std::uint16_t* in, float* out, Into into) const {
  state_->multiply(rows, in, out, into == Into::kAdd);
}

void PackedMatrix::product(std::size_t rows, const std::uint8_t* in, std::int32_t* sums) const {
  state_->multiply(rows, in, sums, false);
}

void PackedMatrix::finish(const Kernels& kernels, const std::int32_t* sums, RowScale in, float* out,
                          Into into) const {
  kernels.dequantize_row({.n = state_->outputs,
                          .sums = sums,
                          .in = in,
                          .steps = state_->steps.data(),
                          .weight_sums = state_->weight_sums.data(),
                          .bias = state_->bias,
                          .accumulate = into == Into::kAdd},
                         out);
}

}  // namespace plumb::nn
