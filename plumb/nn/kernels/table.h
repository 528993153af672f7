// The table of the kernels of the instruction set that the including source is compiled for.
#pragma once

#include "plumb/nn/kernels.h"
#include "plumb/nn/kernels/attention.h"
#include "plumb/nn/kernels/attention_decode.h"
#include "plumb/nn/kernels/pointwise.h"
#include "plumb/nn/kernels/products.h"
#include "plumb/nn/kernels/rounding.h"

namespace plumb::nn::PLUMB_ISA {

constexpr Kernels table(const char* name) {
  return {.name = name,
          .panel = kPanel,
          .small_product = small_product,
          .pack = pack,
          .packed_product = packed_product,
          .rms_norm = rms_norm,
          .rms_norm_backward = rms_norm_backward,
          .layer_norm = layer_norm,
          .layer_norm_backward = layer_norm_backward,
          .rotate = rotate,
          .attention = attention,
          .attention_backward = attention_backward,
          .attention_decode = attention_decode,
          .activate = activate,
          .activate_backward = activate_backward,
          .to_bf16 = to_bf16,
          .quantize_row = quantize_row,
          .dequantize_row = dequantize_row,
          .softmax = softmax,
          .entropy = entropy,
          .fill_rows = fill_rows,
          .add = add,
          .add_columns = add_columns,
          .scale = scale,
          .axpy = axpy,
          .dot = dot,
          .sum_of_squares = sum_of_squares,
          .adam = adam};
}

}  // namespace plumb::nn::PLUMB_ISA
