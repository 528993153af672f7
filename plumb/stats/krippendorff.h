// Krippendorff's alpha: agreement of any number of raters, with missing answers, on nominal,
// ordinal, interval or ratio answers, and its bootstrap over items.
//
//   auto ratings = numeric_ratings(answers, 5);
//   Score alpha = krippendorff_alpha(*ratings, Level::kOrdinal);
//   auto spread = krippendorff_bootstrap(*ratings, Level::kOrdinal, {.resamples = 1000});
//   // spread->alpha, spread->interval
//
// Definition (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"). Let item u have
// m_u >= 2 answers, n_uc of them c; items with fewer answers do not enter. n_c = sum_u n_uc, n =
// sum_c n_c, and d(c, k)^2 is the level's difference. Then
//   alpha = 1 - (n - 1) * W / B,   W = sum_u sum_ck n_uc n_uk d(c, k)^2 / (m_u - 1),
//                                  B = sum_ck n_c n_k d(c, k)^2.
// Computation in O(n), not O(categories^2):
//   interval  sum_ck n_c n_k (c - k)^2 = 2 n sum_c n_c (c - mean)^2, and the same within an item.
//   ordinal   d(c, k) = sum_{g=c..k} n_g - (n_c + n_k)/2. With the midrank r_c = sum_{g<c} n_g +
//             (n_c + 1)/2 of the pooled answers this is r_k - r_c: the interval difference of
//             midranks. A resample has other n_c and so other midranks.
//   nominal   sum_{c != k} n_c n_k = n^2 - sum_c n_c^2.
//   ratio     d(c, k) = (c - k)/(c + k) has no such form; B is a sum over pairs of values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plumb/stats/agreement.h"
#include "plumb/stats/score.h"

namespace plumb::stats {

enum class Level { kNominal, kOrdinal, kInterval, kRatio };

inline constexpr std::size_t kMostRatioValues = 2000;

// 1 = complete agreement, 0 = what chance gives, below 0 = systematic disagreement. Undefined if no
// item has two answers, if all answers that count are equal, and for kRatio if a value is negative
// or there are more than kMostRatioValues distinct ones.
Score krippendorff_alpha(const Ratings& ratings, Level level);

struct AlphaBootstrapOptions {
  std::size_t resamples = 1000;
  double level = 0.95;  // of the interval, in (0, 1)
  std::uint64_t seed = 0;
  int threads = 0;  // 0 = as many as the machine offers
};

struct AlphaBootstrap {
  double alpha;
  Interval interval;      // percentiles of the resampled alphas (linear between draws, as NumPy)
  std::size_t resamples;  // all
  std::size_t undefined;  // resamples without an alpha, not part of the interval
};

// Resamples the items that have two answers or more, with replacement. Resample i draws from
// Stream(seed, "krippendorff", i), so the result does not depend on the number of threads. Items
// are first compressed to their distinct answer patterns: a resample is one draw per item and then
// O(distinct patterns x raters). Undefined where the alpha is, or if no resample has an alpha.
// REQUIRES: resamples > 0, 0 < level < 1.
tl::expected<AlphaBootstrap, Undefined> krippendorff_bootstrap(
    const Ratings& ratings, Level level, const AlphaBootstrapOptions& options = {});

}  // namespace plumb::stats
