#include "plumb/raters/probes/matrix.h"

#include <gtest/gtest.h>

#include "plumb/base/random.h"
#include "plumb/raters/vectors.h"

namespace plumb::raters {
namespace {

template <typename T>
std::vector<T> random_values(std::size_t count, std::uint64_t index) {
  Stream stream(1, "matrix test", index);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(stream.uniform() - 0.5);
  return values;
}

// The definition, one sum after another.
template <typename T>
std::vector<T> plain_product(const std::vector<T>& left, const std::vector<T>& right,
                             std::size_t depth, std::size_t columns) {
  const std::size_t rows = left.size() / depth;
  std::vector<T> out(rows * columns);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      T sum = 0;
      for (std::size_t p = 0; p < depth; ++p) sum += left[i * depth + p] * right[p * columns + j];
      out[i * columns + j] = sum;
    }
  }
  return out;
}

template <typename T>
void expect_equal_bits(std::size_t rows, std::size_t depth, std::size_t columns) {
  const auto left = random_values<T>(rows * depth, 1), right = random_values<T>(depth * columns, 2);
  const auto expected = plain_product(left, right, depth, columns);
  std::vector<T> transposed(right.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    transposed[i % columns * depth + i / columns] = right[i];
  }
  for (int level = 0; level <= static_cast<int>(best_instructions()); ++level) {
    std::vector<T> out(rows * columns, 9);
    multiply(left, Panels<T>::of_rows(right, columns), out, static_cast<Instructions>(level));
    EXPECT_EQ(out, expected) << rows << " x " << depth << " x " << columns << ", " << level;
    std::fill(out.begin(), out.end(), T{9});
    multiply(left, Panels<T>::of_columns(transposed, depth), out, static_cast<Instructions>(level));
    EXPECT_EQ(out, expected) << rows << " x " << depth << " x " << columns << ", " << level;
  }
}

TEST(Multiply, GivesThePlainSumsToTheLastBitWithAllInstructions) {
  for (const std::size_t rows : {1, 2, 17, 130}) {
    for (const std::size_t columns : {1, 5, 16, 37}) {
      expect_equal_bits<float>(rows, 19, columns);
      expect_equal_bits<double>(rows, 19, columns);
    }
  }
}

TEST(DotRows, AddUpAsVectorsDo) {
  const std::size_t dimension = 43;
  const auto values = random_values<float>(dimension * 20, 5);
  const Vectors vectors = Vectors::dense(dimension, values);
  const std::vector<std::size_t> rows = {3, 3, 19, 0, 7, 8, 1, 2, 4, 11, 12};
  for (int level = 0; level <= static_cast<int>(best_instructions()); ++level) {
    std::vector<double> out(rows.size());
    dot_rows(vectors.dense_row(5), values, rows, out, static_cast<Instructions>(level));
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(out[i], dot(vectors, 5, vectors, rows[i]));
  }
}

}  // namespace
}  // namespace plumb::raters
