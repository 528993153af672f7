// Coordinates of vectors in an orthonormal basis of their span. What depends on lengths and angles
// alone is the same there, and small where the vectors are few: a fit of 48 texts in 384 dimensions
// becomes one in 48.
//
//   const Coordinates coordinates = coordinates_of(vectors);
//   const auto points = coordinates.whole(some, vectors);  // points of the span, by coordinates
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plumb/raters/vectors.h"

namespace plumb::raters {

struct Coordinates {
  std::vector<double> values;       // [n, rank]
  std::size_t rank;                 // at least 1
  std::vector<std::size_t> pivots;  // [rank], or none of rows of zeros: those that add a direction

  // The points [k, dimension] with these coordinates [k, rank].
  std::vector<double> whole(std::span<const double> points, const Vectors& vectors) const;
};

// By Cholesky of the products of all pairs, in the order of the rows. A row within rounding of the
// span of those before it adds no direction.
Coordinates coordinates_of(const Vectors& vectors);

}  // namespace plumb::raters
