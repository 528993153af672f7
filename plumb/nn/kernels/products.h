// Products of small matrices, and of a few rows with packed weights.
#pragma once

#include "plumb/nn/kernels.h"
#include "plumb/nn/kernels/vector.h"

namespace plumb::nn::PLUMB_ISA {

// R rows x (V vectors of L lanes) of C in registers. Each element is one chain over k.
template <std::size_t L, std::size_t V, std::size_t R>
inline void register_tile(const SmallProduct& p, std::size_t row, std::size_t column) {
  using Float = typename VectorOf<L>::Float;
  Float sum[R][V];
  for (std::size_t i = 0; i < R; ++i) {
    for (std::size_t j = 0; j < V; ++j) {
      sum[i][j] = p.accumulate ? load<Float>(p.c + (row + i) * p.c_row + column + j * L) : Float{};
    }
  }
  const float* a = p.a + row * p.a_row;
  const float* b = p.b + column;
  for (std::size_t k = 0; k < p.k; ++k, a += p.a_column, b += p.b_row) {
    Float right[V];
    for (std::size_t j = 0; j < V; ++j) right[j] = load<Float>(b + j * L);
    for (std::size_t i = 0; i < R; ++i) {
      const float left = a[i * p.a_row];
      for (std::size_t j = 0; j < V; ++j) sum[i][j] += left * right[j];
    }
  }
  for (std::size_t i = 0; i < R; ++i) {
    for (std::size_t j = 0; j < V; ++j) {
      store(p.c + (row + i) * p.c_row + column + j * L, sum[i][j]);
    }
  }
}

template <std::size_t L, std::size_t V>
inline void column_of_tiles(const SmallProduct& p, std::size_t column) {
  std::size_t row = 0;
  for (; row + 6 <= p.m; row += 6) register_tile<L, V, 6>(p, row, column);
  if (row + 4 <= p.m) {
    register_tile<L, V, 4>(p, row, column);
    row += 4;
  }
  if (row + 2 <= p.m) {
    register_tile<L, V, 2>(p, row, column);
    row += 2;
  }
  if (row < p.m) register_tile<L, V, 1>(p, row, column);
}

inline void small_product(const SmallProduct& p) {
  std::size_t column = 0;
  for (; column + kPanel <= p.n; column += kPanel) {
    column_of_tiles<kLanes, kTileVectors>(p, column);
  }
  for (; column + kLanes <= p.n; column += kLanes) column_of_tiles<kLanes, 1>(p, column);
  if constexpr (kLanes > 8) {
    for (; column + 8 <= p.n; column += 8) column_of_tiles<8, 1>(p, column);
  }
  if constexpr (kLanes > 4) {
    for (; column + 4 <= p.n; column += 4) column_of_tiles<4, 1>(p, column);
  }
  for (; column < p.n; ++column) column_of_tiles<1, 1>(p, column);
}

inline void pack(std::size_t n, std::size_t k, const float* weight, float* packed) {
  for (std::size_t first = 0; first < n; first += kPanel) {
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < kPanel; ++j) {
        *packed++ = first + j < n ? weight[(first + j) * k + i] : 0.0F;
      }
    }
  }
}

constexpr std::size_t kRowPanels = 8 / kTileVectors;

// One row against kRowPanels panels, so that eight sums are under way: a panel alone waits for each
// multiplication to end. The order of every sum is register_tile's.
inline void row_product(std::size_t k, const float* in, const float* packed, bool accumulate,
                        float* out) {
  Vector sum[kRowPanels][kTileVectors];
  for (std::size_t p = 0; p < kRowPanels; ++p) {
    for (std::size_t j = 0; j < kTileVectors; ++j) {
      sum[p][j] = accumulate ? load(out + p * kPanel + j * kLanes) : Vector{};
    }
  }
  for (std::size_t i = 0; i < k; ++i) {
    const float left = in[i];
    for (std::size_t p = 0; p < kRowPanels; ++p) {
      const float* right = packed + (p * k + i) * kPanel;
      for (std::size_t j = 0; j < kTileVectors; ++j) {
        sum[p][j] += left * load(right + j * kLanes);
      }
    }
  }
  for (std::size_t p = 0; p < kRowPanels; ++p) {
    for (std::size_t j = 0; j < kTileVectors; ++j) {
      store(out + p * kPanel + j * kLanes, sum[p][j]);
    }
  }
}

inline void packed_product(std::size_t m, std::size_t n, std::size_t k, const float* in,
                           const float* packed, const float* bias, float* out) {
  if (bias != nullptr) {
    for (std::size_t i = 0; i < m; ++i) __builtin_memcpy(out + i * n, bias, n * sizeof(float));
  }
  std::size_t first = 0;
  if (m == 1) {
    for (; first + kRowPanels * kPanel <= n; first += kRowPanels * kPanel) {
      row_product(k, in, packed + first * k, bias != nullptr, out + first);
    }
  }
  for (; first < n; first += kPanel) {
    small_product({.m = m,
                   .n = n - first < kPanel ? n - first : kPanel,
                   .k = k,
                   .a = in,
                   .a_row = k,
                   .a_column = 1,
                   .b = packed + first * k,
                   .b_row = kPanel,
                   .c = out + first,
                   .c_row = n,
                   .accumulate = bias != nullptr});
  }
}

}  // namespace plumb::nn::PLUMB_ISA
