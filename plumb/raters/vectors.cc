#include "plumb/raters/vectors.h"

#include <cassert>
#include <limits>

namespace plumb::raters {
namespace {

double sparse_dot(std::span<const Vectors::Entry> a, std::span<const Vectors::Entry> b) {
  double sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].column < b[j].column) {
      ++i;
    } else if (b[j].column < a[i].column) {
      ++j;
    } else {
      sum += static_cast<double>(a[i++].value) * static_cast<double>(b[j++].value);
    }
  }
  return sum;
}

// Eight partial sums, in a fixed order: the compiler may keep them in one register.
template <typename Other>
double dense_dot(std::span<const float> a, std::span<const Other> b) {
  constexpr std::size_t kLanes = 8;
  double sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    }
  }
  for (; i < a.size(); ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

double square_of_difference(float a, float b) {
  const double difference = static_cast<double>(a) - static_cast<double>(b);
  return difference * difference;
}

double sparse_squared_distance(std::span<const Vectors::Entry> a,
                               std::span<const Vectors::Entry> b) {
  constexpr auto kEnd = std::numeric_limits<std::uint32_t>::max();
  double sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const std::uint32_t p = i < a.size() ? a[i].column : kEnd;
    const std::uint32_t q = j < b.size() ? b[j].column : kEnd;
    const float left = p <= q ? a[i++].value : 0, right = q <= p ? b[j++].value : 0;
    sum += square_of_difference(left, right);
  }
  return sum;
}

}  // namespace

Vectors Vectors::dense(std::size_t dimension, std::vector<float> values) {
  assert(dimension > 0 && values.size() % dimension == 0);
  Vectors vectors;
  vectors.rows_ = values.size() / dimension;
  vectors.dimension_ = dimension;
  vectors.values_ = std::move(values);
  return vectors;
}

Vectors Vectors::sparse(std::size_t dimension, std::vector<Entry> entries,
                        std::vector<std::size_t> starts) {
  assert(!starts.empty() && starts.back() == entries.size());
  Vectors vectors;
  vectors.rows_ = starts.size() - 1;
  vectors.dimension_ = dimension;
  vectors.entries_ = std::move(entries);
  vectors.starts_ = std::move(starts);
  return vectors;
}

double Vectors::dot(std::size_t row, std::span<const double> weights) const {
  if (is_dense()) return dense_dot(dense_row(row), weights);
  double sum = 0;
  for (const Entry& entry : sparse_row(row)) {
    sum += static_cast<double>(entry.value) * weights[entry.column];
  }
  return sum;
}

void Vectors::add_to(std::size_t row, double scale, std::span<double> sum) const {
  if (is_dense()) {
    const auto values = dense_row(row);
    for (std::size_t i = 0; i < values.size(); ++i)
      sum[i] += scale * static_cast<double>(values[i]);
    return;
  }
  for (const Entry& entry : sparse_row(row)) {
    sum[entry.column] += scale * static_cast<double>(entry.value);
  }
}

double Vectors::squared_norm(std::size_t row) const {
  return is_dense() ? dense_dot(dense_row(row), dense_row(row))
                    : sparse_dot(sparse_row(row), sparse_row(row));
}

double dot(const Vectors& a, std::size_t row_a, const Vectors& b, std::size_t row_b) {
  assert(a.is_dense() == b.is_dense() && a.dimension() == b.dimension());
  return a.is_dense() ? dense_dot(a.dense_row(row_a), b.dense_row(row_b))
                      : sparse_dot(a.sparse_row(row_a), b.sparse_row(row_b));
}

double squared_distance(const Vectors& a, std::size_t row_a, const Vectors& b, std::size_t row_b) {
  assert(a.is_dense() == b.is_dense() && a.dimension() == b.dimension());
  if (!a.is_dense()) return sparse_squared_distance(a.sparse_row(row_a), b.sparse_row(row_b));
  const auto x = a.dense_row(row_a), y = b.dense_row(row_b);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += square_of_difference(x[i], y[i]);
  return sum;
}

Vectors Vectors::stacked(Vectors above, Vectors below) {
  if (below.rows() == 0) return above;
  if (above.rows() == 0) return below;
  assert(above.is_dense() == below.is_dense() && above.dimension_ == below.dimension_);
  const std::size_t entries = above.entries_.size();
  Vectors all = std::move(above);
  all.rows_ += below.rows_;
  all.values_.insert(all.values_.end(), below.values_.begin(), below.values_.end());
  all.entries_.insert(all.entries_.end(), below.entries_.begin(), below.entries_.end());
  for (std::size_t row = 1; row < below.starts_.size(); ++row) {
    all.starts_.push_back(entries + below.starts_[row]);
  }
  return all;
}

Vectors Vectors::select(std::span<const std::size_t> rows) const {
  if (is_dense()) {
    std::vector<float> values;
    values.reserve(rows.size() * dimension_);
    for (const std::size_t row : rows) {
      const auto taken = dense_row(row);
      values.insert(values.end(), taken.begin(), taken.end());
    }
    return dense(dimension_, std::move(values));
  }
  std::vector<Entry> entries;
  std::vector<std::size_t> starts = {0};
  for (const std::size_t row : rows) {
    const auto taken = sparse_row(row);
    entries.insert(entries.end(), taken.begin(), taken.end());
    starts.push_back(entries.size());
  }
  return sparse(dimension_, std::move(entries), std::move(starts));
}

}  // namespace plumb::raters
