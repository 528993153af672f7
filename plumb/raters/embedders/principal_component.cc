#include "plumb/raters/embedders/principal_component.h"

#include <algorithm>
#include <cmath>

#include "plumb/base/random.h"

namespace plumb::raters {
namespace {

// [dimension, dimension]: sums over rows of value i times value j.
std::vector<double> column_products(std::span<const float> values, std::size_t dimension) {
  std::vector<double> products(dimension * dimension);
  for (std::size_t start = 0; start < values.size(); start += dimension) {
    const auto row = values.subspan(start, dimension);
    for (std::size_t i = 0; i < dimension; ++i) {
      const auto scale = static_cast<double>(row[i]);
      if (scale == 0) continue;
      double* out = products.data() + i * dimension;
      for (std::size_t j = 0; j < dimension; ++j) out[j] += scale * static_cast<double>(row[j]);
    }
  }
  return products;
}

// REQUIRES: not all are 0.
void normalise(std::vector<double>& vector) {
  double squares = 0;
  for (const double value : vector) squares += value * value;
  for (double& value : vector) value /= std::sqrt(squares);
}

}  // namespace

std::vector<double> principal_component(std::span<const float> values, std::size_t dimension) {
  constexpr int kMostSteps = 2000;
  constexpr double kSmallestMove = 1e-13;
  const std::vector<double> products = column_products(values, dimension);
  const bool all_zero =
      std::all_of(products.begin(), products.end(), [](double value) { return value == 0; });
  if (all_zero) return {};
  std::vector<double> vector(dimension);  // drawn: orthogonal to the component by no design
  Stream stream(0, "principal component", 0);
  for (double& value : vector) value = stream.uniform() - 0.5;
  normalise(vector);
  for (int step = 0; step < kMostSteps; ++step) {
    std::vector<double> next(dimension);
    for (std::size_t i = 0; i < dimension; ++i) {
      for (std::size_t j = 0; j < dimension; ++j) {
        next[i] += products[i * dimension + j] * vector[j];
      }
    }
    normalise(next);
    double move = 0;
    for (std::size_t i = 0; i < dimension; ++i) move += std::abs(next[i] - vector[i]);
    vector = std::move(next);
    if (move < kSmallestMove) break;
  }
  return vector;
}

void remove_component(std::span<double> vector, std::span<const double> component) {
  double along = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) along += vector[i] * component[i];
  for (std::size_t i = 0; i < vector.size(); ++i) vector[i] -= along * component[i];
}

}  // namespace plumb::raters
