// Mini-batch k-means (Sculley 2010) step for step as scikit-learn 1.2's MiniBatchKMeans(n_clusters,
// batch_size=500, n_init="auto", random_state=42): the same random stream, the same order of the
// sums in single precision. With scikit-learn on the reference BLAS and one thread, labels are
// equal and centres equal to the last bit; another BLAS adds up in another order, and then a row
// that lies between two centres may go to the other. MTEB's protocol for clustering.
//
//   MiniBatchResult result = minibatch_kmeans(vectors, rows, {.groups = 6});
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plumb/raters/vectors.h"

namespace plumb::raters {

struct MiniBatchOptions {
  std::size_t groups = 8;
  std::size_t batch = 500;
  std::uint32_t seed = 42;
  int threads = 0;
};

struct MiniBatchResult {
  std::vector<int> labels;     // [rows]
  std::vector<float> centres;  // [groups, dimension]
  float inertia = 0;           // sum of squared distances to the centres
  int steps = 0;               // batches
};

// rows: of the vectors, one an item. The same bytes whatever the threads.
// REQUIRES: 0 < groups <= rows.size().
MiniBatchResult minibatch_kmeans(const Vectors& vectors, std::span<const std::size_t> rows,
                                 const MiniBatchOptions& options);

}  // namespace plumb::raters
