// From scores on many units (subsets, tasks, items) to one order of the competitors without adding
// the scores up: Borda points, mean ranks, and the pairwise wins that Copeland and Bradley-Terry
// (bradley_terry.h) work on. Used by the leaderboard, which must not depend on units being on one
// scale.
//
// Higher scores are better; equal scores, bit for bit, are ties. A cell may be missing. Where
// counts are taken, counts[u] says how often unit u stands in a resample, and none means once each:
// so each aggregate can be resampled (standings.h).
//
//   const ScoreMatrix matrix{.competitors = 14, .units = 26, .scores = scores};
//   std::vector<double> points = borda_points(matrix);
//   auto draws = resample_scores(14, 26, {}, borda_statistic(matrix));
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plumb/stats/score.h"
#include "plumb/stats/standings.h"

namespace plumb::stats {

// A view on scores. REQUIRES (of all functions here): both spans have the size that they state.
struct ScoreMatrix {
  std::size_t competitors = 0;
  std::size_t units = 0;
  std::span<const double> scores = {};         // [competitors, units]
  std::span<const std::uint8_t> present = {};  // empty: all; else [competitors, units], 0 = missing

  double score(std::size_t competitor, std::size_t unit) const {
    return scores[competitor * units + unit];
  }
  bool has(std::size_t competitor, std::size_t unit) const {
    return present.empty() || present[competitor * units + unit] != 0;
  }
};

// [competitors, units]: the rank in each unit among those present there, 1 for the highest score,
// ties at their mean rank (scipy.stats.rankdata, method "average"); 0 where the cell is missing.
std::vector<double> unit_ranks(const ScoreMatrix& matrix);

// [competitors]: in each unit, competitors - rank; 0 where the cell is missing. This is how MTEB
// counts, missing cells included: who skips a unit loses by it.
std::vector<double> borda_points(const ScoreMatrix& matrix,
                                 std::span<const std::uint32_t> counts = {});

// The same, ranked once and ready to be resampled. Copies what it needs of the matrix.
CountedStatistic borda_statistic(const ScoreMatrix& matrix);

// [competitors]: the mean of the ranks over the units that have the competitor; lower is better.
// Undefined for a competitor without a unit. Without missing cells the order is Borda's.
std::vector<Score> mean_ranks(const ScoreMatrix& matrix,
                              std::span<const std::uint32_t> counts = {});

// How often who beat whom. Not only from a matrix: comparisons by people or by a judge are the
// same.
struct PairwiseCounts {
  std::size_t competitors = 0;
  std::vector<double> wins;  // [competitors, competitors]: wins[i, j] = how often i beat j
  std::vector<double> ties;  // [competitors, competitors], symmetric

  explicit PairwiseCounts(std::size_t n) : competitors(n), wins(n * n), ties(n * n) {}

  void add_win(std::size_t winner, std::size_t loser, double times = 1) {
    wins[winner * competitors + loser] += times;
  }
  void add_tie(std::size_t a, std::size_t b, double times = 1) {
    ties[a * competitors + b] += times;
    ties[b * competitors + a] += times;
  }
  double win(std::size_t i, std::size_t j) const { return wins[i * competitors + j]; }
  double tie(std::size_t i, std::size_t j) const { return ties[i * competitors + j]; }
};

// Each unit is one comparison of each two competitors that it has.
PairwiseCounts pairwise_counts(const ScoreMatrix& matrix,
                               std::span<const std::uint32_t> counts = {});

// [competitors]: opponents beaten more often than not, minus opponents lost to more often than not
// (Copeland 1951). Opponents never met, or met evenly, count nothing.
std::vector<double> copeland_scores(const PairwiseCounts& pairs);

}  // namespace plumb::stats
