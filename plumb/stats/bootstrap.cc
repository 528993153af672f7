#include "plumb/stats/bootstrap.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "plumb/base/parallel.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/intervals.h"

namespace plumb::stats {
namespace {

constexpr std::string_view kPurpose = "bootstrap";
constexpr std::string_view kNoDraws = "there is nothing to resample";
constexpr std::size_t kGrain = 8;

void draw_counts(Stream& stream, std::span<std::uint32_t> counts) {
  std::ranges::fill(counts, 0u);
  for (std::size_t i = 0; i < counts.size(); ++i) ++counts[stream.below(counts.size())];
}

// Rows 0 .. rows - 1 of statistics, each under the counts that fill(row, counts) makes.
template <typename Fill>
std::vector<Score> evaluate(std::size_t rows, std::size_t items, std::size_t columns, int threads,
                            const PairedStatistics& statistics, Fill fill) {
  std::vector<Score> values(rows * columns);
  parallel_for(rows, kGrain, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<std::uint32_t> counts(items);
    for (std::size_t row = begin; row < end; ++row) {
      fill(row, std::span(counts));
      statistics(counts, std::span(values).subspan(row * columns, columns));
    }
  });
  return values;
}

std::vector<Score> leave_each_out(const Resampling& resampling, std::size_t columns, int threads,
                                  const PairedStatistics& statistics) {
  return evaluate(resampling.units(), resampling.items(), columns, threads, statistics,
                  [&](std::size_t unit, std::span<std::uint32_t> counts) {
                    resampling.leave_out(unit, counts);
                  });
}

PairedStatistics alone(const Statistic& statistic) {
  return [&statistic](Counts counts, std::span<Score> values) { values[0] = statistic(counts); };
}

Score difference(const Score& a, const Score& b) {
  if (!a) return a;
  if (!b) return b;
  return *a - *b;
}

// One statistic of every row of a table: a column, or the difference of two.
template <typename Pick>
std::vector<Score> pick_each(const std::vector<Score>& table, std::size_t columns, Pick pick) {
  std::vector<Score> picked;
  for (std::size_t at = 0; at < table.size(); at += columns) {
    picked.push_back(pick(std::span(table).subspan(at, columns)));
  }
  return picked;
}

std::vector<double> defined(std::span<const Score> scores) {
  std::vector<double> values;
  for (const Score& score : scores) {
    if (score) values.push_back(*score);
  }
  return values;
}

IntervalScore interval_of(double point, std::span<const Score> values,
                          std::span<const Score> left_out, const BootstrapOptions& options) {
  const std::vector<double> draws = defined(values);
  const auto undefined_draws = static_cast<double>(values.size() - draws.size());
  if (undefined_draws > options.undefined_share * static_cast<double>(values.size())) {
    return undefined("too many resamples are undefined");
  }
  if (options.method == IntervalMethod::kPercentile) {
    return percentile_interval(draws, options.level);
  }
  const std::vector<double> jackknife_values = defined(left_out);
  if (jackknife_values.empty()) return undefined("BCa needs a jackknife, and there is none");
  if (jackknife_values.size() < left_out.size()) {
    return undefined("undefined when one unit is left out");
  }
  return bca_interval(point, draws, jackknife_values, options.level);
}

template <typename Pick>
BootstrapResult summarize_picked(const Draws& draws, const BootstrapOptions& options, Pick pick) {
  const Score point = pick(std::span(draws.points));
  const std::vector<Score> values = pick_each(draws.values, draws.columns, pick);
  const std::vector<Score> left_out = pick_each(draws.jackknife, draws.columns, pick);
  const auto missing = std::ranges::count_if(values, [](const Score& v) { return !v; });
  return {.point = point,
          .interval = point ? interval_of(*point, values, left_out, options)
                            : undefined(point.error().reason),
          .resamples = values.size(),
          .undefined = static_cast<std::size_t>(missing)};
}

}  // namespace

Resampling Resampling::of_items(std::size_t items) {
  Resampling resampling;
  resampling.items_ = resampling.units_ = items;
  return resampling;
}

