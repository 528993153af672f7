// The bootstrap: how far a statistic moves when the items, or whole clusters of items, or items and
// raters, are drawn anew.
//
// Who uses it: every score, difference and rank that is printed with an interval.
// A statistic never sees a resampled copy of the data but counts: how many times each item was
// drawn. Several statistics computed on the same resample are paired; their difference is a
// difference of columns of one table of draws. Guarantees: resample r is a function of (seed, r)
// alone, so results are the same bytes with any number of threads; a resample on which the
// statistic is undefined is excluded, counted and reported, and above a stated share of them there
// is no interval.
//
//   const auto accuracy = [&](Counts counts) { return mean(correct, counts); };
//   BootstrapResult result = bootstrap(Resampling::of_items(correct.size()), accuracy, {.seed =
//   7});
//
//   Draws draws = paired_spearman_bootstrap(gold, models, {.seed = 7});
//   BootstrapResult first = summarize(draws, 0, {}), lead = summarize_difference(draws, 0, 1, {});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/stats/score.h"

namespace plumb::stats {

// How many times each item (or rater) is in the sample. All 1: the data itself.
using Counts = std::span<const std::uint32_t>;

// A statistic of the sample that the counts describe. Called from several threads at once.
using Statistic = std::function<Score(Counts items)>;

// M statistics of the same sample; fills values, [M].
using PairedStatistics = std::function<void(Counts items, std::span<Score> values)>;

// A statistic of a table of items by raters, in which the answer of rater j to item i weighs
// items[i] * raters[j].
using CrossedStatistic = std::function<Score(Counts items, Counts raters)>;

enum class IntervalMethod { kPercentile, kBca };

struct BootstrapOptions {
  std::size_t resamples = 10000;
  double level = 0.95;
  std::uint64_t seed = 0;
  int threads = 0;  // 0: as many as the machine has
  IntervalMethod method = IntervalMethod::kPercentile;
  double undefined_share = 0.05;  // with a larger share of undefined resamples, no interval
};

struct BootstrapResult {
  Score point;             // on the data itself
  IntervalScore interval;  // undefined if the point is
  std::size_t resamples;
  std::size_t
      undefined;  // resamples on which the statistic is undefined, excluded from the interval
};

// What is drawn: single items, or clusters of items (all texts of one author, all answers to one
// prompt), with replacement, as many as there are.
class Resampling {
 public:
  static Resampling of_items(std::size_t items);

  // cluster_of_item[i] is the cluster of item i, numbered from 0; every number up to the largest
  // has items.
  static Resampling of_clusters(std::span<const std::uint32_t> cluster_of_item);

  std::size_t items() const { return items_; }

  // What is drawn or left out: items or clusters.
  std::size_t units() const { return units_; }

  // Both fill counts, [items].
  void draw(Stream& stream, std::span<std::uint32_t> counts) const;
  void leave_out(std::size_t unit, std::span<std::uint32_t> counts) const;

 private:
  std::size_t items_ = 0;
  std::size_t units_ = 0;
  std::vector<std::uint32_t> cluster_of_item_;  // empty: each item is its own
};

// The values of M paired statistics.
struct Draws {
  std::size_t columns = 0;
  std::vector<Score> points;     // [M], on the data itself
  std::vector<Score> values;     // [R, M], row r on resample r; empty with fewer than two units
  std::vector<Score> jackknife;  // [units, M], each unit left out once; empty unless asked for BCa

  std::size_t resamples() const { return columns == 0 ? 0 : values.size() / columns; }

  // The rows in which every statistic is defined, [rows, M]: what ranks are taken from.
  std::vector<double> complete_rows() const;
};

// Shifts the draws of each column so that their mean is the point. For statistics that copies of an
// item bias: two copies always share a cluster, so a resampled partition agrees too well.
void centre(Draws& draws);

// Draws, then summaries of a column and of the difference of two columns (a less b).
// Intervals use options.method, level and undefined_share. Undefined: the point is; fewer than two
// units; too many undefined resamples; and see bca_interval.
Draws paired_bootstrap(const Resampling& resampling, std::size_t columns,
                       const PairedStatistics& statistics, const BootstrapOptions& options);
BootstrapResult summarize(const Draws& draws, std::size_t column, const BootstrapOptions& options);
BootstrapResult summarize_difference(const Draws& draws, std::size_t a, std::size_t b,
                                     const BootstrapOptions& options);

// One statistic (Efron 1979).
BootstrapResult bootstrap(const Resampling& resampling, const Statistic& statistic,
                          const BootstrapOptions& options);

// a less b, both on the same resamples.
BootstrapResult bootstrap_difference(const Resampling& resampling, const Statistic& a,
                                     const Statistic& b, const BootstrapOptions& options);

// Items and raters both drawn, independently: the pigeonhole bootstrap, whose variance is that of
// two crossed random effects or slightly above it (Owen 2007). Undefined with one rater, about whom
// nothing can be said from resampling; few raters make the interval too short. Percentile only.
BootstrapResult crossed_bootstrap(std::size_t items, std::size_t raters,
                                  const CrossedStatistic& statistic,
                                  const BootstrapOptions& options);

// Spearman's correlation of each model with gold: Draws with one column a model. One sort a vector,
// then one pass a model and resample. REQUIRES: every model is as long as gold.
Draws paired_spearman_bootstrap(std::span<const double> gold,
                                std::span<const std::vector<double>> models,
                                const BootstrapOptions& options);

// The weighted mean: the statistic of accuracies and of every score that is a mean over items.
// Undefined: counts are all 0. REQUIRES: values.size() == counts.size().
Score mean(std::span<const double> values, Counts counts);

// The quantile at share p, linear between order statistics: NumPy's default, type 7 of Hyndman and
// Fan 1996. REQUIRES: sorted ascending, not empty; 0 <= p <= 1.
double sorted_quantile(std::span<const double> sorted, double p);

// From the (1 - level) / 2 quantile of the draws to the (1 + level) / 2 quantile. Undefined: no
// draws.
IntervalScore percentile_interval(std::span<const double> draws, double level);

// Bias-corrected and accelerated (Efron 1987, eq. 2.3 and 6.6): the bias from the share of draws
// below the point (half of those equal to it), the acceleration from the values with one unit left
// out. Undefined: no draws, or all of them on one side of the point.
IntervalScore bca_interval(double point, std::span<const double> draws,
                           std::span<const double> jackknife, double level);

// The statistic with each unit left out in turn, [units].
std::vector<Score> jackknife(const Resampling& resampling, const Statistic& statistic, int threads);

}  // namespace plumb::stats
