// The hot loops of the engine, each compiled for several instruction sets of the processor. The
// best that this machine has is chosen once; everything else is built for plain x86-64.
//
// All arrays are float, row-major and need no alignment. A row's result never depends on how many
// other rows are computed with it, and no loop is shared between threads. Sums are taken in an
// order that is fixed for one instruction set, so the same machine kind gives the same bytes.
//
//   const Kernels& k = kernels();
//   k.rms_norm({.rows = tokens, .width = 64}, x, gain, 1e-5F, out, inverse);
#pragma once

#include <cstddef>
#include <cstdint>

namespace plumb::nn {

enum class Activation : std::uint8_t { kSilu, kGeluTanh, kGeluErf, kRelu };

// rows x width values, one row after another.
struct Rows {
  std::size_t rows;
  std::size_t width;
};

// C[m, n] (+)= A[m, k] B[k, n]. A is read by strides, so it may be transposed; B and C by rows.
struct SmallProduct {
  std::size_t m, n, k;
  const float* a;
  std::size_t a_row, a_column;  // strides
  const float* b;
  std::size_t b_row;
  float* c;
  std::size_t c_row;
  bool accumulate;
};

// One head of one sequence. `query` and `out` of token t begin at query + t * row, out + t *
// out_row; keys and values likewise.
struct HeadForward {
  std::size_t tokens, head_width;
  const float *query, *key, *value;
  std::size_t row;
  float* out;
  std::size_t out_row;
  float* log_sum;  // [tokens] of exp(scores); nullptr where no backward follows
  float scale;
  bool causal;
  const float* bias;  // added to the score of query q and key k: bias[q - k]; nullptr for none
  float* scratch;     // attention_scratch(head_width) floats
};

// Adds to d_query, d_key, d_value.
struct HeadBackward {
  HeadForward forward;               // `out` and `log_sum` as the forward left them
  const float* d_out;                // strides as `out`
  float *d_query, *d_key, *d_value;  // stride d_row
  std::size_t d_row;
  float* d_bias;  // [q - k], added to; nullptr for none
};

// Tokens of a block of the cache of keys and values, a multiple of every instruction set's lanes.
constexpr std::size_t kCacheBlock = 16;

// One new token: `group` query heads over one head of cached keys and values. Component d of token
// t stands at [t / kCacheBlock][d][t % kCacheBlock]; what stands behind the last token must be
// finite, and does not matter.
struct HeadDecode {
  std::size_t group, keys, head_width;
  const float* query;        // [group, head_width]
  const float *key, *value;  // [blocks, head_width, kCacheBlock]
  float* out;                // [group, head_width]
  float scale;
  float* scratch;  // kDecodeHeads * (keys, rounded up to whole blocks)
};
constexpr std::size_t kDecodeHeads = 4;  // of a group, at once

struct AdamStep {
  float rate, beta1, beta2, epsilon, decay;
  float correction1, correction2;  // 1 - beta^step
  float gradient_scale;
};

// How a row of floats became bytes: x is about step * (byte - zero).
struct RowScale {
  float step;
  std::int32_t zero;
};

// A row of a product of bytes, [n]: out = in.step * steps * (sums - in.zero * weight_sums) + bias.
struct ProductRow {
  std::size_t n;
  const std::int32_t* sums;  // of bytes times weights
  RowScale in;
  const float* steps;               // of each weight row
  const std::int32_t* weight_sums;  // of each weight row
  const float* bias;                // nullptr for none
  bool accumulate;                  // out += ...
};

struct Kernels {
  const char* name;
  std::size_t panel;  // columns of a packed panel

  void (*small_product)(const SmallProduct&);

