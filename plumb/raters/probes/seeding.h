// Where k-means begins: k-means++ (Arthur and Vassilvitskii 2007) with 2 + log k trials a centre,
// of which the one that leaves the least inertia stays. Step for step as scikit-learn's, in single
// precision.
#pragma once

#include <cstddef>
#include <vector>

#include "plumb/raters/vectors.h"

namespace plumb::raters {

// `groups` of these rows, as they were chosen; where fewer are distinct, some are equal. Random:
// Stream or NumpyRandom. REQUIRES: 0 < groups <= rows.size().
template <typename Random>
std::vector<std::size_t> choose_seeds(const Vectors& vectors, std::vector<std::size_t> rows,
                                      std::size_t groups, Random& random, int threads);

}  // namespace plumb::raters
