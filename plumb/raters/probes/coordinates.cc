#include "plumb/raters/probes/coordinates.h"

#include <algorithm>
#include <cmath>

#include "plumb/raters/probes/centres.h"
#include "plumb/raters/probes/matrix.h"

namespace plumb::raters {
namespace {

// [n, n] products of all pairs of rows.
std::vector<double> gram(const Vectors& vectors) {
  const std::size_t n = vectors.rows();
  std::vector<double> products(n * n);
  if (vectors.is_dense()) {
    const std::vector<double> values(vectors.dense_values().begin(), vectors.dense_values().end());
    multiply(values, Panels<double>::of_columns(values, vectors.dimension()), products);
    return products;
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      products[i * n + j] = products[j * n + i] = dot(vectors, i, vectors, j);
    }
  }
  return products;
}

// From coordinates of a point, [rank], to how often it has each of the pivots' rows.
void solve_for_pivots(const Coordinates& coordinates, std::span<double> point) {
  for (std::size_t c = point.size(); c > 0; --c) {
    const double* row = coordinates.values.data() + coordinates.pivots[c - 1] * point.size();
    const double factor = point[c - 1] /= row[c - 1];
    for (std::size_t t = 0; t + 1 < c; ++t) point[t] -= factor * row[t];
  }
}

// rest[i, j] -= direction[i] * direction[j], for the rows after `done`, right of the diagonal.
void take_away(std::span<const double> direction, std::size_t done, std::vector<double>& rest) {
  const std::size_t n = direction.size();
  for (std::size_t i = done + 1; i < n; ++i) {
    double* row = rest.data() + i * n;
    const double factor = direction[i];
    for (std::size_t j = i; j < n; ++j) row[j] -= factor * direction[j];
  }
}

}  // namespace

std::vector<double> Coordinates::whole(std::span<const double> points,
                                       const Vectors& vectors) const {
  const std::size_t k = points.size() / rank, dimension = vectors.dimension();
  std::vector<double> result(k * dimension);
  if (pivots.empty()) return result;
  std::vector<double> factors(points.begin(), points.end());
  for (std::size_t i = 0; i < k; ++i) {
    solve_for_pivots(*this, std::span(factors).subspan(i * rank, rank));
  }
  std::vector<double> row(vectors.is_dense() ? dimension : 0);
  for (std::size_t c = 0; c < rank; ++c) {
    if (vectors.is_dense()) copy_row(vectors, pivots[c], std::span(row));
    for (std::size_t i = 0; i < k; ++i) {
      const double factor = factors[i * rank + c];
      double* sum = result.data() + i * dimension;
      if (!vectors.is_dense()) vectors.add_to(pivots[c], factor, {sum, dimension});
      for (std::size_t d = 0; d < row.size(); ++d) sum[d] += factor * row[d];
    }
  }
  return result;
}

Coordinates coordinates_of(const Vectors& vectors) {
  constexpr double kDependent = 1e-12;
  const std::size_t n = vectors.rows();
  auto rest = gram(vectors);       // what the directions so far leave
  std::vector<double> directions;  // [rank, n]
  std::vector<std::size_t> pivots;
  for (std::size_t i = 0; i < n; ++i) {
    const double left = rest[i * n + i];
    if (left <= kDependent * vectors.squared_norm(i)) continue;
    const double scale = std::sqrt(left);
    directions.resize(directions.size() + n);
    const auto direction = std::span(directions).last(n);
    direction[i] = scale;
    for (std::size_t j = i + 1; j < n; ++j) direction[j] = rest[i * n + j] / scale;
    take_away(direction, i, rest);
    pivots.push_back(i);
  }
  const std::size_t rank = std::max<std::size_t>(pivots.size(), 1);
  Coordinates result{std::vector<double>(n * rank), rank, std::move(pivots)};
  for (std::size_t c = 0; c < result.pivots.size(); ++c) {
    for (std::size_t i = 0; i < n; ++i) result.values[i * rank + c] = directions[c * n + i];
  }
  return result;
}

}  // namespace plumb::raters
