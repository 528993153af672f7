#include "plumb/mismatch/links/series_values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plumb/base/random.h"
#include "plumb/stats/equivalence.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/normal.h"

namespace plumb::mismatch {
namespace {

bool always_defined(const RunDraws& run, std::size_t column) {
  if (!run.draws.points[column]) return false;
  for (std::size_t r = 0; r < run.draws.resamples(); ++r) {
    if (!run.draws.values[r * run.draws.columns + column]) return false;
  }
  return true;
}

// Gains are sums of rewards taken in another order at each checkpoint: equal but for rounding.
bool is_unmoved(const RunDraws& run, PointColumn column, std::span<const double> values) {
  if (values.empty()) return false;
  const auto [least, most] = std::ranges::minmax(values);
  const bool gold = column == PointColumn::kGold;
  const stats::Score& unit =
      run.draws.points[run.column(gold ? RunColumn::kGoldDeviation : RunColumn::kProxyDeviation)];
  const bool gains = gold || column == PointColumn::kProxy;
  return most - least <= (gains && unit ? 1e-9 * *unit : 0);
}

struct Pairs {
  std::vector<double> differences;
  bool shares = true;  // all scores lie in 0 .. 1
};

Pairs paired_differences(const EvalPoint& first, const EvalPoint& last) {
  Pairs pairs;
  for (const auto& [item, score] : last.items) {
    const auto before = first.items.find(item);
    if (before == first.items.end()) continue;
    pairs.differences.push_back(score - before->second);
    pairs.shares = pairs.shares && 0 <= std::min(score, before->second) &&
                   std::max(score, before->second) <= 1;
  }
  return pairs;
}

// What was never seen is not excluded: where n items change alike, Wilson's share of others may
// change otherwise, by up to 1 either way.
stats::Interval alike_interval(double change, double n, double level) {
  const double others = stats::wilson(0, n, level).high;
  return {change - others * (1 + change), change + others * (1 - change)};
}

void pair_alike(const Pairs& pairs, double level, EvalChange& change) {
  change.difference = pairs.differences[0];
  if (!pairs.shares) {
    change.reason = "all items change alike, which does not say how sure that is";
    return;
  }
  change.ci = alike_interval(*change.difference, static_cast<double>(change.items), level);
  change.deviation = stats::normal_error(*change.ci, level);
  change.freedom = std::numeric_limits<double>::infinity();
  change.note = *change.difference == 0 ? "no item changes" : "all items change alike";
}

void pair_items(const Pairs& pairs, double level, EvalChange& change) {
  const std::vector<double>& differences = pairs.differences;
  change.items = differences.size();
  const auto [least, most] = std::ranges::minmax(differences);
  if (least == most) return pair_alike(pairs, level, change);
  const auto ci = stats::student_interval(differences, level);
  change.ci = *ci;
  change.difference = (ci->low + ci->high) / 2;
  change.freedom = static_cast<double>(differences.size()) - 1;
  change.deviation =
      (ci->high - ci->low) / 2 / stats::student_quantile((1 + level) / 2, change.freedom);
}

}  // namespace

PointSeries series_of_column(const RunDraws& run, PointColumn column, std::string name) {
  PointSeries series{.name = std::move(name)};
  for (std::size_t k = 0; k < run.points.size(); ++k) {
    const std::size_t at = run.column(k, column);
    if (!always_defined(run, at)) continue;
    series.places.push_back(k);
    series.values.push_back(*run.draws.points[at]);
  }
  if (is_unmoved(run, column, series.values)) series.stuck = kUnmoved;
  for (std::size_t r = 0; r < run.draws.resamples(); ++r) {
    for (const std::size_t k : series.places) {
      series.draws.push_back(*run.draws.values[r * run.draws.columns + run.column(k, column)]);
    }
  }
  return series;
}

PointSeries series_of_evaluation(const RunDraws& run, const EvalSeries& evaluation,
                                 const stats::BootstrapOptions& options) {
  PointSeries series{.name = evaluation.name};
  std::vector<double> errors;
  std::size_t stuck = 0;
  for (std::size_t k = 0; k < run.points.size(); ++k) {
    const EvalPoint* point = evaluation.at_step(run.points[k].at);
    if (point == nullptr) continue;
    series.places.push_back(k);
    series.values.push_back(point->score);
    if (series.first == nullptr) series.first = point;
    series.last = point;
    stuck += point->at.empty() ? 0 : 1;
    if (point->ci) errors.push_back(stats::normal_error(*point->ci, options.level));
  }
  if (series.values.empty()) {
    series.stuck = "none of its steps is a checkpoint of the run";
  } else if (stuck == series.values.size()) {
    series.stuck = series.first->at == "floor" ? "at its floor: it has no room to move"
                                               : "at its ceiling: it has no room to move";
  }
  if (errors.size() != series.values.size()) return series;
  for (std::size_t r = 0; r < options.resamples; ++r) {
    Stream stream(options.seed, "evaluation", r);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      series.draws.push_back(series.values[i] + errors[i] * stats::normal_draw(stream));
    }
  }
  return series;
}

EvalChange change_of(const PointSeries& series, double level) {
  EvalChange change;
  if (series.first == nullptr || series.first == series.last) {
    change.reason = "fewer than two checkpoints are evaluated";
    return change;
  }
  const Pairs pairs = paired_differences(*series.first, *series.last);
  if (pairs.differences.size() >= 2) {
    pair_items(pairs, level, change);
    return change;
  }
  change.difference = series.last->score - series.first->score;
  if (!series.first->ci || !series.last->ci) {
    change.reason = "its scores have no intervals";
    return change;
  }
  change.ci = stats::difference_interval(series.last->score, *series.last->ci, series.first->score,
                                         *series.first->ci);
  change.deviation = stats::normal_error(*change.ci, level);
  change.freedom = std::numeric_limits<double>::infinity();
  change.note = "from two intervals; wider than item by item";
  return change;
}

}  // namespace plumb::mismatch
