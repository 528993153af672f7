#include "plumb/raters/probes/centres.h"

#include <algorithm>
#include <memory>
#include <type_traits>

#include "plumb/base/parallel.h"

namespace plumb::raters {
namespace {

constexpr std::size_t kRowsAtATime = 128;

template <typename T>
void sparse_products(const Vectors& vectors, std::span<const std::size_t> rows,
                     const Panels<T>& columns, std::span<T> out) {
  constexpr std::size_t kWidth = Panels<T>::kWidth;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t at = 0; at < columns.panels(); ++at) {
      T sums[kWidth] = {};
      for (const Vectors::Entry& entry : vectors.sparse_row(rows[i])) {
        const T* factors = columns.panel(at) + entry.column * kWidth;
        for (std::size_t k = 0; k < kWidth; ++k)
          sums[k] += static_cast<T>(entry.value) * factors[k];
      }
      const std::size_t begin = at * kWidth, count = std::min(kWidth, columns.columns() - begin);
      std::copy_n(sums, count, out.data() + i * columns.columns() + begin);
    }
  }
}

// The values of the rows, where they lie one after another; otherwise nothing.
std::span<const float> in_place(const Vectors& vectors, std::span<const std::size_t> rows) {
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i] != rows[0] + i) return {};
  }
  const std::size_t dimension = vectors.dimension();
  return vectors.dense_values().subspan(rows[0] * dimension, rows.size() * dimension);
}

template <typename T, std::size_t kLanes>
T squares_in_lanes(std::span<const T> values) {
  constexpr std::size_t kUnrolled = 4;
  T sums[kLanes] = {};
  const auto add = [&](std::size_t begin) {
    for (std::size_t l = 0; l < kLanes && begin + l < values.size(); ++l) {
      sums[l] += values[begin + l] * values[begin + l];
    }
  };
  std::size_t i = 0;
  for (; i + kUnrolled * kLanes <= values.size(); i += kUnrolled * kLanes) {
    for (std::size_t block = kUnrolled; block > 0; --block) add(i + (block - 1) * kLanes);
  }
  for (; i < values.size(); i += kLanes) add(i);
  if constexpr (kLanes == 2) return sums[0] + sums[1];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// In fours, as scikit-learn's _euclidean_dense_dense.
float squared_distance(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  std::size_t i = 0;
  const auto square = [&](std::size_t at) { return (a[at] - b[at]) * (a[at] - b[at]); };
  for (; i + 4 <= a.size(); i += 4) {
    sum += square(i) + square(i + 1) + square(i + 2) + square(i + 3);
  }
  for (; i < a.size(); ++i) sum += square(i);
  return sum;
}

int nearest(std::span<const float> products, std::span<const float> norms) {
  const auto distance = [&](std::size_t k) { return -2 * products[k] + norms[k]; };
  std::size_t best = 0;
  float least = distance(0);
  for (std::size_t k = 1; k < norms.size(); ++k) {
    const float other = distance(k);
    if (other < least) {
      least = other;
      best = k;
    }
  }
  return static_cast<int>(best);
}

}  // namespace

template <typename T>
void products(const Vectors& vectors, std::span<const std::size_t> rows, const Panels<T>& columns,
              std::span<T> out) {
  if (!vectors.is_dense()) return sparse_products(vectors, rows, columns, out);
  if (rows.empty()) return;
  if constexpr (std::is_same_v<T, float>) {
    const auto values = in_place(vectors, rows);
    if (!values.empty()) return multiply(values, columns, out);
  }
  const std::size_t dimension = vectors.dimension();
  const auto scratch =
      std::make_unique_for_overwrite<T[]>(std::min(rows.size(), kRowsAtATime) * dimension);
  for (std::size_t begin = 0; begin < rows.size(); begin += kRowsAtATime) {
    const std::size_t count = std::min(kRowsAtATime, rows.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      copy_row<T>(vectors, rows[begin + i], {scratch.get() + i * dimension, dimension});
    }
    multiply(std::span<const T>(scratch.get(), count * dimension), columns,
             out.subspan(begin * columns.columns(), count * columns.columns()));
  }
}

template void products(const Vectors&, std::span<const std::size_t>, const Panels<float>&,
                       std::span<float>);
template void products(const Vectors&, std::span<const std::size_t>, const Panels<double>&,
                       std::span<double>);

float sum_of_squares(std::span<const float> values) { return squares_in_lanes<float, 4>(values); }
double sum_of_squares(std::span<const double> values) {
  return squares_in_lanes<double, 2>(values);
}

template <typename T>
void copy_row(const Vectors& vectors, std::size_t row, std::span<T> out) {
  if (vectors.is_dense()) {
    const auto values = vectors.dense_row(row);
    std::copy(values.begin(), values.end(), out.begin());
    return;
  }
  std::fill(out.begin(), out.end(), T{0});
  for (const Vectors::Entry& entry : vectors.sparse_row(row)) {
    out[entry.column] = static_cast<T>(entry.value);
  }
}

template void copy_row(const Vectors&, std::size_t, std::span<float>);
template void copy_row(const Vectors&, std::size_t, std::span<double>);

std::span<const float> row_values(const Vectors& vectors, std::size_t row,
                                  std::span<float> scratch) {
  if (vectors.is_dense()) return vectors.dense_row(row);
  copy_row<float>(vectors, row, scratch);
  return scratch;
}

Assignment assign(const Vectors& vectors, std::span<const std::size_t> rows,
                  std::span<const float> centres, int threads) {
  const std::size_t dimension = vectors.dimension(), k = centres.size() / dimension;
  const auto panels = Panels<float>::of_columns(centres, dimension);
  std::vector<float> norms;
  for (std::size_t j = 0; j < k; ++j) {
    norms.push_back(sum_of_squares(centres.subspan(j * dimension, dimension)));
  }
  Assignment result{std::vector<int>(rows.size()), std::vector<float>(rows.size())};
  parallel_for(rows.size(), kRowsAtATime, threads, [&](std::size_t begin, std::size_t end) {
    const auto scratch = std::make_unique_for_overwrite<float[]>((end - begin) * k);
    const std::span<float> scores(scratch.get(), (end - begin) * k);
    std::vector<float> row(vectors.is_dense() ? 0 : dimension);
    products(vectors, rows.subspan(begin, end - begin), panels, scores);
    for (std::size_t i = begin; i < end; ++i) {
      const int label = nearest(scores.subspan((i - begin) * k, k), norms);
      result.labels[i] = label;
      result.distances[i] =
          squared_distance(row_values(vectors, rows[i], row),
                           centres.subspan(static_cast<std::size_t>(label) * dimension, dimension));
    }
  });
  return result;
}

float total(std::span<const float> distances) {
  float sum = 0;
  for (const float distance : distances) sum += distance;
  return sum;
}

}  // namespace plumb::raters
