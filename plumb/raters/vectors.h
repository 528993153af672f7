// Embeddings: n rows of one dimension, dense or sparse. Probes see only the four operations below,
// so that a bag of words over 20,000 words costs what its words cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace plumb::raters {

class Vectors {
 public:
  struct Entry {
    std::uint32_t column;
    float value;
  };

  Vectors() = default;

  // values: [rows, dimension] row-major. REQUIRES: dimension > 0 divides values.size().
  static Vectors dense(std::size_t dimension, std::vector<float> values);

  // entries: all rows one after another, columns ascending in a row and below `dimension`;
  // starts: [rows + 1] where each row starts.
  static Vectors sparse(std::size_t dimension, std::vector<Entry> entries,
                        std::vector<std::size_t> starts);

  std::size_t rows() const { return rows_; }
  std::size_t dimension() const { return dimension_; }
  bool is_dense() const { return starts_.empty(); }

  // REQUIRES: is_dense().
  std::span<const float> dense_row(std::size_t row) const {
    return std::span(values_).subspan(row * dimension_, dimension_);
  }
  std::span<const float> dense_values() const { return values_; }
  // REQUIRES: !is_dense().
  std::span<const Entry> sparse_row(std::size_t row) const {
    return std::span(entries_).subspan(starts_[row], starts_[row + 1] - starts_[row]);
  }

  // Sums are taken in double.
  double dot(std::size_t row, std::span<const double> weights) const;       // weights: [dimension]
  void add_to(std::size_t row, double scale, std::span<double> sum) const;  // sum += scale * row
  double squared_norm(std::size_t row) const;

  // REQUIRES: both are dense or both are sparse, of one dimension.
  friend double dot(const Vectors& a, std::size_t row_a, const Vectors& b, std::size_t row_b);

  // Between two rows; likewise. By differences: equal rows are exactly 0 apart.
  friend double squared_distance(const Vectors& a, std::size_t row_a, const Vectors& b,
                                 std::size_t row_b);

  // The rows of these places, in this order.
  Vectors select(std::span<const std::size_t> rows) const;

  // The rows of both, those of `below` last. REQUIRES: one has no rows, or both are dense or both
  // sparse, of one dimension.
  static Vectors stacked(Vectors above, Vectors below);

 private:
  std::size_t rows_ = 0;
  std::size_t dimension_ = 0;
  std::vector<float> values_;        // dense
  std::vector<Entry> entries_;       // sparse
  std::vector<std::size_t> starts_;  // sparse: [rows + 1]
};

double dot(const Vectors& a, std::size_t row_a, const Vectors& b, std::size_t row_b);
double squared_distance(const Vectors& a, std::size_t row_a, const Vectors& b, std::size_t row_b);

}  // namespace plumb::raters
