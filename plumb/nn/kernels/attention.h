// Attention by tiles of queries and keys, with a running softmax (Dao et al. 2022, algorithm 1; its
// backward recomputes the scores of each tile). Queries lie along the lanes, keys along rows, so
// that maxima and sums over keys need no step across lanes.
#pragma once

#include "plumb/nn/kernels.h"
#include "plumb/nn/kernels/pointwise.h"
#include "plumb/nn/kernels/products.h"
#include "plumb/nn/kernels/vector.h"

namespace plumb::nn::PLUMB_ISA {

constexpr std::size_t kQueryTile = kPanel;
constexpr std::size_t kKeyTile = 64;
constexpr std::size_t kTileRow = kQueryTile / kLanes;  // vectors
constexpr float kNoScore = -1.0e30F;

// tile[d][i] = factor * rows[first + i][d]; zero past `count`.
inline void transpose_in(const float* rows, std::size_t row, std::size_t count, std::size_t width,
                         float factor, float* tile) {
  for (std::size_t d = 0; d < width; ++d) {
    for (std::size_t i = 0; i < count; ++i) tile[d * kQueryTile + i] = rows[i * row + d] * factor;
    for (std::size_t i = count; i < kQueryTile; ++i) tile[d * kQueryTile + i] = 0;
  }
}

// scores[k][q] of a tile: product, bias, and the lowest score where a key is in the future.
inline void tile_scores(const HeadForward& h, const float* queries, std::size_t first_query,
                        std::size_t first_key, std::size_t keys, float* scores) {
  small_product({.m = keys,
                 .n = kQueryTile,
                 .k = h.head_width,
                 .a = h.key + first_key * h.row,
                 .a_row = h.row,
                 .a_column = 1,
                 .b = queries,
                 .b_row = kQueryTile,
                 .c = scores,
                 .c_row = kQueryTile,
                 .accumulate = false});
  if (h.bias != nullptr) {
    const std::size_t valid =
        h.tokens - first_query < kQueryTile ? h.tokens - first_query : kQueryTile;
    for (std::size_t k = 0; k < keys; ++k) {
      add(valid,
          h.bias + static_cast<std::ptrdiff_t>(first_query) -
              static_cast<std::ptrdiff_t>(first_key + k),
          scores + k * kQueryTile);
    }
  }
  if (!h.causal || first_key + keys <= first_query + 1) return;
  for (std::size_t k = 0; k < keys; ++k) {
    for (std::size_t q = 0; q < kQueryTile && first_query + q < first_key + k; ++q) {
      scores[k * kQueryTile + q] = kNoScore;
    }
  }
}

// How many keys the tile of queries that begins at `first_query` sees.
inline std::size_t visible_keys(const HeadForward& h, std::size_t first_query) {
  const std::size_t last = first_query + kQueryTile;
  return h.causal && last < h.tokens ? last : h.tokens;
}

// The running maximum and sum of a tile of queries, in registers.
struct RunningSoftmax {
  Vector high[kTileRow], sum[kTileRow];
};

// scores -> exp(scores - maximum); `values` [head_width][kQueryTile] is brought to the new maximum.
inline void soften(RunningSoftmax& run, std::size_t keys, std::size_t width, float* scores,
                   float* values) {
  for (std::size_t j = 0; j < kTileRow; ++j) {
    float* column = scores + j * kLanes;
    Vector high = run.high[j];
    for (std::size_t k = 0; k < keys; ++k) high = larger(high, load(column + k * kQueryTile));
    const Vector shrink = exp(run.high[j] - high);
    Vector sum = run.sum[j] * shrink;
    for (std::size_t k = 0; k < keys; ++k) {
      const Vector e = exp(load(column + k * kQueryTile) - high);
      store(column + k * kQueryTile, e);
      sum += e;
    }
    run.high[j] = high;
    run.sum[j] = sum;
    for (std::size_t d = 0; d < width; ++d) {
      float* value = values + d * kQueryTile + j * kLanes;
      store(value, load(value) * shrink);
    }
  }
}

inline void attention(const HeadForward& h) {
  float* queries = h.scratch;
  float* values = queries + h.head_width * kQueryTile;
  float* scores = values + h.head_width * kQueryTile;
  float log_sum[kQueryTile];
  for (std::size_t first = 0; first < h.tokens; first += kQueryTile) {
    const std::size_t count = h.tokens - first < kQueryTile ? h.tokens - first : kQueryTile;
    transpose_in(h.query + first * h.row, h.row, count, h.head_width, h.scale, queries);
    for (std::size_t i = 0; i < h.head_width * kQueryTile; ++i) values[i] = 0;
    RunningSoftmax run;
    for (std::size_t j = 0; j < kTileRow; ++j) {
      run.high[j] = broadcast(kNoScore);
      run.sum[j] = Vector{};
    }
    const std::size_t visible = visible_keys(h, first);
    for (std::size_t key = 0; key < visible; key += kKeyTile) {
      const std::size_t keys = visible - key < kKeyTile ? visible - key : kKeyTile;
      tile_scores(h, queries, first, key, keys, scores);
      soften(run, keys, h.head_width, scores, values);
      small_product({.m = h.head_width,
                     .n = kQueryTile,
                     .k = keys,
                     .a = h.value + key * h.row,
                     .a_row = 1,
                     .a_column = h.row,
                     .b = scores,
                     .b_row = kQueryTile,
                     .c = values,
                     .c_row = kQueryTile,
                     .accumulate = true});
    }
    float inverse[kQueryTile], high[kQueryTile];
    for (std::size_t j = 0; j < kTileRow; ++j) {
      store(inverse + j * kLanes, 1.0F / run.sum[j]);
      store(log_sum + j * kLanes, run.sum[j]);
      store(high + j * kLanes, run.high[j]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      float* out = h.out + (first + i) * h.out_row;
      for (std::size_t d = 0; d < h.head_width; ++d) {
        out[d] = values[d * kQueryTile + i] * inverse[i];
      }
      if (h.log_sum != nullptr) h.log_sum[first + i] = high[i] + __builtin_logf(log_sum[i]);
    }
  }
}

// probabilities[k][q] of a tile, from the scores and the logarithm of their sums.
inline void tile_probabilities(std::size_t keys, const float* log_sum, float* scores) {
  for (std::size_t j = 0; j < kTileRow; ++j) {
    const Vector total = load(log_sum + j * kLanes);
    for (std::size_t k = 0; k < keys; ++k) {
      float* score = scores + k * kQueryTile + j * kLanes;
      store(score, exp(load(score) - total));
    }
  }
}

// d_scores = p (d_p - mean of d_p), where the mean is d_out . out; in place of d_p.
inline void tile_score_gradient(std::size_t keys, const float* probabilities, const float* mean,
                                float* d_scores) {
  for (std::size_t j = 0; j < kTileRow; ++j) {
    const Vector middle = load(mean + j * kLanes);
    for (std::size_t k = 0; k < keys; ++k) {
      const std::size_t at = k * kQueryTile + j * kLanes;
      store(d_scores + at, load(probabilities + at) * (load(d_scores + at) - middle));
    }
  }
}

// gradient[key] += sum over the tile's queries of weights[key][query] * rows[query].
inline void spread_to_keys(const HeadForward& h, std::size_t keys, std::size_t count,
                           const float* weights, const float* rows, std::size_t row,
                           float* gradient, std::size_t gradient_row) {
  small_product({.m = keys,
                 .n = h.head_width,
                 .k = count,
                 .a = weights,
                 .a_row = kQueryTile,
                 .a_column = 1,
                 .b = rows,
                 .b_row = row,
                 .c = gradient,
                 .c_row = gradient_row,
                 .accumulate = true});
}

inline void backward_of_tile(const HeadBackward& b, std::size_t first, std::size_t count,
                             std::size_t key, std::size_t keys, const float* queries,
                             const float* d_out, const float* log_sum, const float* mean,
                             float* d_queries, float* scores, float* d_scores) {
  const HeadForward& h = b.forward;
  tile_scores(h, queries, first, key, keys, scores);
  tile_probabilities(keys, log_sum, scores);
  spread_to_keys(h, keys, count, scores, b.d_out + first * h.out_row, h.out_row,
                 b.d_value + key * b.d_row, b.d_row);
  small_product({.m = keys,
                 .n = kQueryTile,
                 .k = h.head_width,
                 .a = h.value + key * h.row,
                 .a_row = h.row,
                 .a_column = 1,
                 .b = d_out,
                 .b_row = kQueryTile,
                 .c = d_scores,
                 .c_row = kQueryTile,
                 .accumulate = false});
  tile_score_gradient(keys, scores, mean, d_scores);
  if (b.d_bias != nullptr) {
    for (std::size_t k = 0; k < keys; ++k) {
      add(count, d_scores + k * kQueryTile,
          b.d_bias + static_cast<std::ptrdiff_t>(first) - static_cast<std::ptrdiff_t>(key + k));
    }
  }
  scale(keys * kQueryTile, h.scale, d_scores);
  small_product({.m = h.head_width,
                 .n = kQueryTile,
                 .k = keys,
                 .a = h.key + key * h.row,
                 .a_row = 1,
                 .a_column = h.row,
                 .b = d_scores,
                 .b_row = kQueryTile,
                 .c = d_queries,
                 .c_row = kQueryTile,
                 .accumulate = true});
  spread_to_keys(h, keys, count, d_scores, h.query + first * h.row, h.row, b.d_key + key * b.d_row,
                 b.d_row);
}

inline void attention_backward(const HeadBackward& b) {
  const HeadForward& h = b.forward;
  const std::size_t wide = h.head_width * kQueryTile;
  float* queries = h.scratch;
  float* d_out = queries + wide;
  float* d_queries = d_out + wide;
  float* scores = d_queries + wide;
  float* d_scores = scores + kKeyTile * kQueryTile;
  float log_sum[kQueryTile], mean[kQueryTile];
  for (std::size_t first = 0; first < h.tokens; first += kQueryTile) {
    const std::size_t count = h.tokens - first < kQueryTile ? h.tokens - first : kQueryTile;
    transpose_in(h.query + first * h.row, h.row, count, h.head_width, h.scale, queries);
    transpose_in(b.d_out + first * h.out_row, h.out_row, count, h.head_width, 1.0F, d_out);
    for (std::size_t i = 0; i < wide; ++i) d_queries[i] = 0;
    for (std::size_t i = 0; i < kQueryTile; ++i) {
      const std::size_t at = (first + i) * h.out_row;
      log_sum[i] = i < count ? h.log_sum[first + i] : -kNoScore;  // no probability past the end
      mean[i] = i < count ? dot(h.head_width, b.d_out + at, h.out + at) : 0.0F;
    }
    const std::size_t visible = visible_keys(h, first);
    for (std::size_t key = 0; key < visible; key += kKeyTile) {
      const std::size_t keys = visible - key < kKeyTile ? visible - key : kKeyTile;
      backward_of_tile(b, first, count, key, keys, queries, d_out, log_sum, mean, d_queries, scores,
                       d_scores);
    }
    for (std::size_t i = 0; i < count; ++i) {
      float* row = b.d_query + (first + i) * b.d_row;
      for (std::size_t d = 0; d < h.head_width; ++d) row[d] += d_queries[d * kQueryTile + i];
    }
  }
}

}  // namespace plumb::nn::PLUMB_ISA
