// Attention of one new token over a cache. Tokens lie along the lanes in blocks of kCacheBlock,
// keys and values alike, so that a narrow head fills the vectors as a wide one does; the query
// heads that share a head of the cache read it once.
#pragma once

#include <utility>

#include "plumb/nn/kernels.h"
#include "plumb/nn/kernels/vector.h"

namespace plumb::nn::PLUMB_ISA {

// Stands below every score, and vanishes beside any.
constexpr float kNotAToken = -1.0e30F;

// Vectors whose groups of 2 S lanes are to be summed, a's groups before b's: each becomes S lanes.
template <std::size_t S, std::size_t... I>
inline Vector halve(Vector a, Vector b, std::index_sequence<I...>) {
  constexpr std::size_t kGroups = kLanes / (2 * S);  // of a, and of b
  constexpr auto kFrom = [](std::size_t lane) {
    const std::size_t group = lane / S;
    return static_cast<int>(group / kGroups * kLanes + group % kGroups * 2 * S + lane % S);
  };
  return __builtin_shufflevector(a, b, kFrom(I)...) +
         __builtin_shufflevector(a, b, kFrom(I) + static_cast<int>(S)...);
}

// The lanes of N vectors summed as far as kLanes / N of each; the sums of all, where N is kLanes.
template <std::size_t N = kLanes>
inline Vector sum_each(const Vector* vectors) {
  if constexpr (N == 1) {
    return vectors[0];
  } else {
    return halve<kLanes / N>(sum_each<N / 2>(vectors), sum_each<N / 2>(vectors + N / 2),
                             std::make_index_sequence<kLanes>());
  }
}

inline Vector only_first(std::size_t count, Vector v, float otherwise) {
  Ints lane{};
  for (std::size_t i = 0; i < kLanes; ++i) lane[i] = static_cast<std::int32_t>(i);
  return lane < static_cast<std::int32_t>(count) ? v : broadcast(otherwise);
}

// Where vector `at` of a component of the cache begins.
inline const float* cached(const float* cache, std::size_t head_width, std::size_t at,
                           std::size_t d) {
  constexpr std::size_t kVectors = kCacheBlock / kLanes;
  return cache + (at / kVectors * head_width + d) * kCacheBlock + at % kVectors * kLanes;
}

// The rows of scores, then weights, of G query heads: [G, row].
template <std::size_t G>
struct DecodeRows {
  std::size_t keys, vectors;
  float* values;

  float* at(std::size_t g, std::size_t vector) const {
    return values + (g * vectors + vector) * kLanes;
  }
};

// high: the highest score of each head. W: the width of a head, 0 where it is not known when
// compiled.
template <std::size_t G, std::size_t W>
inline void decode_scores(const HeadDecode& h, const float* query, DecodeRows<G> rows,
                          float* high) {
  const std::size_t width = W == 0 ? h.head_width : W;
  Vector factor[W == 0 ? 1 : G * W], highest[G];
  if constexpr (W != 0) {
    for (std::size_t i = 0; i < G * W; ++i) factor[i] = broadcast(query[i]);
  }
  for (Vector& each : highest) each = broadcast(kNotAToken);
  const auto score = [&](std::size_t at, std::size_t count) __attribute__((always_inline)) {
    Vector sum[G] = {};
    for (std::size_t d = 0; d < width; ++d) {
      const Vector key = load(cached(h.key, width, at, d));
      for (std::size_t g = 0; g < G; ++g) {
        if constexpr (W != 0) {
          sum[g] += factor[g * W + d] * key;
        } else {
          sum[g] += query[g * width + d] * key;
        }
      }
    }
    for (std::size_t g = 0; g < G; ++g) {
      if (count < kLanes) sum[g] = only_first(count, sum[g], kNotAToken);
      highest[g] = larger(highest[g], sum[g]);
      store(rows.at(g, at), sum[g]);
    }
  };
  for (std::size_t at = 0; at + 1 < rows.vectors; ++at) score(at, kLanes);
  score(rows.vectors - 1, rows.keys - (rows.vectors - 1) * kLanes);
  for (std::size_t g = 0; g < G; ++g) high[g] = max_lanes(highest[g]);
}

// Scores -> exp(scale * (scores - high)); inverse: 1 / their sum.
template <std::size_t G>
inline void decode_weights(DecodeRows<G> rows, float scale, const float* high, float* inverse) {
  Vector sum[G] = {};
  for (std::size_t at = 0; at < rows.vectors; ++at) {
    for (std::size_t g = 0; g < G; ++g) {
      const Vector e = exp_below((load(rows.at(g, at)) - high[g]) * scale);
      store(rows.at(g, at), e);
      sum[g] += e;
    }
  }
  for (std::size_t g = 0; g < G; ++g) inverse[g] = 1.0F / sum_lanes(sum[g]);
}

// The weighted sums of N components from `first` on, for each head.
template <std::size_t G, std::size_t N>
inline void decode_values(const HeadDecode& h, DecodeRows<G> rows, std::size_t width,
                          std::size_t first, const float* inverse, float* out) {
  Vector sum[G * N] = {};
  for (std::size_t at = 0; at < rows.vectors; ++at) {
    Vector weight[G];
    for (std::size_t g = 0; g < G; ++g) weight[g] = load(rows.at(g, at));
    for (std::size_t i = 0; i < N; ++i) {
      const Vector value = load(cached(h.value, width, at, first + i));
      for (std::size_t g = 0; g < G; ++g) sum[g * N + i] += weight[g] * value;
    }
  }
  float total[kLanes];
  if constexpr (G * N == kLanes) store(total, sum_each(sum));
  for (std::size_t g = 0; g < G; ++g) {
    for (std::size_t i = 0; i < N; ++i) {
      const std::size_t k = g * N + i;
      out[g * width + first + i] = inverse[g] * (G * N == kLanes ? total[k] : sum_lanes(sum[k]));
    }
  }
}

template <std::size_t G, std::size_t W>
inline void decode_heads(const HeadDecode& h, std::size_t first_head) {
  constexpr std::size_t kTogether = kLanes / G;  // components
  const std::size_t width = W == 0 ? h.head_width : W;
  const DecodeRows<G> rows{h.keys, (h.keys + kLanes - 1) / kLanes, h.scratch};
  float high[G], inverse[G];
  decode_scores<G, W>(h, h.query + first_head * width, rows, high);
  decode_weights(rows, h.scale, high, inverse);
  float* out = h.out + first_head * width;
  std::size_t d = 0;
  for (; d + kTogether <= width; d += kTogether) {
    decode_values<G, kTogether>(h, rows, width, d, inverse, out);
  }
  for (; d < width; ++d) decode_values<G, 1>(h, rows, width, d, inverse, out);
}

template <std::size_t W>
inline void decode_group(const HeadDecode& h) {
  std::size_t head = 0;
  for (; head + 4 <= h.group; head += 4) decode_heads<4, W>(h, head);
  if (head + 2 <= h.group) {
    decode_heads<2, W>(h, head);
    head += 2;
  }
  if (head < h.group) decode_heads<1, W>(h, head);
}

inline void attention_decode(const HeadDecode& h) {
  if (h.head_width == 8) return decode_group<8>(h);
  decode_group<0>(h);
}

}  // namespace plumb::nn::PLUMB_ISA
