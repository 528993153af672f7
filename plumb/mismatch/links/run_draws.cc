#include "plumb/mismatch/links/run_draws.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "plumb/base/parallel.h"
#include "plumb/mismatch/measure/gap_parts.h"
#include "plumb/rlhf/sample_files.h"
#include "plumb/stats/calibration.h"
#include "plumb/stats/correlation.h"
#include "plumb/stats/few_prompts.h"
#include "plumb/stats/inequality.h"

namespace plumb::mismatch {
namespace {

using stats::Counts;
using stats::Score;
using stats::undefined;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Of more samples a prompt the first are compared; of more pairs the first fit the temperature.
constexpr std::size_t kComparedSamples = 64, kTemperaturePairs = 100000;

// Calls visit(proxy difference, gold difference) for the pairs of a group that differ in gold.
template <typename Visit>
void each_pair(const SampleTable& table, const SampleGroup& group, Visit visit) {
  const std::size_t end = std::min(group.end, group.begin + kComparedSamples);
  for (std::size_t i = group.begin; i < end; ++i) {
    for (std::size_t j = group.begin; j < i; ++j) {
      const double proxy = table.proxy[i] - table.proxy[j], gold = table.gold[i] - table.gold[j];
      if (gold != 0 && !std::isnan(gold) && !std::isnan(proxy)) visit(proxy, gold);
    }
  }
}

double right_share(double proxy, double gold) {
  return proxy == 0 ? 0.5 : (proxy > 0) == (gold > 0) ? 1 : 0;
}

Score temperature_of(const SampleTable& table, std::span<const SampleGroup> groups) {
  std::vector<double> logits, outcomes;
  for (const SampleGroup& group : groups) {
    if (logits.size() >= kTemperaturePairs) break;
    each_pair(table, group, [&](double proxy, double gold) {
      logits.push_back(proxy);
      outcomes.push_back(gold > 0 ? 1 : 0);
    });
  }
  return stats::fit_temperature(logits, outcomes);
}

// How well the proxy orders and knows one prompt's samples; NaN: not measured.
struct Ordering {
  double accuracy = kNone, tau = kNone, overconfidence = kNone;
};

double tau_of(const SampleTable& table, const SampleGroup& group) {
  std::vector<double> proxy, gold;
  for (std::size_t i = group.begin; i < group.end; ++i) {
    if (std::isnan(table.proxy[i]) || std::isnan(table.gold[i])) continue;
    proxy.push_back(table.proxy[i]);
    gold.push_back(table.gold[i]);
  }
  return stats::kendall_tau_b(proxy, gold).value_or(kNone);
}

Ordering ordering_of(const SampleTable& table, const SampleGroup& group, const Score& temperature) {
  double right = 0, sure = 0, pairs = 0;
  each_pair(table, group, [&](double proxy, double gold) {
    pairs += 1;
    right += right_share(proxy, gold);
    if (temperature) sure += 1 / (1 + std::exp(-std::abs(proxy) / *temperature));
  });
  if (pairs == 0) return {};
  return {right / pairs, tau_of(table, group), temperature ? (sure - right) / pairs : kNone};
}

// A prompt at a point: gains (0 at the start) and orderings.
struct PromptPoint {
  std::uint32_t point, prompt;
  std::array<double, kPointColumns> values;
};

struct Cells {
  std::vector<PromptPoint> all;     // by point
  bool paired = true;               // no cell has a proxy without a gold, or a gold without a proxy
  std::vector<double> end_squares;  // [prompts] of the proxy about its mean at the end
  std::vector<double> end_freedom;  // [prompts] samples less one
  std::vector<double> end_gold;     // [prompts], NaN where the end has none
  std::vector<char> flat_proxy;     // [points] no prompt's samples differ in the proxy
  std::size_t points = 0, prompts = 0;
};

const SampleGroup* find_group(std::span<const SampleGroup> groups, std::uint32_t prompt) {
  const auto found = std::ranges::lower_bound(groups, prompt, {}, &SampleGroup::prompt);
  return found != groups.end() && found->prompt == prompt ? &*found : nullptr;
}

std::span<const SampleGroup> groups_of_step(const SampleTable& table, std::size_t step) {
  const auto place = std::ranges::lower_bound(table.steps, step) - table.steps.begin();
  return table.at_step(static_cast<std::size_t>(place));
}

void add_orderings(const SampleTable& table, const RunDraws& run, const Score& temperature,
                   int threads, Cells& cells) {
  parallel_for(cells.all.size(), 16, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      PromptPoint& cell = cells.all[i];
      if (cell.point > 0 && run.path.kind == TrajectoryKind::kBestOfN) continue;
      const std::size_t step = cell.point == 0 ? run.path.start.step : run.points[cell.point].at;
      const auto* group = find_group(groups_of_step(table, step), run.path.prompts[cell.prompt]);
      if (group == nullptr) continue;
      const Ordering ordering = ordering_of(table, *group, temperature);
      cell.values[2] = ordering.accuracy;
      cell.values[3] = ordering.tau;
      cell.values[4] = ordering.overconfidence;
    }
  });
  cells.flat_proxy.assign(cells.points, 1);
  for (const PromptPoint& cell : cells.all) {
    if (!std::isnan(cell.values[3])) cells.flat_proxy[cell.point] = 0;
  }
}

