// Who stands where, and how sure that is: scores, ranks with intervals, and tie groups of several
// competitors that were measured on the same units (subsets, tasks, items). Every table that ranks
// is built here.
//
// The units are resampled, all competitors together, so every comparison is paired. Results depend
// on the seed alone: the same bytes with any number of threads.
//
//   auto draws = resample_scores(14, 26, {}, mean_statistic(scores, 14), {.seed = 1});
//   for (const Standing& row : standings(draws, 0.95)) print(row.rank, row.rank_low,
//   row.rank_high);
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "plumb/stats/score.h"

namespace plumb::stats {

// Computes the score of every competitor, higher is better, from units that count several times or
// not at all.
//   counts: [units], how often each unit stands in the resample; all ones are the data itself.
//   scores: [competitors], to be filled with finite numbers.
// Called from several threads at once: it must not change shared state.
using CountedStatistic =
    std::function<void(std::span<const std::uint32_t> counts, std::span<double> scores)>;

// The mean over units, and the sum. scores: [competitors, units], copied.
// REQUIRES: scores.size() is a multiple of competitors, which is not 0.
CountedStatistic mean_statistic(std::span<const double> scores, std::size_t competitors);
CountedStatistic sum_statistic(std::span<const double> scores, std::size_t competitors);

struct ResampleOptions {
  std::size_t resamples = 10000;
  std::uint64_t seed = 0;
  int threads = 0;  // 0: as many as the machine has
};

struct ResampledScores {
  std::size_t competitors = 0;
  std::vector<double> point;  // [competitors], from the data
  std::vector<double> draws;  // [resamples, competitors]

  std::size_t resamples() const { return competitors == 0 ? 0 : draws.size() / competitors; }
};

// The bootstrap of Efron 1979 over units: each resample draws as many units as there are, with
// replacement. strata: empty, or [units] with the stratum of each unit; then each stratum keeps its
// size and is drawn within itself. Resample r uses Stream(seed, "standings", r).
// REQUIRES: units > 0.
ResampledScores resample_scores(std::size_t competitors, std::size_t units,
                                std::span<const int> strata, const CountedStatistic& statistic,
                                const ResampleOptions& options = {});

struct Standing {
  double score;
  Interval ci;
  int rank;       // 1 + the number of competitors with a strictly higher score
  int rank_low;   // the rank's interval, rounded outwards: the best plausible rank ...
  int rank_high;  // ... and the worst
  int tie_group;  // from 1
};

// The standing of each competitor, in the order of the competitors (not of the ranks). Intervals
// hold the middle `level` of the resamples (percentile interval, quantiles interpolated linearly:
// Hyndman and Fan 1996, type 7).
//
// Scores that differ by less than 1e-12 of their size are equal: the noise of a sum is not a rank.
//
// Tie groups: walk down from the highest score. A row joins the current group as long as the
// interval of its paired difference to the group's first row contains 0; the first row for which it
// does not starts the next group. So nobody is separable from the head of the own group, while two
// neighbours at the border of two groups may well be inseparable from each other.
// REQUIRES: at least one resample, 0 < level < 1.
std::vector<Standing> standings(const ResampledScores& scores, double level);

// The interval of score a minus score b, from the same resamples for both.
// REQUIRES: as above; a and b are competitors.
Interval paired_difference_interval(const ResampledScores& scores, std::size_t a, std::size_t b,
                                    double level);

}  // namespace plumb::stats
