// Matrix products for the probes, fast on whatever the processor has and the same to the last bit
// on all of them: every element is one sum, taken from the first term to the last, without fused
// multiply-add. Wide registers hold neighbouring elements, never parts of one sum. That is also how
// the reference BLAS adds up, so that k-means can be compared with scikit-learn's bit by bit.
//
//   const auto centres = Panels<float>::of_columns(centre_rows, dimension);    // [dimension, k]
//   multiply(rows, centres, products);                                         // [n, k]
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace plumb::raters {

// The right side of products, [depth, columns], in panels of as many columns as 64 bytes hold. T:
// float or double.
template <typename T>
class Panels {
 public:
  static constexpr std::size_t kWidth = 64 / sizeof(T);

  // values: [depth, columns] row-major. REQUIRES: columns > 0 divides values.size().
  static Panels of_rows(std::span<const T> values, std::size_t columns);
  // columns: [columns, depth] row-major, one column after another. REQUIRES: likewise.
  static Panels of_columns(std::span<const T> values, std::size_t depth);

  std::size_t depth() const { return depth_; }
  std::size_t columns() const { return columns_; }
  std::size_t panels() const { return (columns_ + kWidth - 1) / kWidth; }
  // [depth, kWidth], zero beyond the last column.
  const T* panel(std::size_t at) const { return values_.data() + at * depth_ * kWidth; }

 private:
  Panels(std::size_t depth, std::size_t columns);

  std::size_t depth_, columns_;
  std::vector<T> values_;
};

enum class Instructions { kBaseline, kAvx2, kAvx512 };

// The widest that this processor has.
Instructions best_instructions();

// out[i, j] = sum over p, ascending, of left[i, p] * right[p, j]. left: [rows, depth] row-major;
// out: [rows, columns]. On the calling thread; split the rows to use several.
// REQUIRES: the shapes fit, and the processor has the instructions.
void multiply(std::span<const float> left, const Panels<float>& right, std::span<float> out,
              Instructions instructions = best_instructions());
void multiply(std::span<const double> left, const Panels<double>& right, std::span<double> out,
              Instructions instructions = best_instructions());

// out[i] = the product of `query` and row rows[i] of `values` [., dimension], as dot() of Vectors
// adds it up: eight partial sums in double. REQUIRES: query has `dimension` values, and the rows
// exist.
void dot_rows(std::span<const float> query, std::span<const float> values,
              std::span<const std::size_t> rows, std::span<double> out,
              Instructions instructions = best_instructions());

}  // namespace plumb::raters