// A proxy that is constant at the start, as a policy's own reward is, has its unit from the end.
void add_end_squares(const SampleTable& table, const RunDraws& run, Cells& cells) {
  cells.end_squares.assign(cells.prompts, 0);
  cells.end_freedom.assign(cells.prompts, 0);
  if (run.path.kind == TrajectoryKind::kBestOfN) return;
  const auto groups = groups_of_step(table, run.points.back().at);
  for (std::size_t p = 0; p < cells.prompts; ++p) {
    const auto* group = find_group(groups, run.path.prompts[p]);
    if (group == nullptr) continue;
    const double mean = measured_mean(table.proxy, group->begin, group->end);
    double n = 0;
    for (std::size_t i = group->begin; i < group->end; ++i) {
      if (std::isnan(table.proxy[i])) continue;
      cells.end_squares[p] += (table.proxy[i] - mean) * (table.proxy[i] - mean);
      n += 1;
    }
    cells.end_freedom[p] = std::max(0.0, n - 1);
  }
}

Cells cells_of(const RunDraws& run) {
  Cells cells;
  cells.points = run.points.size();
  cells.prompts = run.path.prompts.size();
  for (std::uint32_t p = 0; p < cells.prompts; ++p) {
    cells.all.push_back({0, p, {0, 0, kNone, kNone, kNone}});
  }
  cells.end_gold.assign(cells.prompts, kNone);
  for (const Cell& cell : run.path.cells) {
    cells.all.push_back(
        {cell.point + 1, cell.prompt, {cell.proxy, cell.gold, kNone, kNone, kNone}});
    cells.paired = cells.paired && std::isnan(cell.proxy) == std::isnan(cell.gold);
    if (cell.point + 2 == cells.points) cells.end_gold[cell.prompt] = cell.gold;
  }
  return cells;
}

// --- Statistics of a resample ---

void add_means(const Cells& cells, Counts counts, std::span<Score> row) {
  std::vector<double> sums(cells.points * kPointColumns), weights(sums.size());
  for (const PromptPoint& cell : cells.all) {
    const double w = counts[cell.prompt];
    for (std::size_t c = 0; c < kPointColumns; ++c) {
      if (std::isnan(cell.values[c])) continue;
      sums[cell.point * kPointColumns + c] += w * cell.values[c];
      weights[cell.point * kPointColumns + c] += w;
    }
  }
  constexpr std::string_view kReasons[] = {"the proxy is not measured", "the gold is not measured",
                                           "no two samples of a prompt differ in gold",
                                           "no two samples of a prompt differ in gold",
                                           "calibration is not measured"};
  constexpr auto kAccuracy = static_cast<std::size_t>(PointColumn::kAccuracy);
  constexpr auto kTau = static_cast<std::size_t>(PointColumn::kTau);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t point = i / kPointColumns, column = i % kPointColumns;
    // Pairs that differ in gold are there, but the proxy orders none of them.
    const bool orders = column >= kAccuracy && weights[point * kPointColumns + kAccuracy] > 0;
    const bool flat =
        orders && (cells.flat_proxy[point] != 0 || (column == kTau && weights[i] == 0));
    row[kRunColumns + i] = flat ? Score(undefined("no two samples of a prompt differ in the proxy"))
                           : weights[i] > 0 ? Score(sums[i] / weights[i])
                                            : undefined(kReasons[column]);
  }
}