Resampling Resampling::of_clusters(std::span<const std::uint32_t> cluster_of_item) {
  Resampling resampling;
  resampling.items_ = cluster_of_item.size();
  resampling.units_ =
      cluster_of_item.empty() ? 0 : std::ranges::max(cluster_of_item) + std::size_t{1};
  resampling.cluster_of_item_.assign(cluster_of_item.begin(), cluster_of_item.end());
  return resampling;
}

void Resampling::draw(Stream& stream, std::span<std::uint32_t> counts) const {
  assert(counts.size() == items_);
  if (cluster_of_item_.empty()) return draw_counts(stream, counts);
  std::vector<std::uint32_t> clusters(units_);
  draw_counts(stream, clusters);
  for (std::size_t i = 0; i < items_; ++i) counts[i] = clusters[cluster_of_item_[i]];
}

void Resampling::leave_out(std::size_t unit, std::span<std::uint32_t> counts) const {
  assert(counts.size() == items_ && unit < units_);
  for (std::size_t i = 0; i < items_; ++i) {
    counts[i] = (cluster_of_item_.empty() ? i : cluster_of_item_[i]) == unit ? 0 : 1;
  }
}

std::vector<double> Draws::complete_rows() const {
  std::vector<double> rows;
  for (std::size_t at = 0; at < values.size(); at += columns) {
    const std::vector<double> row = defined(std::span(values).subspan(at, columns));
    if (row.size() == columns) rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

Draws paired_bootstrap(const Resampling& resampling, std::size_t columns,
                       const PairedStatistics& statistics, const BootstrapOptions& options) {
  Draws draws;
  draws.columns = columns;
  draws.points.resize(columns);
  const std::vector<std::uint32_t> once(resampling.items(), 1);
  statistics(once, draws.points);
  if (resampling.units() < 2) return draws;

  const auto draw = [&](std::size_t resample, std::span<std::uint32_t> counts) {
    Stream stream(options.seed, kPurpose, resample);
    resampling.draw(stream, counts);
  };
  draws.values =
      evaluate(options.resamples, resampling.items(), columns, options.threads, statistics, draw);
  if (options.method == IntervalMethod::kBca) {
    draws.jackknife = leave_each_out(resampling, columns, options.threads, statistics);
  }
  return draws;
}

void centre(Draws& draws) {
  for (std::size_t c = 0; c < draws.columns; ++c) {
    double sum = 0, count = 0;
    for (std::size_t r = 0; r < draws.resamples(); ++r) {
      const Score& value = draws.values[r * draws.columns + c];
      sum += value.value_or(0);
      count += value ? 1 : 0;
    }
    if (count == 0 || !draws.points[c]) continue;
    const double bias = sum / count - *draws.points[c];
    for (std::size_t r = 0; r < draws.resamples(); ++r) {
      Score& value = draws.values[r * draws.columns + c];
      if (value) *value -= bias;
    }
  }
}

BootstrapResult summarize(const Draws& draws, std::size_t column, const BootstrapOptions& options) {
  assert(column < draws.columns);
  return summarize_picked(draws, options, [&](std::span<const Score> row) { return row[column]; });
}

BootstrapResult summarize_difference(const Draws& draws, std::size_t a, std::size_t b,
                                     const BootstrapOptions& options) {
  assert(a < draws.columns && b < draws.columns);
  return summarize_picked(draws, options,
                          [&](std::span<const Score> row) { return difference(row[a], row[b]); });
}

BootstrapResult bootstrap(const Resampling& resampling, const Statistic& statistic,
                          const BootstrapOptions& options) {
  return summarize(paired_bootstrap(resampling, 1, alone(statistic), options), 0, options);
}

BootstrapResult bootstrap_difference(const Resampling& resampling, const Statistic& a,
                                     const Statistic& b, const BootstrapOptions& options) {
  const auto both = [&](Counts counts, std::span<Score> values) {
    values[0] = a(counts);
    values[1] = b(counts);
  };
  return summarize_difference(paired_bootstrap(resampling, 2, both, options), 0, 1, options);
}

BootstrapResult crossed_bootstrap(std::size_t items, std::size_t raters,
                                  const CrossedStatistic& statistic,
                                  const BootstrapOptions& options) {
  const auto split = [&](Counts counts, std::span<Score> values) {
    values[0] = statistic(counts.first(items), counts.subspan(items));
  };
  const auto draw = [&](std::size_t resample, std::span<std::uint32_t> counts) {
    Stream stream(options.seed, kPurpose, resample);
    draw_counts(stream, counts.first(items));
    draw_counts(stream, counts.subspan(items));
  };
  Draws draws;
  draws.columns = 1;
  draws.points.resize(1);
  split(std::vector<std::uint32_t>(items + raters, 1), draws.points);
  if (items > 1 && raters > 1) {
    draws.values = evaluate(options.resamples, items + raters, 1, options.threads, split, draw);
  }
  return summarize(draws, 0, options);
}

Draws paired_spearman_bootstrap(std::span<const double> gold,
                                std::span<const std::vector<double>> models,
                                const BootstrapOptions& options) {
  const CountedRanks gold_ranks(gold);
  std::vector<CountedRanks> ranks;
  for (const std::vector<double>& model : models) {
    assert(model.size() == gold.size());
    ranks.emplace_back(model);
  }
  const auto correlate = [&](Counts counts, std::span<Score> values) {
    const CountedSpearman with_gold(gold_ranks, counts);
    std::ranges::transform(ranks, values.begin(), with_gold);
  };
  return paired_bootstrap(Resampling::of_items(gold.size()), models.size(), correlate, options);
}

Score mean(std::span<const double> values, Counts counts) {
  assert(values.size() == counts.size());
  double sum = 0;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += values[i] * counts[i];
    total += counts[i];
  }
  if (total == 0) return undefined("there are no items");
  if (!std::isfinite(sum)) return undefined("a value is not finite");
  return sum / static_cast<double>(total);
}

double sorted_quantile(std::span<const double> sorted, double p) {
  assert(!sorted.empty() && 0 <= p && p <= 1);
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

IntervalScore percentile_interval(std::span<const double> draws, double level) {
  if (draws.empty()) return undefined(kNoDraws);
  std::vector<double> sorted(draws.begin(), draws.end());
  std::ranges::sort(sorted);
  return Interval{sorted_quantile(sorted, (1 - level) / 2),
                  sorted_quantile(sorted, (1 + level) / 2)};
}

namespace {

// The share of draws below the point, those equal to it counted half.
double share_below(std::span<const double> sorted, double point) {
  const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), point);
  const auto twice = (low - sorted.begin()) + (high - sorted.begin());
  return static_cast<double>(twice) / (2 * static_cast<double>(sorted.size()));
}

// Efron 1987, eq. 6.6, with the jackknife as the influence. 0 where nothing moves the statistic.
double acceleration(std::span<const double> jackknife_values) {
  const double centre = std::accumulate(jackknife_values.begin(), jackknife_values.end(), 0.0) /
                        static_cast<double>(jackknife_values.size());
  double squares = 0, cubes = 0;
  for (const double value : jackknife_values) {
    const double influence = centre - value;
    squares += influence * influence;
    cubes += influence * influence * influence;
  }
  return squares == 0 ? 0 : cubes / (6 * squares * std::sqrt(squares));
}

}  // namespace

IntervalScore bca_interval(double point, std::span<const double> draws,
                           std::span<const double> jackknife, double level) {
  if (draws.empty()) return undefined(kNoDraws);
  std::vector<double> sorted(draws.begin(), draws.end());
  std::ranges::sort(sorted);
  const double below = share_below(sorted, point);
  if (below == 0 || below == 1) return undefined("all resamples lie on one side of the point");

  const double bias = normal_quantile(below), skew = acceleration(jackknife);
  const auto quantile_at = [&](double share) -> Score {
    const double z = bias + normal_quantile(share);
    if (skew * z >= 1) return undefined("the acceleration is too large for BCa");
    return sorted_quantile(sorted, normal_cdf(bias + z / (1 - skew * z)));
  };
  const Score low = quantile_at((1 - level) / 2), high = quantile_at((1 + level) / 2);
  if (!low || !high) return tl::unexpected((low ? high : low).error());
  return Interval{*low, *high};
}

std::vector<Score> jackknife(const Resampling& resampling, const Statistic& statistic,
                             int threads) {
  return leave_each_out(resampling, 1, threads, alone(statistic));
}

}  // namespace plumb::stats
