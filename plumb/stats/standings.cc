#include "plumb/stats/standings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "plumb/base/parallel.h"
#include "plumb/base/random.h"
#include "plumb/stats/bootstrap.h"

namespace plumb::stats {
namespace {

// a - b, or 0 where they differ by no more than the noise of a sum.
double difference(double a, double b) {
  const double noise = 1e-12 * std::max(std::abs(a), std::abs(b));
  return std::abs(a - b) <= noise ? 0 : a - b;
}

// Units grouped by stratum.
struct Strata {
  std::vector<std::uint32_t> units;
  std::vector<std::size_t> sizes;
};

Strata group_units(std::size_t units, std::span<const int> strata) {
  std::map<int, std::vector<std::uint32_t>> groups;
  for (std::uint32_t u = 0; u < units; ++u) groups[strata.empty() ? 0 : strata[u]].push_back(u);
  Strata grouped;
  for (const auto& [stratum, members] : groups) {
    grouped.units.insert(grouped.units.end(), members.begin(), members.end());
    grouped.sizes.push_back(members.size());
  }
  return grouped;
}

void draw_counts(const Strata& strata, Stream& stream, std::span<std::uint32_t> counts) {
  std::ranges::fill(counts, 0u);
  const std::uint32_t* members = strata.units.data();
  for (const std::size_t size : strata.sizes) {
    for (std::size_t i = 0; i < size; ++i) ++counts[members[stream.below(size)]];
    members += size;
  }
}

// ranks[c] = 1 + the number of scores strictly above scores[c]. order: room for the sorting.
void competition_ranks(std::span<const double> scores, std::span<std::size_t> order,
                       std::span<int> ranks) {
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t c) { return scores[c]; });
  std::size_t above = 0;
  for (const std::size_t c : order) {
    while (difference(scores[order[above]], scores[c]) > 0) ++above;
    ranks[c] = static_cast<int>(above) + 1;
  }
}

// [competitors, resamples]
std::vector<double> resampled_ranks(const ResampledScores& scores) {
  const std::size_t n = scores.competitors, resamples = scores.resamples();
  std::vector<double> columns(n * resamples);
  std::vector<std::size_t> order(n);
  std::vector<int> ranks(n);
  for (std::size_t r = 0; r < resamples; ++r) {
    competition_ranks(std::span(scores.draws).subspan(r * n, n), order, ranks);
    for (std::size_t c = 0; c < n; ++c) columns[c * resamples + r] = ranks[c];
  }
  return columns;
}

Interval score_interval(const ResampledScores& scores, std::size_t competitor, double level) {
  std::vector<double> column(scores.resamples());
  for (std::size_t r = 0; r < column.size(); ++r) {
    column[r] = scores.draws[r * scores.competitors + competitor];
  }
  return *percentile_interval(column, level);
}

void assign_tie_groups(const ResampledScores& scores, double level,
                       std::span<const std::size_t> order, std::span<Standing> rows) {
  std::size_t head = order.front();
  int group = 1;
  for (const std::size_t c : order) {
    const Interval gap = paired_difference_interval(scores, head, c, level);
    if (gap.low > 0 || gap.high < 0) {
      head = c;
      ++group;
    }
    rows[c].tie_group = group;
  }
}

}  // namespace

CountedStatistic sum_statistic(std::span<const double> scores, std::size_t competitors) {
  const std::size_t units = scores.size() / competitors;
  std::vector<double> rows(scores.size());  // [units, competitors]
  for (std::size_t c = 0; c < competitors; ++c) {
    for (std::size_t u = 0; u < units; ++u) rows[u * competitors + c] = scores[c * units + u];
  }
  return [rows = std::move(rows)](std::span<const std::uint32_t> counts, std::span<double> sums) {
    std::ranges::fill(sums, 0.0);
    for (std::size_t u = 0; u < counts.size(); ++u) {
      const double* row = rows.data() + u * sums.size();
      for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += counts[u] * row[c];
    }
  };
}

CountedStatistic mean_statistic(std::span<const double> scores, std::size_t competitors) {
  return [sum = sum_statistic(scores, competitors)](std::span<const std::uint32_t> counts,
                                                    std::span<double> means) {
    sum(counts, means);
    const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
    for (double& mean : means) mean /= total;
  };
}

ResampledScores resample_scores(std::size_t competitors, std::size_t units,
                                std::span<const int> strata, const CountedStatistic& statistic,
                                const ResampleOptions& options) {
  ResampledScores scores{competitors, std::vector<double>(competitors),
                         std::vector<double>(options.resamples * competitors)};
  statistic(std::vector<std::uint32_t>(units, 1), scores.point);
  const Strata grouped = group_units(units, strata);
  parallel_for(options.resamples, 64, options.threads, [&](std::size_t begin, std::size_t end) {
    std::vector<std::uint32_t> counts(units);
    for (std::size_t r = begin; r < end; ++r) {
      Stream stream(options.seed, "standings", r);
      draw_counts(grouped, stream, counts);
      statistic(counts, std::span(scores.draws).subspan(r * competitors, competitors));
    }
  });
  return scores;
}

Interval paired_difference_interval(const ResampledScores& scores, std::size_t a, std::size_t b,
                                    double level) {
  std::vector<double> differences(scores.resamples());
  for (std::size_t r = 0; r < differences.size(); ++r) {
    const double* draw = scores.draws.data() + r * scores.competitors;
    differences[r] = difference(draw[a], draw[b]);
  }
  return *percentile_interval(differences, level);
}

std::vector<Standing> standings(const ResampledScores& scores, double level) {
  const std::size_t n = scores.competitors, resamples = scores.resamples();
  if (n == 0) return {};
  std::vector<std::size_t> order(n);
  std::vector<int> ranks(n);
  competition_ranks(scores.point, order, ranks);
  std::vector<double> drawn_ranks = resampled_ranks(scores);
  std::vector<Standing> rows;
  for (std::size_t c = 0; c < n; ++c) {
    const auto drawn = std::span(drawn_ranks).subspan(c * resamples, resamples);
    const Interval rank = *percentile_interval(drawn, level);
    const double noise = 1e-9;  // of the interpolation
    rows.push_back({.score = scores.point[c],
                    .ci = score_interval(scores, c, level),
                    .rank = ranks[c],
                    .rank_low = static_cast<int>(std::floor(rank.low + noise)),
                    .rank_high = static_cast<int>(std::ceil(rank.high - noise)),
                    .tie_group = 0});
  }
  assign_tie_groups(scores, level, order, rows);
  return rows;
}

}  // namespace plumb::stats
