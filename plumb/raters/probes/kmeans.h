// k-means by Lloyd's iterations until no row changes its group, from k-means++ starts; and the
// silhouette, which says how many groups separate best.
//
//   Stream stream(seed, "k-means", run);
//   KMeansResult result = kmeans(vectors, rows, 6, 5, stream);
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/raters/vectors.h"

namespace plumb::raters {

struct KMeansResult {
  std::vector<int> labels;  // [rows]
  double inertia = 0;       // sum of squared distances to the groups' means
};

// The best of `restarts` starts, the first of equals. A group that loses all its rows is given the
// row farthest from its centre, if it has any distance. On the calling thread.
// REQUIRES: 0 < groups <= rows.size(), 0 < restarts.
KMeansResult kmeans(const Vectors& vectors, std::span<const std::size_t> rows, std::size_t groups,
                    int restarts, Stream& stream);

// The mean over items of (b - a) / max(a, b): a is the mean distance to the others of its group, b
// to those of the nearest other group; 0 for an item alone in its group (Rousseeuw 1987).
// distances: [n, n]; labels: [n], of groups 0 .. groups - 1. REQUIRES: two groups hold an item.
double mean_silhouette(std::span<const float> distances, std::span<const int> labels,
                       std::size_t groups);

// Euclidean, of all pairs of these rows: [n, n].
std::vector<float> all_distances(const Vectors& vectors, std::span<const std::size_t> rows,
                                 int threads);

}  // namespace plumb::raters