// Mean gains over the prompts that have both: proxy and gold of other prompts each are no pair.
std::vector<Score> paired_means(const Cells& cells, Counts counts, std::span<const Score> points) {
  std::vector<Score> row(points.begin(), points.end());
  if (cells.paired) return row;
  std::vector<double> proxy(cells.points), gold(cells.points), weights(cells.points);
  for (const PromptPoint& cell : cells.all) {
    if (std::isnan(cell.values[0]) || std::isnan(cell.values[1])) continue;
    const double w = counts[cell.prompt];
    proxy[cell.point] += w * cell.values[0];
    gold[cell.point] += w * cell.values[1];
    weights[cell.point] += w;
  }
  for (std::size_t k = 0; k < cells.points; ++k) {
    Score* const means = &row[k * kPointColumns];
    if (!means[0] || !means[1]) continue;
    const bool none = weights[k] == 0;
    means[0] = none ? undefined("no prompt has both proxy and gold") : Score(proxy[k] / weights[k]);
    means[1] = none ? means[0] : Score(gold[k] / weights[k]);
  }
  return row;
}

// The slope of a column on the number of the point, from `first` on.
Score slope_of(std::span<const Score> points, PointColumn column, std::size_t first) {
  const std::size_t count = points.size() / kPointColumns;
  const double centre = static_cast<double>(first + count - 1) / 2;
  double slope = 0;
  for (std::size_t k = first; k < count; ++k) {
    const Score& value = points[k * kPointColumns + static_cast<std::size_t>(column)];
    if (!value) return value;
    slope += (static_cast<double>(k) - centre) * *value;
  }
  return slope;
}

Score efficiency_of(std::span<const Score> points, std::size_t first, const Score& proxy_deviation,
                    const Score& gold_deviation) {
  const Score proxy = slope_of(points, PointColumn::kProxy, first);
  const Score gold = slope_of(points, PointColumn::kGold, first);
  for (const Score* score : {&proxy, &gold, &proxy_deviation, &gold_deviation}) {
    if (!*score) return *score;
  }
  if (*proxy <= 0) return undefined("the proxy did not rise");
  return *gold / *gold_deviation / (*proxy / *proxy_deviation);
}

Score falls_of(const Cells& cells, Counts counts) {
  double falls = 0, all = 0;
  for (std::size_t p = 0; p < cells.prompts; ++p) {
    const double gold = cells.end_gold[p];
    if (std::isnan(gold)) continue;
    all += counts[p];
    falls += counts[p] * (gold < 0 ? 1 : 0);
  }
  if (all == 0) return undefined("the gold is not measured");
  return falls / all;
}

Score gini_of(const Cells& cells, Counts counts) {
  std::vector<double> gains;
  std::vector<std::uint32_t> weights;
  for (std::size_t p = 0; p < cells.prompts; ++p) {
    if (std::isnan(cells.end_gold[p])) continue;
    gains.push_back(cells.end_gold[p]);
    weights.push_back(counts[p]);
  }
  if (gains.empty()) return undefined("the gold is not measured");
  return stats::gini(gains, weights);
}

Score difference(const Score& a, const Score& b) {
  if (!a) return a;
  if (!b) return b;
  return *a - *b;
}

Score proxy_deviation(const Cells& cells, Counts counts, const Score& at_start) {
  if (at_start) return at_start;
  double squares = 0, freedom = 0;
  for (std::size_t p = 0; p < cells.prompts; ++p) {
    squares += counts[p] * cells.end_squares[p];
    freedom += counts[p] * cells.end_freedom[p];
  }
  return squares > 0 ? Score(std::sqrt(squares / freedom)) : at_start;
}

Score ratio(const Score& a, const Score& b) {
  if (!a) return a;
  if (!b) return b;
  return *a / *b;
}

