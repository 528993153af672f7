// Rows of floats as the products in bf16 and int8 read them, and back.
#pragma once

#include "plumb/nn/kernels.h"
#include "plumb/nn/kernels/pointwise.h"
#include "plumb/nn/kernels/vector.h"

namespace plumb::nn::PLUMB_ISA {

using Halves [[gnu::vector_size(2 * kLanes)]] = std::uint16_t;
using Bytes [[gnu::vector_size(kLanes)]] = std::uint8_t;
using Words [[gnu::vector_size(4 * kLanes)]] = std::uint32_t;

// The nearest, ties to even. What is not a number stays so: its quiet bit is set.
inline Halves bf16_of(Vector x) {
  const Words word = bits<Words>(x);
  const Words nearest = (word + 0x7fffU + ((word >> 16) & 1U)) >> 16;
  const Words quiet = (word >> 16) | 0x40U;
  const auto is_number = bits<Words>((word & 0x7fffffffU) <= 0x7f800000U);
  return __builtin_convertvector((nearest & is_number) | (quiet & ~is_number), Halves);
}

inline void to_bf16(std::size_t n, const float* x, std::uint16_t* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Halves rounded = bf16_of(load(x + i));
    __builtin_memcpy(out + i, &rounded, sizeof(rounded));
  }
  if (i == n) return;
  const Halves rounded = bf16_of(load_part(x + i, n - i));
  __builtin_memcpy(out + i, &rounded, (n - i) * sizeof(std::uint16_t));
}

// The range that is spread over 0 .. 255 holds 0, so that 0 is exact.
inline RowScale quantize_row(std::size_t n, const float* x, std::uint8_t* out) {
  Vector low{}, high{}, poison{};
  each_vector(n, [&](std::size_t, auto get, auto) {
    const Vector v = get(x);
    low = smaller(v, low);
    high = larger(v, high);
    poison += v * 0.0F;
  });
  const float least = -max_lanes(-low), range = max_lanes(high) - least;
  const bool spread = range > 1e-30F && range <= 3.4e38F;
  const float step = range > 0 ? range / 255.0F : 1.0F, inverse = spread ? 255.0F / range : 0.0F;
  const auto zero = spread ? static_cast<std::int32_t>(0.5F - least * inverse) : 0;
  const float shift = static_cast<float>(zero) + 0.5F;
  const auto rounded = [&](Vector v) {
    const Vector place = smaller(larger(v * inverse + shift, Vector{}), broadcast(255.0F));
    return __builtin_convertvector(__builtin_convertvector(place, Ints), Bytes);
  };
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Bytes bytes = rounded(load(x + i));
    __builtin_memcpy(out + i, &bytes, sizeof(bytes));
  }
  if (i < n) {
    const Bytes bytes = rounded(load_part(x + i, n - i));
    __builtin_memcpy(out + i, &bytes, n - i);
  }
  return {.step = step + sum_lanes(poison), .zero = zero};
}

inline void dequantize_row(const ProductRow& row, float* out) {
  const auto value = [&](Ints sums, Ints weights, Vector steps) {
    return __builtin_convertvector(sums - row.in.zero * weights, Vector) * (steps * row.in.step);
  };
  std::size_t i = 0;
  for (; i + kLanes <= row.n; i += kLanes) {
    Ints sums, weights;
    __builtin_memcpy(&sums, row.sums + i, sizeof(sums));
    __builtin_memcpy(&weights, row.weight_sums + i, sizeof(weights));
    Vector v = value(sums, weights, load(row.steps + i));
    if (row.bias != nullptr) v += load(row.bias + i);
    if (row.accumulate) v += load(out + i);
    store(out + i, v);
  }
  if (i == row.n) return;
  const std::size_t left = row.n - i;
  Ints sums{}, weights{};
  __builtin_memcpy(&sums, row.sums + i, left * sizeof(std::int32_t));
  __builtin_memcpy(&weights, row.weight_sums + i, left * sizeof(std::int32_t));
  Vector v = value(sums, weights, load_part(row.steps + i, left));
  if (row.bias != nullptr) v += load_part(row.bias + i, left);
  if (row.accumulate) v += load_part(out + i, left);
  store_part(out + i, v, left);
}

}  // namespace plumb::nn::PLUMB_ISA
