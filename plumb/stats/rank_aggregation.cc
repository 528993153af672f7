#include "plumb/stats/rank_aggregation.h"

#include <algorithm>
#include <functional>

namespace plumb::stats {
namespace {

std::uint32_t count_of(std::span<const std::uint32_t> counts, std::size_t unit) {
  return counts.empty() ? 1 : counts[unit];
}

// Ranks the competitors that `unit` has into ranks: [competitors, units].
void rank_unit(const ScoreMatrix& matrix, std::size_t unit, std::vector<double>& ranks) {
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < matrix.competitors; ++c) {
    if (matrix.has(c, unit)) order.push_back(c);
  }
  const auto score = [&](std::size_t c) { return matrix.score(c, unit); };
  std::ranges::sort(order, std::greater{}, score);
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && score(order[end]) == score(order[begin])) ++end;
    const double mean_rank = static_cast<double>(begin + end + 1) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i] * matrix.units + unit] = mean_rank;
  }
}

}  // namespace

std::vector<double> unit_ranks(const ScoreMatrix& matrix) {
  std::vector<double> ranks(matrix.competitors * matrix.units);
  for (std::size_t u = 0; u < matrix.units; ++u) rank_unit(matrix, u, ranks);
  return ranks;
}

CountedStatistic borda_statistic(const ScoreMatrix& matrix) {
  std::vector<double> points = unit_ranks(matrix);
  for (double& cell : points) {
    if (cell != 0) cell = static_cast<double>(matrix.competitors) - cell;
  }
  return sum_statistic(points, matrix.competitors);
}

std::vector<double> borda_points(const ScoreMatrix& matrix, std::span<const std::uint32_t> counts) {
  std::vector<double> points(matrix.competitors);
  if (matrix.competitors == 0) return points;
  const std::vector<std::uint32_t> once(matrix.units, 1);
  borda_statistic(matrix)(counts.empty() ? once : counts, points);
  return points;
}

std::vector<Score> mean_ranks(const ScoreMatrix& matrix, std::span<const std::uint32_t> counts) {
  const std::vector<double> ranks = unit_ranks(matrix);
  std::vector<Score> means;
  for (std::size_t c = 0; c < matrix.competitors; ++c) {
    double sum = 0, units = 0;
    for (std::size_t u = 0; u < matrix.units; ++u) {
      if (!matrix.has(c, u)) continue;
      sum += count_of(counts, u) * ranks[c * matrix.units + u];
      units += count_of(counts, u);
    }
    means.push_back(units > 0 ? Score(sum / units) : undefined("no unit has this competitor"));
  }
  return means;
}

PairwiseCounts pairwise_counts(const ScoreMatrix& matrix, std::span<const std::uint32_t> counts) {
  PairwiseCounts pairs(matrix.competitors);
  for (std::size_t i = 0; i < matrix.competitors; ++i) {
    for (std::size_t j = i + 1; j < matrix.competitors; ++j) {
      double won = 0, lost = 0, tied = 0;
      for (std::size_t u = 0; u < matrix.units; ++u) {
        if (!matrix.has(i, u) || !matrix.has(j, u)) continue;
        const double a = matrix.score(i, u), b = matrix.score(j, u);
        (a > b ? won : a < b ? lost : tied) += count_of(counts, u);
      }
      pairs.add_win(i, j, won);
      pairs.add_win(j, i, lost);
      pairs.add_tie(i, j, tied);
    }
  }
  return pairs;
}

std::vector<double> copeland_scores(const PairwiseCounts& pairs) {
  std::vector<double> scores(pairs.competitors);
  for (std::size_t i = 0; i < pairs.competitors; ++i) {
    for (std::size_t j = 0; j < pairs.competitors; ++j) {
      scores[i] += (pairs.win(i, j) > pairs.win(j, i)) - (pairs.win(i, j) < pairs.win(j, i));
    }
  }
  return scores;
}

}  // namespace plumb::stats
