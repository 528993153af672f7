#include "plumb/raters/probes/matrix.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace plumb::raters {
namespace {

constexpr std::size_t kLine = 16;          // floats of a cache line
constexpr std::size_t kRowsAtATime = 128;  // stay in the cache while all panels pass

template <typename T>
struct Product {
  const T* left;  // [rows, depth]
  std::size_t rows, depth;
  const T* panel;  // [depth, kWidth]
  T* out;          // [rows, stride]
  std::size_t stride, columns;
};

// kRows rows against one panel, the sums in registers of kBytes.
template <typename T, std::size_t kBytes, std::size_t kRows>
[[gnu::always_inline]] inline void multiply_rows(const Product<T>& product, std::size_t row) {
  constexpr std::size_t kWidth = Panels<T>::kWidth;
  constexpr std::size_t kRegisters = kWidth * sizeof(T) / kBytes;
  typedef T Register __attribute__((vector_size(kBytes)));  // NOLINT(modernize-use-using)
  Register sums[kRows][kRegisters] = {};
  const T* left = product.left + row * product.depth;
  for (std::size_t p = 0; p < product.depth; ++p) {
    Register right[kRegisters];
    std::memcpy(right, product.panel + p * kWidth, sizeof right);
    for (std::size_t r = 0; r < kRows; ++r) {
      const T factor = left[r * product.depth + p];
      for (std::size_t k = 0; k < kRegisters; ++k) sums[r][k] += factor * right[k];
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    std::memcpy(product.out + (row + r) * product.stride, sums[r], product.columns * sizeof(T));
  }
}

template <typename T, std::size_t kBytes, std::size_t kRows>
[[gnu::always_inline]] inline void multiply_panel(const Product<T>& product, std::size_t row = 0) {
  for (; row + kRows <= product.rows; row += kRows) multiply_rows<T, kBytes, kRows>(product, row);
  if constexpr (kRows > 1) multiply_panel<T, kBytes, kRows / 2>(product, row);
}

struct Dots {
  const float* query;  // [dimension]
  std::size_t dimension;
  const float* values;
  const std::size_t* rows;
  double* out;
  std::size_t count;
};

// kRows rows at a time, each in eight partial sums; the compiler knows the registers.
template <std::size_t kRows>
[[gnu::always_inline]] inline void dot_some(const Dots& dots, std::size_t at) {
  constexpr std::size_t kLanes = 8;
  double sums[kRows][kLanes] = {};
  const float* rows[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    rows[r] = dots.values + dots.rows[at + r] * dots.dimension;
  }
  std::size_t i = 0;
  for (; i + kLanes <= dots.dimension; i += kLanes) {
    double query[kLanes];
    for (std::size_t l = 0; l < kLanes; ++l) query[l] = static_cast<double>(dots.query[i + l]);
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t l = 0; l < kLanes; ++l) {
        sums[r][l] += query[l] * static_cast<double>(rows[r][i + l]);
      }
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    double total = 0;
    for (std::size_t p = i; p < dots.dimension; ++p) {
      sums[r][0] += static_cast<double>(dots.query[p]) * static_cast<double>(rows[r][p]);
    }
    for (const double lane : sums[r]) total += lane;
    dots.out[at + r] = total;
  }
}

// Rows lie anywhere: those of the next turn are fetched meanwhile.
template <std::size_t kRows>
[[gnu::always_inline]] inline void dot_all(const Dots& dots) {
  std::size_t at = 0;
  for (; at + kRows <= dots.count; at += kRows) {
    for (std::size_t next = at + kRows; next < std::min(at + 2 * kRows, dots.count); ++next) {
      const float* row = dots.values + dots.rows[next] * dots.dimension;
      for (std::size_t i = 0; i < dots.dimension; i += kLine) __builtin_prefetch(row + i);
    }
    dot_some<kRows>(dots, at);
  }
  for (; at < dots.count; ++at) dot_some<1>(dots, at);
}

void dots_on_baseline(const Dots& dots) { dot_all<1>(dots); }

template <typename T>
void on_baseline(const Product<T>& product) {
  multiply_panel<T, 16, 3>(product);
}

#ifdef __x86_64__
template <typename T>
[[gnu::target("avx2")]] void on_avx2(const Product<T>& product) {
  multiply_panel<T, 32, 6>(product);
}

template <typename T>
[[gnu::target("avx512f")]] void on_avx512(const Product<T>& product) {
  multiply_panel<T, 64, 16>(product);
}

[[gnu::target("avx2")]] void dots_on_avx2(const Dots& dots) { dot_all<2>(dots); }

[[gnu::target("avx512f")]] void dots_on_avx512(const Dots& dots) { dot_all<4>(dots); }

auto dots_function(Instructions instructions) {
  switch (instructions) {
    case Instructions::kAvx512:
      return dots_on_avx512;
    case Instructions::kAvx2:
      return dots_on_avx2;
    case Instructions::kBaseline:
      break;
  }
  return dots_on_baseline;
}

template <typename T>
auto panel_function(Instructions instructions) {
  switch (instructions) {
    case Instructions::kAvx512:
      return on_avx512<T>;
    case Instructions::kAvx2:
      return on_avx2<T>;
    case Instructions::kBaseline:
      break;
  }
  return on_baseline<T>;
}
#else
auto dots_function(Instructions) { return dots_on_baseline; }

template <typename T>
auto panel_function(Instructions) {
  return on_baseline<T>;
}
#endif

template <typename T>
void multiply_all(std::span<const T> left, const Panels<T>& right, std::span<T> out,
                  Instructions instructions) {
  const std::size_t depth = right.depth(), columns = right.columns();
  const std::size_t rows = out.size() / columns;
  assert(left.size() == rows * depth && out.size() == rows * columns);
  const auto multiply_one = panel_function<T>(instructions);
  for (std::size_t row = 0; row < rows; row += kRowsAtATime) {
    for (std::size_t at = 0; at < right.panels(); ++at) {
      const std::size_t column = at * Panels<T>::kWidth;
      multiply_one({left.data() + row * depth, std::min(kRowsAtATime, rows - row), depth,
                    right.panel(at), out.data() + row * columns + column, columns,
                    std::min(Panels<T>::kWidth, columns - column)});
    }
  }
}

}  // namespace

