// A layer's weight as oneDNN's products of inference want it: rounded to bf16 or int8, or the
// floats that are there already, with its bias. Single-threaded, like all products (matmul.h).
//
//   PackedMatrix weight(Precision::kBf16, 1536, 384, floats, bias);
//   weight.product_bf16(rows, rounded, out, Into::kReplace);   // + bias
//
// A row's bits do not depend on how many rows there are, where the processor has AVX-512.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "plumb/nn/kernels.h"
#include "plumb/nn/matmul.h"
#include "plumb/nn/precision.h"

namespace plumb::nn {

// Products compute whole steps of rows: in and out have room for the rows rounded up to it, what
// stands in those is of no interest. It keeps the number of oneDNN's programs small.
inline constexpr std::size_t kRowStep = 16;
constexpr std::size_t round_rows(std::size_t rows) {
  return (rows + kRowStep - 1) / kRowStep * kRowStep;
}

class PackedMatrix {
 public:
  // weight: [outputs, inputs], bias: [outputs] or nullptr. In f32 they are read where they are and
  // must stay; otherwise `weight` is copied. Throws std::bad_alloc. REQUIRES: inputs <= kMostInputs
  // for int8.
  PackedMatrix(Precision precision, std::size_t outputs, std::size_t inputs, const float* weight,
               const float* bias);
  PackedMatrix(PackedMatrix&&) noexcept;
  ~PackedMatrix();

  static constexpr std::size_t kMostInputs = 65536;  // sums of int8 stay below 2^31

  std::size_t outputs() const;
  std::size_t inputs() const;

  // out[rows, outputs] (+)= in[rows, inputs] W^T + bias.
  void product(std::size_t rows, const float* in, float* out, Into into) const;
  void product(std::size_t rows, const std::uint16_t* in, float* out, Into into) const;  // bf16
  // Of int8, the sums alone; finish() makes floats of a row.
  void product(std::size_t rows, const std::uint8_t* in, std::int32_t* sums) const;
  void finish(const Kernels& kernels, const std::int32_t* sums, RowScale in, float* out,
              Into into) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plumb::nn
