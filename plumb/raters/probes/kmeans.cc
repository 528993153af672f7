#include "plumb/raters/probes/kmeans.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "plumb/base/parallel.h"
#include "plumb/raters/probes/centres.h"
#include "plumb/raters/probes/seeding.h"

namespace plumb::raters {
namespace {

constexpr int kMaxIterations = 300;

// The means of the groups; a centre without rows stays where it is.
void move(const Vectors& vectors, std::span<const std::size_t> rows, std::span<const int> labels,
          std::span<float> centres) {
  const std::size_t dimension = vectors.dimension(), groups = centres.size() / dimension;
  std::vector<double> sums(centres.size()), counts(groups);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    vectors.add_to(rows[i], 1, std::span(sums).subspan(label * dimension, dimension));
    ++counts[label];
  }
  for (std::size_t i = 0; i < centres.size(); ++i) {
    const double count = counts[i / dimension];
    if (count > 0) centres[i] = static_cast<float>(sums[i] / count);
  }
}

// Gives each empty group the row that is farthest from its centre, of a group that has others.
void fill_empty_groups(Assignment& assignment, std::size_t groups) {
  std::vector<std::size_t> sizes(groups);
  for (const int label : assignment.labels) ++sizes[static_cast<std::size_t>(label)];
  for (std::size_t group = 0; group < groups; ++group) {
    if (sizes[group] > 0) continue;
    const auto farthest =
        std::max_element(assignment.distances.begin(), assignment.distances.end());
    if (*farthest <= 0) return;
    int& label =
        assignment.labels[static_cast<std::size_t>(farthest - assignment.distances.begin())];
    --sizes[static_cast<std::size_t>(label)];
    ++sizes[group];
    label = static_cast<int>(group);
    *farthest = 0;
  }
}

double inertia_of(std::span<const float> distances) {
  double sum = 0;
  for (const float distance : distances) sum += static_cast<double>(distance);
  return sum;
}

KMeansResult from_one_start(const Vectors& vectors, std::span<const std::size_t> rows,
                            std::size_t groups, Stream& stream) {
  const std::size_t dimension = vectors.dimension();
  std::vector<float> centres(groups * dimension);
  const auto seeds = choose_seeds(vectors, {rows.begin(), rows.end()}, groups, stream, 1);
  for (std::size_t j = 0; j < groups; ++j) {
    copy_row<float>(vectors, seeds[j], std::span(centres).subspan(j * dimension, dimension));
  }
  std::vector<int> labels;
  for (int iteration = 0;; ++iteration) {
    Assignment assignment = assign(vectors, rows, centres, 1);
    const double inertia = inertia_of(assignment.distances);
    fill_empty_groups(assignment, groups);
    if (assignment.labels == labels || iteration == kMaxIterations) return {labels, inertia};
    labels = std::move(assignment.labels);
    move(vectors, rows, labels, centres);
  }
}

}  // namespace

KMeansResult kmeans(const Vectors& vectors, std::span<const std::size_t> rows, std::size_t groups,
                    int restarts, Stream& stream) {
  assert(groups > 0 && groups <= rows.size() && restarts > 0);
  KMeansResult best;
  for (int restart = 0; restart < restarts; ++restart) {
    KMeansResult result = from_one_start(vectors, rows, groups, stream);
    if (restart == 0 || result.inertia < best.inertia) best = std::move(result);
  }
  return best;
}

double mean_silhouette(std::span<const float> distances, std::span<const int> labels,
                       std::size_t groups) {
  const std::size_t n = labels.size();
  std::vector<double> sizes(groups);
  for (const int label : labels) ++sizes[static_cast<std::size_t>(label)];
  double total_value = 0;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> sums(groups);
    for (std::size_t j = 0; j < n; ++j) {
      sums[static_cast<std::size_t>(labels[j])] += static_cast<double>(distances[i * n + j]);
    }
    const auto own = static_cast<std::size_t>(labels[i]);
    if (sizes[own] < 2) continue;
    const double within = sums[own] / (sizes[own] - 1);
    double other = std::numeric_limits<double>::infinity();
    for (std::size_t group = 0; group < groups; ++group) {
      if (group != own && sizes[group] > 0) other = std::min(other, sums[group] / sizes[group]);
    }
    const double greater = std::max(within, other);
    if (greater > 0) total_value += (other - within) / greater;
  }
  return total_value / static_cast<double>(n);
}

std::vector<float> all_distances(const Vectors& vectors, std::span<const std::size_t> rows,
                                 int threads) {
  const std::size_t n = rows.size();
  std::vector<float> distances(n * n);
  std::vector<double> norms;
  for (const std::size_t row : rows) norms.push_back(vectors.squared_norm(row));
  parallel_for(n, 16, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<double> dots(n);
    for (std::size_t i = begin; i < end; ++i) {
      if (vectors.is_dense()) {
        dot_rows(vectors.dense_row(rows[i]), vectors.dense_values(), rows, dots);
      } else {
        for (std::size_t j = 0; j < n; ++j) dots[j] = dot(vectors, rows[i], vectors, rows[j]);
      }
      for (std::size_t j = 0; j < n; ++j) {
        const double squared = norms[i] + norms[j] - 2 * dots[j];
        distances[i * n + j] = static_cast<float>(std::sqrt(std::max(squared, 0.0)));
      }
    }
  });
  return distances;
}

}  // namespace plumb::raters
