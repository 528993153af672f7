#include "plumb/raters/probes/seeding.h"

#include <algorithm>
#include <cmath>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/raters/probes/centres.h"
#include "plumb/raters/probes/numpy_random.h"

namespace plumb::raters {
namespace {

using Places = std::vector<std::size_t>;

constexpr std::size_t kWidenAtMost = std::size_t{1} << 23;  // values, 64 MB

// NumPy's pairwise sum of contiguous values.
float pairwise_sum(std::span<const float> values) {
  constexpr std::size_t kLanes = 8, kBlock = 128;
  const std::size_t n = values.size();
  if (n > kBlock) {
    const std::size_t half = n / 2 - n / 2 % kLanes;
    return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
  }
  std::size_t i = 0;
  float sum = 0;
  if (n >= kLanes) {
    float lanes[kLanes];
    std::copy_n(values.begin(), kLanes, lanes);
    for (i = kLanes; i + kLanes <= n; i += kLanes) {
      for (std::size_t l = 0; l < kLanes; ++l) lanes[l] += values[i + l];
    }
    sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
          ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  }
  for (; i < n; ++i) sum += values[i];
  return sum;
}

// k-means++ (Arthur and Vassilvitskii 2007) with 2 + log k trials a centre, of which the best
// stays.
class Seeding {
 public:
  Seeding(const Vectors& vectors, Places rows, int threads)
      : vectors_(vectors), rows_(std::move(rows)), threads_(threads), norms_(rows_.size()) {
    const std::size_t dimension = vectors.dimension();
    const bool keep = vectors.is_dense() && rows_.size() * dimension <= kWidenAtMost;
    if (keep) widened_.resize(rows_.size() * dimension);
    std::vector<double> row(dimension);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const auto to = keep ? std::span(widened_).subspan(i * dimension, dimension) : std::span(row);
      copy_row<double>(vectors, rows_[i], to);
      norms_[i] = sum_of_squares(std::span<const double>(to));
    }
  }

  template <typename Random>
  Places choose(std::size_t groups, Random& random) {
    const auto trials = 2 + static_cast<std::size_t>(std::log(static_cast<double>(groups)));
    Places chosen = {random.below(rows_.size())};
    std::vector<float> closest = distances(chosen)[0];
    float potential = pairwise_sum(closest);
    while (chosen.size() < groups) {
      const Places candidates = sample(closest, potential, trials, random);
      auto to_candidates = distances(candidates);
      std::size_t best = 0;
      for (std::size_t c = 0; c < trials; ++c) {
        for (std::size_t i = 0; i < closest.size(); ++i) {
          to_candidates[c][i] = std::min(closest[i], to_candidates[c][i]);
        }
        const float with_it = pairwise_sum(to_candidates[c]);
        if (c > 0 && with_it >= potential) continue;
        potential = with_it;
        best = c;
      }
      closest = std::move(to_candidates[best]);
      chosen.push_back(candidates[best]);
    }
    for (std::size_t& place : chosen) place = rows_[place];
    return chosen;
  }

 private:
  // Places drawn with probability proportional to the distance to the closest centre.
  template <typename Random>
  static Places sample(std::span<const float> closest, float potential, std::size_t trials,
                       Random& random) {
    std::vector<double> cumulated;
    double sum = 0;
    for (const float distance : closest) cumulated.push_back(sum += static_cast<double>(distance));
    Places places;
    for (std::size_t c = 0; c < trials; ++c) {
      const double at = random.uniform() * static_cast<double>(potential);
      const auto found = std::lower_bound(cumulated.begin(), cumulated.end(), at);
      places.push_back(
          std::min(static_cast<std::size_t>(found - cumulated.begin()), closest.size() - 1));
    }
    return places;
  }

  // [candidates][rows] squared, in double, then rounded.
  std::vector<std::vector<float>> distances(std::span<const std::size_t> candidates) const {
    const std::size_t count = candidates.size(), dimension = vectors_.dimension();
    std::vector<double> written(count * dimension);
    for (std::size_t c = 0; c < count; ++c) {
      copy_row<double>(vectors_, rows_[candidates[c]],
                       std::span(written).subspan(c * dimension, dimension));
    }
    const auto panels = Panels<double>::of_columns(written, dimension);
    std::vector<std::vector<float>> result(count, std::vector<float>(rows_.size()));
    parallel_for(rows_.size(), 256, threads_, [&](std::size_t begin, std::size_t end) {
      std::vector<double> dots((end - begin) * count);
      if (widened_.empty()) {
        products(vectors_, std::span(rows_).subspan(begin, end - begin), panels, std::span(dots));
      } else {
        multiply(
            std::span<const double>(widened_).subspan(begin * dimension, (end - begin) * dimension),
            panels, dots);
      }
      for (std::size_t i = begin; i < end; ++i) {
        for (std::size_t c = 0; c < count; ++c) {
          const double distance =
              -2 * dots[(i - begin) * count + c] + norms_[candidates[c]] + norms_[i];
          result[c][i] = std::max(static_cast<float>(distance), 0.0F);
        }
      }
    });
    return result;
  }

  const Vectors& vectors_;
  Places rows_;
  int threads_;
  std::vector<double> norms_;
  std::vector<double> widened_;  // [rows, dimension], or empty where that is too much
};

}  // namespace

template <typename Random>
Places choose_seeds(const Vectors& vectors, Places rows, std::size_t groups, Random& random,
                    int threads) {
  return Seeding(vectors, std::move(rows), threads).choose(groups, random);
}

template Places choose_seeds(const Vectors&, Places, std::size_t, NumpyRandom&, int);
template Places choose_seeds(const Vectors&, Places, std::size_t, Stream&, int);

}  // namespace plumb::raters
