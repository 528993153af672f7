// Agreement between raters on items with nominal or ordered answers: Ratings, the form all
// agreement coefficients read, and the kappa family. Krippendorff's alpha: krippendorff.h.
//
//   auto ratings = nominal_ratings(codes, 3, 5);  // 3 raters, 5 categories
//   auto fleiss = fleiss_kappa(*ratings);         // fleiss->value, fleiss->standard_error
//
// A coefficient is (observed - expected) / (1 - expected). It is Undefined where that is 0/0:
// chance alone would give complete agreement, because only one category was ever used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "plumb/stats/score.h"

namespace plumb::stats {

inline constexpr int kMissing = -1;  // the code of an answer that was not given

// What raters answered. An answer is a code, the place of its category or number in `values`; that
// keeps 100,000 items x 5 raters in 2 MB, and codes compare as their values do.
struct Ratings {
  std::vector<int> codes;      // [items, raters] row-major; kMissing or a place in `values`
  std::size_t raters = 0;      // > 0
  std::vector<double> values;  // [categories] ascending and distinct; 0, 1, 2, ... for names

  std::size_t items() const { return codes.size() / raters; }
  std::size_t categories() const { return values.size(); }
  std::span<const int> item(std::size_t i) const {
    return std::span(codes).subspan(i * raters, raters);
  }
};

// codes: [items, raters], each kMissing or 0 .. categories - 1, where `categories` counts all that
// raters could choose, used or not. Undefined if a code is outside, or the length is no multiple.
tl::expected<Ratings, Undefined> nominal_ratings(std::vector<int> codes, std::size_t raters,
                                                 std::size_t categories);

// answers: [items, raters], nullopt = missing. The categories are the distinct numbers that occur.
// Undefined if an answer is not finite, or the length is no multiple.
tl::expected<Ratings, Undefined> numeric_ratings(std::span<const std::optional<double>> answers,
                                                 std::size_t raters);

struct Coefficient {
  double value;           // at most 1; 0 = what chance gives
  double observed;        // share of agreeing pairs of answers
  double expected;        // the same by chance
  double standard_error;  // of `value`, for large samples of items
};
using CoefficientScore = tl::expected<Coefficient, Undefined>;

// How much two different categories agree. The places of the codes are taken as equally spaced.
enum class Weights {
  kNone,       // not at all
  kLinear,     // 1 - |i - j| / (k - 1)
  kQuadratic,  // 1 - (i - j)^2 / (k - 1)^2
};

// Cohen 1960, weighted 1968; standard error of Fleiss, Cohen and Everitt 1969 (not the one
// for testing kappa = 0). a, b: [n] codes; an item that either left out is left out. Undefined also
// if the lengths differ or no item has both answers.
CoefficientScore cohen_kappa(std::span<const int> a, std::span<const int> b,
                             Weights weights = Weights::kNone);

// Three coefficients for any number of raters, by pairs of answers to one item. Items may have any
// number of answers: those with two or more give the observed agreement, those with one still count
// for how often a category is used (Gwet 2014, chapter 2). Undefined also if no item has two
// answers. The standard errors are Gwet's (2008, 2014) for a sample from many items and these
// raters; with a single item there is none, and the coefficient is Undefined.

// Chance as two draws from the pooled answers (Fleiss 1971).
CoefficientScore fleiss_kappa(const Ratings& ratings);
// Chance as guessing on hard items (Gwet 2008, AC1): sum_k p_k (1 - p_k) / (categories - 1).
// Undefined also with one category.
CoefficientScore gwet_ac1(const Ratings& ratings);
// The share of agreeing pairs, the mean over items with two or more answers.
Score percent_agreement(const Ratings& ratings);

// The mean of a coefficient over all pairs of raters.
struct PairwiseMean {
  double value;           // over the pairs where it is defined
  std::size_t pairs;      // all pairs of raters
  std::size_t undefined;  // pairs without a value, not part of the mean
};
using PairScore = std::function<Score(std::span<const int> a, std::span<const int> b)>;

// `score` sees the codes of the items that both raters answered; it may be any function of two
// label vectors. Undefined if it is so for every pair, with the reason of the last one.
tl::expected<PairwiseMean, Undefined> pairwise_mean(const Ratings& ratings, const PairScore& score);

}  // namespace plumb::stats