template <typename T>
Panels<T>::Panels(std::size_t depth, std::size_t columns)
    : depth_(depth), columns_(columns), values_(panels() * depth * kWidth) {}

template <typename T>
Panels<T> Panels<T>::of_rows(std::span<const T> values, std::size_t columns) {
  assert(columns > 0 && values.size() % columns == 0);
  Panels result(values.size() / columns, columns);
  for (std::size_t p = 0; p < result.depth_; ++p) {
    for (std::size_t column = 0; column < columns; column += kWidth) {
      std::copy_n(values.data() + p * columns + column, std::min(kWidth, columns - column),
                  result.values_.data() + (column * result.depth_ + p * kWidth));
    }
  }
  return result;
}

template <typename T>
Panels<T> Panels<T>::of_columns(std::span<const T> values, std::size_t depth) {
  assert(depth > 0 && values.size() % depth == 0);
  Panels result(depth, values.size() / depth);
  for (std::size_t column = 0; column < result.columns_; ++column) {
    T* to = result.values_.data() + column / kWidth * kWidth * depth + column % kWidth;
    for (std::size_t p = 0; p < depth; ++p) to[p * kWidth] = values[column * depth + p];
  }
  return result;
}

template class Panels<float>;
template class Panels<double>;

Instructions best_instructions() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return Instructions::kAvx512;
  if (__builtin_cpu_supports("avx2")) return Instructions::kAvx2;
#endif
  return Instructions::kBaseline;
}

void multiply(std::span<const float> left, const Panels<float>& right, std::span<float> out,
              Instructions instructions) {
  multiply_all(left, right, out, instructions);
}

void multiply(std::span<const double> left, const Panels<double>& right, std::span<double> out,
              Instructions instructions) {
  multiply_all(left, right, out, instructions);
}

void dot_rows(std::span<const float> query, std::span<const float> values,
              std::span<const std::size_t> rows, std::span<double> out, Instructions instructions) {
  assert(out.size() == rows.size());
  dots_function(instructions)(
      {query.data(), query.size(), values.data(), rows.data(), out.data(), rows.size()});
}

}  // namespace plumb::raters
