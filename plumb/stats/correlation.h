// Correlation of paired numbers: Pearson, Spearman and Kendall tau-b, with ties, and Spearman under
// item counts for resampling.
//
// Who uses it: scores of STS tasks, calibration of ratings, agreement of orders, the bootstrap.
// Guarantees: a value in [-1, 1], exactly 1 or -1 for Spearman and Kendall when the orders are
// equal or reversed, or the reason why there is none; never NaN. Work is O(n log n).
//
//   Score rho = spearman(gold, model);
//
// A resample of n items is the number of times that each item was drawn. CountedRanks sorts a
// vector once, after which any resample is ranked in O(n):
//
//   const CountedRanks gold(gold_values), model(model_values);
//   Score rho = spearman(gold, model, counts);  // as on the sample with item i repeated counts[i]
//   times
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "plumb/stats/score.h"

namespace plumb::stats {

// Ranks from 1 upwards, ties sharing the mean of their places. REQUIRES: no NaN.
std::vector<double> average_ranks(std::span<const double> values);

// The three coefficients. REQUIRES: x.size() == y.size().
// Undefined: fewer than two pairs; a value is not finite; one side is constant.

// Product-moment correlation in two passes, centred twice and scaled by powers of two: neither a
// large common offset nor values near the limits of double cost digits.
Score pearson(std::span<const double> x, std::span<const double> y);

// Pearson's correlation of the average ranks (Spearman 1904, ties as Kendall 1945).
Score spearman(std::span<const double> x, std::span<const double> y);

// (concordant - discordant) / sqrt((pairs - ties in x) (pairs - ties in y)), Kendall 1945, counted
// by merge sort as Knight 1966.
Score kendall_tau_b(std::span<const double> x, std::span<const double> y);

// A vector that is sorted once and then ranked under any item counts.
class CountedRanks {
 public:
  explicit CountedRanks(std::span<const double> values);

  std::size_t size() const { return order_.size(); }

  // Whether every value is finite. If not, every correlation with this side is undefined.
  bool finite() const { return finite_; }

  // The average rank that each item's copies share in the sample with item i repeated counts[i]
  // times; for an item with count 0, the rank halfway between its neighbours.
  // REQUIRES: counts.size() == size(); finite().
  std::vector<double> ranks(std::span<const std::uint32_t> counts) const;

 private:
  friend class CountedSpearman;

  // Calls visit(begin, end) for the blocks of equal values, as ranges of order_, upwards.
  template <typename Visit>
  void each_block(Visit visit) const;

  std::vector<std::uint32_t> order_;  // items by ascending value
  std::vector<std::uint32_t>
      blocks_;  // where in order_ each block of ties ends; empty without ties
  bool finite_ = true;
};

// Spearman's correlation of the sample that `counts` describes.
// REQUIRES: x.size() == y.size() == counts.size(). Undefined as spearman() on that sample; also if
// a value of an item that was not drawn is not finite.
Score spearman(const CountedRanks& x, const CountedRanks& y, std::span<const std::uint32_t> counts);

// One resample against which many models are correlated: gold's ranks are found once, then each
// model costs one pass. Refers to `gold` and `counts`, which must outlive it.
//
// Source: with twice the distance of a rank from the mean rank, d = 2 (copies before) + (copies in
// the block of ties) - n, the correlation is 3 sum(c dx dy) / sqrt((n^3 - sum Tx^3) (n^3 - sum
// Ty^3)), where T are the sizes of the blocks: integers throughout, exact while n < 2^21, doubles
// beyond.
class CountedSpearman {
 public:
  // REQUIRES: gold.size() == counts.size().
  CountedSpearman(const CountedRanks& gold, std::span<const std::uint32_t> counts);

  // REQUIRES: model.size() == counts.size().
  Score operator()(const CountedRanks& model) const;

 private:
  // What gold contributes, in integers while they are exact.
  template <typename Number>
  struct Side {
    Number total;                  // n, the size of the sample
    Number gold_spread;            // n^3 - sum of gold's cubed blocks
    std::vector<Number> weighted;  // [items] count times centred gold rank
  };
  template <typename Number>
  Side<Number> prepare(const CountedRanks& gold, std::uint64_t total) const;
  template <typename Number>
  Score correlate(const Side<Number>& side, const CountedRanks& model) const;

  std::span<const std::uint32_t> counts_;
  bool finite_;
  std::variant<Side<std::int64_t>, Side<double>> side_;
};

}  // namespace plumb::stats