  // Packs a weight [n, k] into panels for packed_product: panel p holds the columns p * panel ..
  // of its transpose, [k, panel]; the last one is filled up with zeros.
  void (*pack)(std::size_t n, std::size_t k, const float* weight, float* packed);
  // out[m, n] = in[m, k] W^T + bias. A row's bits do not depend on m.
  void (*packed_product)(std::size_t m, std::size_t n, std::size_t k, const float* in,
                         const float* packed, const float* bias, float* out);

  // out = x / rms(x) * gain; inverse[row] = 1 / rms.
  void (*rms_norm)(Rows, const float* x, const float* gain, float epsilon, float* out,
                   float* inverse);
  // d_x += ..., d_gain += ...
  void (*rms_norm_backward)(Rows, const float* x, const float* gain, const float* inverse,
                            const float* d_out, float* d_x, float* d_gain);
  // out = (x - mean) / deviation * gain + bias; mean and inverse are [rows].
  void (*layer_norm)(Rows, const float* x, const float* gain, const float* bias, float epsilon,
                     float* out, float* mean, float* inverse);
  void (*layer_norm_backward)(Rows, const float* x, const float* gain, const float* mean,
                              const float* inverse, const float* d_out, float* d_x, float* d_gain,
                              float* d_bias);

  // Turns `heads` heads of each row, pair (i, i + rotary / 2) by the angle of the row's position;
  // cosine and sine are [positions, rotary / 2]. backward: by the negative angle.
  void (*rotate)(Rows, float* x, std::size_t heads, std::size_t head_width, std::size_t rotary,
                 const std::uint32_t* positions, const float* cosine, const float* sine,
                 bool backward);

  void (*attention)(const HeadForward&);
  void (*attention_backward)(const HeadBackward&);
  void (*attention_decode)(const HeadDecode&);

  // width is that of `out`; gated: in = [rows, 2 * width], out = activation(first half) * second.
  void (*activate)(Activation, bool gated, Rows, const float* in, float* out);
  // d_in = gradient of `in`.
  void (*activate_backward)(Activation, bool gated, Rows, const float* in, const float* d_out,
                            float* d_in);

  // To bf16, the nearest, ties to even.
  void (*to_bf16)(std::size_t n, const float* x, std::uint16_t* out);
  // To bytes, the nearest of 256 steps from the least to the largest value, 0 among them. A value
  // that is not finite makes the step not a number.
  RowScale (*quantize_row)(std::size_t n, const float* x, std::uint8_t* out);
  void (*dequantize_row)(const ProductRow&, float* out);

  // Turns logits into probabilities where they are and returns log(sum(exp(logits))).
  float (*softmax)(std::size_t n, float* logits);
  // sum(p * (log_sum - logit)) of a row of logits, its entropy in nats.
  float (*entropy)(std::size_t n, const float* logits, float log_sum);

  void (*fill_rows)(Rows, const float* row, float* out);           // each row = row
  void (*add)(std::size_t n, const float* x, float* sum);          // sum += x
  void (*add_columns)(Rows, const float* x, float* sum);           // sum[column] += over rows
  void (*scale)(std::size_t n, float factor, float* x);            // x *= factor
  void (*axpy)(std::size_t n, float a, const float* x, float* y);  // y += a * x
  float (*dot)(std::size_t n, const float* x, const float* y);
  double (*sum_of_squares)(std::size_t n, const float* x);

  // Adam with decoupled weight decay (Loshchilov and Hutter 2019), one pass.
  void (*adam)(const AdamStep&, std::size_t n, const float* gradient, float* parameter,
               float* first, float* second);
};

// Floats of scratch that attention and attention_backward need, for any instruction set.
std::size_t attention_scratch(std::size_t head_width);

// The kernels of this machine's best instruction set.
const Kernels& kernels();

// "portable", "avx2", "avx512": nullptr where this machine lacks it. For tests and benchmarks.
const Kernels* kernels_named(const char* name);

// Floats that `pack` fills for a weight [n, k].
std::size_t packed_size(const Kernels& kernels, std::size_t n, std::size_t k);

}  // namespace plumb::nn
