// The first principal component of vectors that are not centred: what smooth inverse frequency
// takes away from the vectors of texts (Arora, Liang and Ma 2017, algorithm 1).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace plumb::raters {

// The right singular vector of the largest singular value, of length 1, up to its sign, by power
// iteration on the matrix of inner products of columns. values: [rows, dimension]. Empty: all are
// 0.
std::vector<double> principal_component(std::span<const float> values, std::size_t dimension);

// vector -= component * (component . vector)
void remove_component(std::span<double> vector, std::span<const double> component);

}  // namespace plumb::raters
