#include "plumb/mismatch/links/link_c.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "plumb/mismatch/links/series_values.h"
#include "plumb/stats/change_point.h"
#include "plumb/stats/equivalence.h"
#include "plumb/stats/intervals.h"
#include "plumb/stats/series.h"
#include "plumb/stats/sums.h"

namespace plumb::mismatch {
namespace {

LinkRow row_for(const RunDraws& run, const char* what, const std::string& name, std::size_t n) {
  LinkRow row{.link = Link::kC, .run = run.name, .measure = fmt::format(fmt::runtime(what), name)};
  row.n = n;
  row.of = "checkpoints";
  return row;
}

LinkRow with_reason(LinkRow row, std::string_view reason) {
  row.reason = reason;
  return row;
}

// The reward at the checkpoints of a series, in deviations of the start where these are known.
std::vector<double> rewards_at(const RunDraws& run, const PointSeries& series) {
  const stats::Score& unit = run.draws.points[run.column(RunColumn::kProxyDeviation)];
  std::vector<double> rewards;
  for (const std::size_t point : series.places) {
    const stats::Score& reward = run.draws.points[run.column(point, PointColumn::kProxy)];
    rewards.push_back(reward ? *reward / (unit ? *unit : 1) : std::nan(""));
  }
  return rewards;
}

void add_correlation(const RunDraws& run, const PointSeries& series, const LinkCOptions& options,
                     std::vector<LinkRow>& rows) {
  LinkRow row = row_for(run, "{} with the reward", series.name, series.values.size());
  row.headline = true;
  row.resolution = options.correlation;
  LinkRow slope = row_for(run, "{} per deviation of reward", series.name, series.values.size());
  const auto rewards = rewards_at(run, series);
  const auto link = series.stuck.empty()
                        ? stats::series_link(rewards, series.values, options.sampling.level)
                        : tl::unexpected(stats::Undefined{series.stuck});
  if (!run.has_proxy || !link) {
    const std::string_view reason =
        run.has_proxy ? link.error().reason : std::string_view("no sample has a \"proxy\"");
    rows.push_back(with_reason(std::move(row), reason));
    return;
  }
  const double quantile = stats::student_quantile((1 + options.sampling.level) / 2, link->freedom);
  const auto fill = [&](LinkRow& filled, double estimate, const stats::Interval& ci) {
    filled.estimate = estimate;
    filled.ci = ci;
    filled.deviation = (ci.high - ci.low) / 2 / quantile;
    filled.freedom = link->freedom;
    filled.exact_p = link->p_value;
  };
  fill(row, link->correlation, link->correlation_ci);
  fill(slope, link->slope, link->slope_ci);
  row.note = fmt::format("Pearson's {:.2f}; errors of neighbours correlate by {:.2f}",
                         link->pearson, link->autocorrelation);
  rows.push_back(std::move(row));
  rows.push_back(std::move(slope));
}

void add_change_point(const RunDraws& run, const PointSeries& series, const LinkCOptions& options,
                      std::vector<LinkRow>& rows) {
  LinkRow row = row_for(run, "change point of {}", series.name, series.values.size());
  if (!series.stuck.empty()) {
    rows.push_back(with_reason(std::move(row), series.stuck));
    return;
  }
  std::vector<double> steps;
  for (const std::size_t point : series.places) {
    steps.push_back(static_cast<double>(run.points[point].at));
  }
  const auto found = stats::change_point_test(steps, series.values, options.sampling);
  if (!found) {
    rows.push_back(with_reason(std::move(row), found.error().reason));
    return;
  }
  if (found->p_value > 1 - options.sampling.level) {
    row.reason = fmt::format("none is shown: a single line does (p = {:.2g})", found->p_value);
    rows.push_back(std::move(row));
    return;
  }
  row.estimate = found->fit.at;
  std::vector<double> places;
  for (std::size_t r = 0; r < series.resamples(); ++r) {
    const auto drawn = series.resample(r);
    if (const auto fit = stats::fit_broken_line(steps, drawn)) places.push_back(fit->at);
  }
  const auto ci = stats::percentile_interval(places, options.sampling.level);
  if (ci) {
    row.ci = *ci;
  } else {
    row.reason = "its scores have no intervals";
  }
  const double steepest = std::max(std::abs(found->fit.before), std::abs(found->fit.after));
  const auto slope = [&](double value) { return std::abs(value) < 1e-9 * steepest ? 0 : value; };
  row.note = fmt::format("slope a step {:.3g} before and {:.3g} after; p = {:.2g}",
                         slope(found->fit.before), slope(found->fit.after), found->p_value);
  rows.push_back(std::move(row));
}

std::size_t best_of(std::span<const double> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

void add_offset(const RunDraws& run, const PointSeries& series, const LinkCOptions& options,
                std::vector<LinkRow>& rows) {
  LinkRow row = row_for(run, "steps by which {} is best before the reward", series.name,
                        series.values.size());
  const PointSeries reward = series_of_column(run, PointColumn::kProxy, "reward");
  if (!run.has_proxy || series.values.size() < 2) {
    rows.push_back(with_reason(std::move(row), run.has_proxy ? "fewer than two checkpoints"
                                                             : "no sample has a \"proxy\""));
    return;
  }
  if (!series.stuck.empty() || !reward.stuck.empty() || stats::is_constant(series.values)) {
    rows.push_back(with_reason(std::move(row), kUnmoved));
    return;
  }
  const auto offset = [&](std::span<const double> rewards, std::span<const double> values) {
    const auto step = [&](std::size_t place) { return static_cast<double>(run.points[place].at); };
    return step(reward.places[best_of(rewards)]) - step(series.places[best_of(values)]);
  };
  row.estimate = offset(reward.values, series.values);
  std::vector<double> offsets;
  for (std::size_t r = 0; r < std::min(series.resamples(), reward.resamples()); ++r) {
    offsets.push_back(offset(reward.resample(r), series.resample(r)));
  }
  const auto ci = stats::percentile_interval(offsets, options.sampling.level);
  if (ci) {
    row.ci = *ci;
  } else {
    row.reason = "its scores have no intervals";
  }
  rows.push_back(std::move(row));
}

// Says whether the change is shown to be too small to matter.
void add_equivalence(LinkRow& row, const LinkCOptions& options) {
  if (!row.estimate || !row.deviation || !row.resolution || is_point(row)) return;
  const auto test = stats::equivalence_test(*row.estimate, *row.deviation, row.freedom,
                                            *row.resolution, options.sampling.level);
  const std::string tested =
      fmt::format("a change beyond {:.3g} is {} (two one-sided tests, p = {:.2g})", *row.resolution,
                  test.equivalent ? "excluded" : "not excluded", test.p_value);
  row.note += row.note.empty() ? tested : "; " + tested;
}

void add_gold_tax(const RunDraws& run, const LinkCOptions& options, std::vector<LinkRow>& rows) {
  const std::size_t end = run.points.size() - 1;
  LinkRow row = run.row(Link::kC, "gold, end less start", run.column(end, PointColumn::kGold),
                        options.sampling);
  const stats::Score& unit = run.draws.points[run.column(RunColumn::kGoldDeviation)];
  if (unit) row.resolution = options.gold_margin * *unit;
  add_equivalence(row, options);
  rows.push_back(std::move(row));
}

void add_eval_tax(const RunDraws& run, const PointSeries& series, const LinkCOptions& options,
                  std::vector<LinkRow>& rows) {
  LinkRow row = row_for(run, "{}, end less start", series.name, series.values.size());
  row.resolution = options.margin;
  const EvalChange change = change_of(series, options.sampling.level);
  row.reason = change.reason;
  row.estimate = change.difference;
  row.ci = change.ci;
  row.deviation = change.deviation;
  row.freedom = change.freedom;
  row.note = change.note;
  if (change.items > 0) {
    row.n = change.items;
    row.of = "items";
  }
  add_equivalence(row, options);
  rows.push_back(std::move(row));
}

void note_other_steps(const EvalSeries& evaluation, const PointSeries& series, LinkRow& row) {
  const std::size_t all = evaluation.points.size(), used = series.values.size();
  if (used == all || used == 0) return;
  row.note += fmt::format(
      "{}{} of {} scores are of steps at which the run has no samples, and are "
      "left out",
      row.note.empty() ? "" : "; ", all - used, all);
}

}  // namespace

std::vector<LinkRow> link_c(const RunDraws& run, const std::vector<EvalSeries>& evaluations,
                            const LinkCOptions& options) {
  std::vector<LinkRow> rows;
  if (run.path.kind == TrajectoryKind::kBestOfN) {
    rows.push_back(with_reason(row_for(run, "{} with the reward", "evaluation", 0),
                               "there is one checkpoint; the link is over checkpoints"));
    return rows;
  }
  const PointSeries gold = series_of_column(run, PointColumn::kGold, "gold");
  if (!run.has_gold) {
    rows.push_back(
        with_reason(row_for(run, "{} with the reward", "gold", 0), "no sample has a \"gold\""));
  } else {
    add_correlation(run, gold, options, rows);
    add_gold_tax(run, options, rows);
    add_change_point(run, gold, options, rows);
    add_offset(run, gold, options, rows);
  }
  const PointSeries accuracy = series_of_column(run, PointColumn::kAccuracy, "accuracy");
  if (!accuracy.values.empty()) add_offset(run, accuracy, options, rows);
  for (const EvalSeries& evaluation : evaluations) {
    if (!evaluation.run.empty() && evaluation.run != run.name) continue;
    const PointSeries series = series_of_evaluation(run, evaluation, options.sampling);
    const std::size_t first = rows.size();
    add_correlation(run, series, options, rows);
    note_other_steps(evaluation, series, rows[first]);
    if (!series.stuck.empty() || series.values.empty()) continue;
    add_eval_tax(run, series, options, rows);
    add_change_point(run, series, options, rows);
    add_offset(run, series, options, rows);
  }
  return rows;
}

}  // namespace plumb::mismatch