void add_run_columns(const Cells& cells, const Start& start, Counts counts, std::span<Score> row) {
  const auto set = [&](RunColumn column, const Score& value) {
    row[static_cast<std::size_t>(column)] = value;
  };
  const auto points = row.subspan(kRunColumns);
  const auto end = points.last(kPointColumns);
  const auto at = [](std::span<const Score> point, PointColumn column) -> const Score& {
    return point[static_cast<std::size_t>(column)];
  };
  const auto [proxy_at_start, gold] = start_deviations(start, counts);
  const Score proxy = proxy_deviation(cells, counts, proxy_at_start);
  set(RunColumn::kProxyDeviation, proxy);
  set(RunColumn::kGoldDeviation, gold);
  const std::vector<Score> paired = paired_means(cells, counts, points);
  set(RunColumn::kEfficiency, efficiency_of(paired, 0, proxy, gold));
  // Four checkpoints after the start make two halves.
  set(RunColumn::kLaterEfficiency,
      cells.points < 5 ? Score(undefined("fewer than four checkpoints follow the start"))
                       : efficiency_of(paired, cells.points / 2, proxy, gold));
  const auto paired_end = std::span(paired).last(kPointColumns);
  set(RunColumn::kGap, difference(ratio(at(paired_end, PointColumn::kProxy), proxy),
                                  ratio(at(paired_end, PointColumn::kGold), gold)));
  set(RunColumn::kFalls, falls_of(cells, counts));
  set(RunColumn::kGini, gini_of(cells, counts));
  for (const auto& [column, of] :
       {std::pair(RunColumn::kAccuracyChange, PointColumn::kAccuracy),
        std::pair(RunColumn::kTauChange, PointColumn::kTau),
        std::pair(RunColumn::kOverconfidenceChange, PointColumn::kOverconfidence)}) {
    set(column, difference(at(end, of), at(points.first(kPointColumns), of)));
  }
}

// The prompts that have both proxy and gold at any point from `first` on.
std::size_t paired_prompts(const Cells& cells, std::size_t first) {
  std::vector<bool> paired(cells.prompts);
  for (const PromptPoint& cell : cells.all) {
    const bool both = !std::isnan(cell.values[0]) && !std::isnan(cell.values[1]);
    if (both && cell.point >= first) paired[cell.prompt] = true;
  }
  return static_cast<std::size_t>(std::ranges::count(paired, true));
}

// How many prompts stand behind each column.
std::vector<std::size_t> measured_prompts(const Cells& cells, const RunDraws& run) {
  std::vector<std::size_t> counts(kRunColumns + cells.points * kPointColumns);
  for (const PromptPoint& cell : cells.all) {
    for (std::size_t c = 0; c < kPointColumns; ++c) {
      const std::size_t place = kRunColumns + cell.point * kPointColumns + c;
      counts[place] += std::isnan(cell.values[c]) ? 0 : 1;
    }
  }
  const auto set = [&](RunColumn column, std::size_t n) { counts[run.column(column)] = n; };
  const auto at = [&](std::size_t point, PointColumn column) {
    return counts[run.column(point, column)];
  };
  const auto both_ends = [&](PointColumn column) {
    return std::min(at(0, column), at(cells.points - 1, column));
  };
  const auto start = static_cast<std::size_t>(std::ranges::count_if(
      run.path.start.moments, [](const Moments& prompt) { return prompt.n > 0; }));
  set(RunColumn::kProxyDeviation, start);
  set(RunColumn::kGoldDeviation, start);
  set(RunColumn::kEfficiency, paired_prompts(cells, 1));
  set(RunColumn::kLaterEfficiency,
      paired_prompts(cells, std::max<std::size_t>(1, cells.points / 2)));
  set(RunColumn::kGap, paired_prompts(cells, cells.points - 1));
  set(RunColumn::kFalls, at(cells.points - 1, PointColumn::kGold));
  set(RunColumn::kGini, at(cells.points - 1, PointColumn::kGold));
  set(RunColumn::kAccuracyChange, both_ends(PointColumn::kAccuracy));
  set(RunColumn::kTauChange, both_ends(PointColumn::kTau));
  set(RunColumn::kOverconfidenceChange, both_ends(PointColumn::kOverconfidence));
  return counts;
}

// Keeps the first and the last point and as many between as there is room for, evenly.
void thin(Trajectory& path, std::vector<std::string>& warnings) {
  const std::size_t count = path.points.size();
  if (count <= kMostPoints) return;
  std::vector<std::uint32_t> number(count, UINT32_MAX);
  std::vector<TrajectoryPoint> points;
  for (std::size_t i = 0; i < kMostPoints; ++i) {
    const std::size_t from = i * (count - 1) / (kMostPoints - 1);
    number[from] = static_cast<std::uint32_t>(i);
    points.push_back(path.points[from]);
  }
  std::vector<Cell> cells;
  for (Cell cell : path.cells) {
    cell.point = number[cell.point];
    if (cell.point != UINT32_MAX) cells.push_back(cell);
  }
  path.points = std::move(points);
  path.cells = std::move(cells);
  warnings.push_back(
      fmt::format("Of {} checkpoints {} are measured, evenly chosen.", count, kMostPoints));
}

