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
  constexpr auto from = [](std::size_t lane) {
    const std::size_t group = lane / S;
    return static_cast<int>(group / kGroups * kLanes + group % kGroups * 2 * S + lane % S);
  };
  return __builtin_shufflevector(a, b, from(I)...) +
         __builtin_shufflevector(a, b, from(I) + static_cast<int>(S)...);
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

// G query heads. W: the width of a head, 0 where it is not known when compiled.
template <std::size_t G, std::size_t W>
inline void decode_heads(const HeadDecode& h, std::size_t first_head) {
  const std::size_t width = W == 0 ? h.head_width : W;
  const std::size_t vectors = (h.keys + kLanes - 1) / kLanes, row = vectors * kLanes;
  const float* query = h.query + first_head * width;
  float* weights = h.scratch;  // [G, row]
  Vector high[G], sum[G] = {};
  for (Vector& each : high) each = broadcast(kNotAToken);
  for (std::size_t at = 0; at < vectors; ++at) {
    Vector score[G] = {};
    for (std::size_t d = 0; d < width; ++d) {
      const Vector key = load(cached(h.key, width, at, d));
      for (std::size_t g = 0; g < G; ++g) score[g] += query[g * width + d] * key;
    }
    for (std::size_t g = 0; g < G; ++g) {
      score[g] = only_first(h.keys - at * kLanes, score[g], kNotAToken);
      high[g] = larger(high[g], score[g]);
      store(weights + g * row + at * kLanes, score[g]);
    }
  }
  float inverse[G];
  for (std::size_t g = 0; g < G; ++g) {
    const float highest = max_lanes(high[g]);
    for (std::size_t at = 0; at < vectors; ++at) {
      float* weight = weights + g * row + at * kLanes;
      const Vector e = exp((load(weight) - highest) * h.scale);
      store(weight, e);
      sum[g] += e;
    }
    inverse[g] = 1.0F / sum_lanes(sum[g]);
  }
  constexpr std::size_t kTogether = kLanes / G;  // components
  float* out = h.out + first_head * width;
  std::size_t d = 0;
  for (; d + kTogether <= width; d += kTogether) {
    Vector value[G * kTogether] = {};
    for (std::size_t at = 0; at < vectors; ++at) {
      Vector weight[G];
      for (std::size_t g = 0; g < G; ++g) weight[g] = load(weights + g * row + at * kLanes);
      for (std::size_t i = 0; i < kTogether; ++i) {
        const Vector v = load(cached(h.value, width, at, d + i));
        for (std::size_t g = 0; g < G; ++g) value[g * kTogether + i] += weight[g] * v;
      }
    }
    float sums[kLanes];
    store(sums, sum_each(value));
    for (std::size_t g = 0; g < G; ++g) {
      for (std::size_t i = 0; i < kTogether; ++i) {
        out[g * width + d + i] = sums[g * kTogether + i] * inverse[g];
      }
    }
  }
  for (; d < width; ++d) {
    for (std::size_t g = 0; g < G; ++g) {
      Vector value{};
      for (std::size_t at = 0; at < vectors; ++at) {
        value += load(weights + g * row + at * kLanes) * load(cached(h.value, width, at, d));
      }
      out[g * width + d] = sum_lanes(value) * inverse[g];
    }
  }
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
