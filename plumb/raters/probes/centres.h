// Rows and their nearest centres, in single precision and in the order in which scikit-learn adds
// up: what both kinds of k-means (kmeans.h, minibatch_kmeans.h) are made of.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plumb/raters/probes/matrix.h"
#include "plumb/raters/vectors.h"

namespace plumb::raters {

// [n, columns] products of these rows with all columns, each one sum in the order of the columns of
// `vectors`: sparse rows give the same bits as dense ones.
template <typename T>
void products(const Vectors& vectors, std::span<const std::size_t> rows, const Panels<T>& columns,
              std::span<T> out);

// Sum of squares in four (float) or two (double) partial sums, as NumPy's einsum takes it on
// x86-64.
float sum_of_squares(std::span<const float> values);
double sum_of_squares(std::span<const double> values);

// A row written out. out: [dimension]
template <typename T>
void copy_row(const Vectors& vectors, std::size_t row, std::span<T> out);

// The row itself where it is dense, otherwise `scratch` [dimension] with the row written out.
std::span<const float> row_values(const Vectors& vectors, std::size_t row,
                                  std::span<float> scratch);

struct Assignment {
  std::vector<int> labels;       // [rows] the nearest centre, the first of equals
  std::vector<float> distances;  // [rows] squared, to it
};

// centres: [k, dimension]. The nearest by |c|^2 - 2 x.c; the same whatever the threads.
Assignment assign(const Vectors& vectors, std::span<const std::size_t> rows,
                  std::span<const float> centres, int threads);

// Sums in the order of the rows.
float total(std::span<const float> distances);

}  // namespace plumb::raters