Result<Trajectory> path_of(const SampleTable& table, std::size_t start) {
  auto run = run_trajectory(table, start);
  if (run) return run;
  const std::size_t pool = table.steps.size() == 1 ? table.steps[0] : start;
  auto best = best_of_n_trajectory(table, pool);
  if (best) return best;
  return fail(
      ErrorKind::kBadInput,
      fmt::format("{}: nothing can be measured. The run: {}. Best of n: {}.{}", table.file,
                  run.error().message, best.error().message,
                  any_measured(table.proxy) ? ""
                                            : fmt::format(" No sample has a \"proxy\": {}.",
                                                          rlhf::how_to_give("proxy", table.file))));
}

}  // namespace

std::size_t RunDraws::prompts_of(std::size_t column) const {
  return measured.empty() || measured[column] == 0 ? prompts : measured[column];
}

tl::expected<stats::Deviation, stats::Undefined> RunDraws::deviation(std::size_t column) const {
  return deviations.empty() ? stats::deviation_of(draws, column) : deviations[column];
}

stats::BootstrapResult RunDraws::summary(std::size_t column,
                                         const stats::BootstrapOptions& options) const {
  auto result = stats::summarize(
      draws, column, seeds == 1 ? stats::expanded(options, prompts_of(column)) : options);
  if (seeds == 1 || !result.interval) return result;
  const auto own = deviation(column);
  result.interval =
      own ? stats::IntervalScore(stats::student_interval(*result.point, *own, options.level))
          : undefined(own.error().reason);
  return result;
}

LinkRow RunDraws::row(Link link, std::string measure, std::size_t column,
                      const stats::BootstrapOptions& options) const {
  LinkRow made = row_of(link, std::move(measure), summary(column, options));
  made.run = name;
  made.n = prompts_of(column);
  made.of = "prompts";
  const auto own = deviation(column);
  if (!own || !made.ci) return made;
  made.deviation = own->value;
  made.freedom = own->freedom;
  return made;
}

Result<RunDraws> draw_run(std::string name, const SampleTable& table, std::size_t start,
                          const stats::BootstrapOptions& options) {
  PLUMB_TRY(path, path_of(table, start));
  RunDraws run;
  run.name = std::move(name);
  run.file = table.file;
  run.sha256 = table.sha256;
  run.contents = table.contents;
  run.samples = table.samples();
  run.steps = table.steps.size();
  run.warnings = path.warnings;
  run.has_proxy = any_measured(table.proxy);
  run.has_gold = any_measured(table.gold);
  run.path = std::move(path);
  run.flat_start = std::ranges::all_of(run.path.start.moments,
                                       [](const Moments& prompt) { return prompt.pp == 0; });
  thin(run.path, run.warnings);
  run.prompts = run.path.prompts.size();
  if (auto few = stats::few_prompts(run.prompts)) run.warnings.push_back(std::move(*few));
  for (const std::uint32_t prompt : run.path.prompts) run.texts.push_back(table.prompts[prompt]);
  run.points.push_back({run.path.kind == TrajectoryKind::kRun ? run.path.start.step : 1, 0.0});
  for (const TrajectoryPoint& point : run.path.points) {
    run.points.push_back({point.at, point.d, point.source});
  }
  Cells cells = cells_of(run);
  add_end_squares(table, run, cells);
  const Score temperature = temperature_of(table, groups_of_step(table, run.path.start.step));
  if (!temperature) run.no_temperature = temperature.error().reason;
  add_orderings(table, run, temperature, options.threads, cells);
  run.measured = measured_prompts(cells, run);
  const auto statistics = [&](Counts counts, std::span<Score> row) {
    add_means(cells, counts, row);
    add_run_columns(cells, run.path.start, counts, row);
  };
  run.draws =
      stats::paired_bootstrap(stats::Resampling::of_items(run.prompts),
                              kRunColumns + cells.points * kPointColumns, statistics, options);
  run.lacking = missing_fields(table, run.path.start.step);
  for (std::string& warning : sample_warnings(table, run.path.start.step)) {
    run.warnings.push_back(std::move(warning));
  }
  return run;
}

}  // namespace plumb::mismatch
