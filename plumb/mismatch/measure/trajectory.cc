#include "plumb/mismatch/measure/trajectory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "plumb/stats/best_of_n.h"

namespace plumb::mismatch {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

std::optional<std::size_t> place_of(const SampleTable& table, std::size_t step) {
  const auto found = std::ranges::lower_bound(table.steps, step);
  if (found == table.steps.end() || *found != step) return std::nullopt;
  return static_cast<std::size_t>(found - table.steps.begin());
}

std::string steps_of(const SampleTable& table) {
  constexpr std::size_t kShown = 5;
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, table.steps.size()); ++i) {
    list += fmt::format("{}{}", i == 0 ? "" : ", ", table.steps[i]);
  }
  return table.steps.size() > kShown ? list + ", ..." : list;
}

std::optional<double> mean_over(std::span<const SampleGroup> groups,
                                const std::vector<double>& column) {
  std::vector<double> means;
  for (const SampleGroup& group : groups)
    means.push_back(measured_mean(column, group.begin, group.end));
  const double mean = measured_mean(means, 0, means.size());
  return std::isnan(mean) ? std::nullopt : std::optional(mean);
}

Moments moments_of(const SampleTable& table, const SampleGroup& group) {
  std::vector<double> proxy, gold, tokens;
  for (std::size_t i = group.begin; i < group.end; ++i) {
    if (std::isnan(table.proxy[i]) || std::isnan(table.gold[i])) continue;
    proxy.push_back(table.proxy[i]);
    gold.push_back(table.gold[i]);
    tokens.push_back(table.tokens[i]);
  }
  Moments m;
  if (proxy.empty()) return m;
  m.n = static_cast<double>(proxy.size());
  m.proxy = measured_mean(proxy, 0, proxy.size());
  m.gold = measured_mean(gold, 0, gold.size());
  const double length = measured_mean(tokens, 0, tokens.size());
  for (std::size_t i = 0; i < proxy.size(); ++i) {
    const double dp = proxy[i] - m.proxy, dg = gold[i] - m.gold, dt = tokens[i] - length;
    m.pp += dp * dp, m.pg += dp * dg, m.gg += dg * dg;
    m.pt += dp * dt, m.gt += dg * dt, m.tt += dt * dt;
  }
  return m;
}

// Of more samples a prompt the first are compared.
constexpr std::size_t kComparedSamples = 64;

double accuracy_of(const SampleTable& table, const SampleGroup& group) {
  const std::size_t end = std::min(group.end, group.begin + kComparedSamples);
  double right = 0, pairs = 0;
  for (std::size_t i = group.begin; i < end; ++i) {
    for (std::size_t j = group.begin; j < i; ++j) {
      const double gold = table.gold[i] - table.gold[j], proxy = table.proxy[i] - table.proxy[j];
      if (gold == 0 || std::isnan(gold) || std::isnan(proxy)) continue;
      pairs += 1;
      right += proxy == 0 ? 0.5 : (proxy > 0) == (gold > 0) ? 1 : 0;
    }
  }
  return pairs == 0 ? kNone : right / pairs;
}

Start start_of(const SampleTable& table, std::span<const SampleGroup> groups) {
  Start start;
  start.step = table.steps[groups.front().step];
  start.proxy = mean_over(groups, table.proxy);
  start.gold = mean_over(groups, table.gold);
  start.tokens = mean_over(groups, table.tokens);
  start.ended = mean_over(groups, table.ended);
  double accuracy = 0, compared = 0;
  for (const SampleGroup& group : groups) {
    start.samples += group.end - group.begin;
    start.moments.push_back(moments_of(table, group));
    const double own = accuracy_of(table, group);
    if (std::isnan(own)) continue;
    accuracy += own;
    compared += 1;
  }
  if (compared > 0) start.accuracy = accuracy / compared;
  return start;
}

std::uint32_t missing_in(const std::vector<double>& column, const SampleGroup& group) {
  std::uint32_t missing = 0;
  for (std::size_t i = group.begin; i < group.end; ++i) missing += std::isnan(column[i]) ? 1 : 0;
  return missing;
}

// --- Best of n ---

// Prompts with enough samples that have a proxy: the rest would hold n down for all.
struct Pools {
  std::vector<SampleGroup> groups;
  std::size_t samples = 0;  // that each has at least
  std::size_t left_out = 0;
};

Pools pools_of(const SampleTable& table, std::span<const SampleGroup> groups) {
  std::vector<std::size_t> counts;
  for (const SampleGroup& group : groups) {
    std::size_t count = 0;
    for (std::size_t i = group.begin; i < group.end; ++i)
      count += std::isnan(table.proxy[i]) ? 0 : 1;
    counts.push_back(count);
  }
  std::vector<std::size_t> sorted = counts;
  std::ranges::sort(sorted);
  const std::size_t least = (sorted[sorted.size() / 2] + 1) / 2;
  Pools pools;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (counts[i] < std::max<std::size_t>(least, 1)) {
      ++pools.left_out;
      continue;
    }
    pools.groups.push_back(groups[i]);
    pools.samples = pools.groups.size() == 1 ? counts[i] : std::min(pools.samples, counts[i]);
  }
  return pools;
}

// Sums over many samples leave a few units in the last place: what differs from the best of one by
// no more has not moved.
void settle(std::span<double> best, std::span<const double> values) {
  double scale = 0;
  for (const double value : values) scale = std::max(scale, std::abs(value));
  for (double& value : best) {
    if (std::abs(value - best[0]) <= 1e-12 * scale) value = best[0];
  }
}

// The expected value of a column in the best of n by proxy, [n]; NaN where a sample lacks it.
std::vector<double> best_of(const SampleTable& table, const SampleGroup& group,
                            const std::vector<double>& column, std::span<const std::size_t> n,
                            bool& ties) {
  std::vector<double> proxy, values;
  for (std::size_t i = group.begin; i < group.end; ++i) {
    if (std::isnan(table.proxy[i])) continue;
    if (std::isnan(column[i])) return std::vector<double>(n.size(), kNone);
    proxy.push_back(table.proxy[i]);
    values.push_back(column[i]);
  }
  auto curves = stats::best_of_n_curves({1, proxy.size(), proxy, values}, n, 1);
  ties = ties || curves.ties;
  settle(curves.gold, values);
  return curves.gold;
}

std::vector<TrajectoryPoint> best_of_n_points(std::span<const std::size_t> n, bool ties) {
  std::vector<TrajectoryPoint> points;
  for (const std::size_t of : n.subspan(1)) {
    const double kl = stats::best_of_n_kl(static_cast<double>(of));
    points.push_back({.at = of,
                      .source = ties ? KlSource::kBound : KlSource::kExact,
                      .kl = kl,
                      .d = std::sqrt(kl)});
  }
  return points;
}

// --- Runs ---

// Which prompts a run is measured on, and against what.
struct Basis {
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;  // of prompts, in the trajectory
  std::unordered_map<std::uint32_t, const SampleGroup*> starts;
  bool own_start = true;
};

std::string example(const SampleTable& table, std::uint32_t prompt) {
  constexpr std::size_t kShown = 40;
  const std::string& text = table.prompts[prompt];
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

// How many of the steps from `first` on each prompt stands at.
std::unordered_map<std::uint32_t, std::size_t> occurrences(const SampleTable& table,
                                                           std::size_t first) {
  std::unordered_map<std::uint32_t, std::size_t> counts;
  for (const SampleGroup& group : table.groups) counts[group.prompt] += group.step >= first ? 1 : 0;
  return counts;
}

void number(Basis& basis, Trajectory& run, std::uint32_t prompt) {
  const auto next = static_cast<std::uint32_t>(run.prompts.size());
  if (basis.numbers.emplace(prompt, next).second) run.prompts.push_back(prompt);
}

Basis choose_basis(const SampleTable& table, std::size_t first, Trajectory& run) {
  Basis basis;
  const auto starts = table.at_step(first);
  for (const SampleGroup& group : starts) basis.starts.emplace(group.prompt, &group);
  const auto counts = occurrences(table, first);
  const std::size_t steps = table.steps.size() - first;
  std::vector<std::uint32_t> common;
  for (const SampleGroup& group : starts) {
    if (counts.at(group.prompt) == steps) common.push_back(group.prompt);
  }
  std::size_t used = 0;  // prompts that stand anywhere from the start on
  const std::uint32_t* strange = nullptr;
  for (const auto& [prompt, count] : counts) {
    used += count > 0 ? 1 : 0;
    const bool has_none = count > 0 && !basis.starts.contains(prompt);
    if (has_none && (strange == nullptr || prompt < *strange)) strange = &prompt;
  }
  // Of one prompt alone there is nothing that differs.
  if ((common.size() >= 2 || used == 1) && 2 * common.size() >= starts.size()) {
    for (const std::uint32_t prompt : common) number(basis, run, prompt);
    if (used > common.size()) {
      run.warnings.push_back(fmt::format(
          "Prompts differ between steps: measured are the {} that stand at every step; {} others "
          "are left out.",
          common.size(), used - common.size()));
    }
    return basis;
  }
  run.complete = false;
  basis.own_start = strange == nullptr;
  for (const SampleGroup& group : table.groups) {
    if (group.step >= first) number(basis, run, group.prompt);
  }
  run.warnings.push_back(
      basis.own_start
          ? "Prompts differ between steps: each is measured against its own start, and points of "
            "different steps are of different prompts."
          : fmt::format("Prompts differ between steps, and some have no samples of the start, as "
                        "\"{}\": rewards are relative to the mean of the start, whose own error is "
                        "in no interval. Sample the same prompts at every step.",
                        example(table, *strange)));
  return basis;
}

struct MeanKl {
  KlSource source = KlSource::kNone;
  std::optional<double> mean, error;
};

// The mean over prompts and its standard error.
MeanKl mean_kl(const std::vector<double>& column, std::span<const SampleGroup> groups,
               const Basis& basis, KlSource source) {
  std::vector<double> means;
  for (const SampleGroup& group : groups) {
    const double mean = measured_mean(column, group.begin, group.end);
    if (basis.numbers.contains(group.prompt) && !std::isnan(mean)) means.push_back(mean);
  }
  if (means.empty()) return {};
  const auto n = static_cast<double>(means.size());
  double sum = 0, squares = 0;
  for (const double value : means) sum += value;
  for (const double value : means) squares += (value - sum / n) * (value - sum / n);
  MeanKl kl{source, sum / n, std::nullopt};
  if (means.size() > 1) kl.error = std::sqrt(squares / (n - 1) / n);
  return kl;
}

TrajectoryPoint run_point(const SampleTable& table, std::size_t place, const Basis& basis) {
  TrajectoryPoint point{.at = table.steps[place]};
  const auto groups = table.at_step(place);
  MeanKl kl = mean_kl(table.kl, groups, basis, KlSource::kExact);
  if (!kl.mean) kl = mean_kl(table.k1, groups, basis, KlSource::kEstimate);
  point.source = kl.source;
  point.kl = kl.mean;
  point.kl_error = kl.error;
  if (kl.mean && *kl.mean >= 0) point.d = std::sqrt(*kl.mean);
  std::vector<SampleGroup> measured;
  for (const SampleGroup& group : groups) {
    if (basis.numbers.contains(group.prompt)) measured.push_back(group);
  }
  for (const SampleGroup& group : measured) point.samples += group.end - group.begin;
  point.tokens = mean_over(measured, table.tokens);
  point.ended = mean_over(measured, table.ended);
  return point;
}

void add_cells(const SampleTable& table, std::size_t place, const Basis& basis, Trajectory& run) {
  const auto point = static_cast<std::uint32_t>(run.points.size() - 1);
  for (const SampleGroup& group : table.at_step(place)) {
    const auto number = basis.numbers.find(group.prompt);
    if (number == basis.numbers.end()) continue;
    const SampleGroup* start = basis.own_start ? basis.starts.at(group.prompt) : nullptr;
    const auto gain = [&](const std::vector<double>& column, std::optional<double> start_mean) {
      const double own = measured_mean(column, group.begin, group.end);
      if (start == nullptr) return own - start_mean.value_or(kNone);
      return own - measured_mean(column, start->begin, start->end);
    };
    const auto missing = [&](const std::vector<double>& column) {
      return missing_in(column, group) + (start == nullptr ? 0 : missing_in(column, *start));
    };
    run.cells.push_back({point, number->second, gain(table.proxy, run.start.proxy),
                         gain(table.gold, run.start.gold), gain(table.tokens, run.start.tokens),
                         accuracy_of(table, group), missing(table.proxy), missing(table.gold)});
  }
}

void warn_of_distances(const SampleTable& table, std::size_t first, const Basis& basis,
                       Trajectory& run) {
  std::size_t none = 0, estimates = 0, negative = 0;
  for (const TrajectoryPoint& point : run.points) {
    none += point.source == KlSource::kNone ? 1 : 0;
    estimates += point.source == KlSource::kEstimate ? 1 : 0;
    negative += point.kl && !point.d ? 1 : 0;
  }
  if (none > 0) {
    run.warnings.push_back(fmt::format(
        "{} of {} steps have neither \"kl\" nor both log-probabilities: they have no place on the "
        "axis and enter no curve.",
        none, run.points.size()));
  }
  if (estimates > 0) {
    run.warnings.push_back(fmt::format(
        "The distance of {} of {} steps is an estimate, the mean of k1 (log-probability less the "
        "reference's): its error is in no interval.",
        estimates, run.points.size()));
  }
  if (negative > 0) {
    run.warnings.push_back(
        fmt::format("The estimated KL of {} steps is below 0: these steps enter "
                    "no curve; where that is chance, more samples help.",
                    negative));
  }
  const TrajectoryPoint start = run_point(table, first, basis);
  if (start.source == KlSource::kExact && *start.kl > 1e-6) {
    run.start_d = std::sqrt(*start.kl);
    run.warnings.push_back(fmt::format(
        "Step {} is {:.3g} nats from the reference: d is measured from the reference, rewards from "
        "that step.",
        table.steps[first], *start.kl));
  }
}

}  // namespace

std::string_view kl_source_name(KlSource source) {
  constexpr std::string_view kNames[] = {"none", "exact", "upper bound", "estimate"};
  return kNames[static_cast<std::size_t>(source)];
}

Result<Trajectory> best_of_n_trajectory(const SampleTable& table, std::size_t step) {
  const auto place = place_of(table, step);
  if (!place) return bad(fmt::format("there are no samples of step {}", step));
  const Pools pools = pools_of(table, table.at_step(*place));
  if (pools.samples == 0) return bad("no sample has a proxy reward to choose the best by");
  if (pools.samples < 4) {
    return bad(fmt::format("step {} has {} sample{} a prompt; four or more are needed", step,
                           pools.samples, pools.samples == 1 ? "" : "s"));
  }
  if (pools.groups.size() < 2) return bad("there is one prompt; two or more are needed");
  Trajectory best;
  best.kind = TrajectoryKind::kBestOfN;
  const auto n = stats::powers_of_two(pools.samples);
  bool ties = false;
  std::vector<std::vector<double>> proxy, gold, tokens;
  for (const SampleGroup& group : pools.groups) {
    best.prompts.push_back(group.prompt);
    proxy.push_back(best_of(table, group, table.proxy, n, ties));
    gold.push_back(best_of(table, group, table.gold, n, ties));
    tokens.push_back(best_of(table, group, table.tokens, n, ties));
  }
  best.points = best_of_n_points(n, ties);
  best.start = start_of(table, pools.groups);
  for (std::uint32_t k = 1; k < n.size(); ++k) {
    for (std::uint32_t p = 0; p < pools.groups.size(); ++p) {
      const auto gain = [&](const auto& values) { return values[p][k] - values[p][0]; };
      const SampleGroup& group = pools.groups[p];
      best.cells.push_back({k - 1, p, gain(proxy), gain(gold), gain(tokens), kNone,
                            missing_in(table.proxy, group), missing_in(table.gold, group)});
    }
  }
  if (pools.left_out > 0) {
    best.warnings.push_back(
        fmt::format("{} prompts have fewer than half as many samples as most, and are left out.",
                    pools.left_out));
  }
  return best;
}

Result<Trajectory> run_trajectory(const SampleTable& table, std::size_t start) {
  const auto first = place_of(table, start);
  if (!first) {
    return bad(
        fmt::format("there are no samples of step {}, the start that rewards are relative "
                    "to; there are steps {}; --start names another",
                    start, steps_of(table)));
  }
  if (*first + 1 == table.steps.size()) return bad(fmt::format("no step follows step {}", start));
  Trajectory run;
  const Basis basis = choose_basis(table, *first, run);
  std::vector<SampleGroup> starts;
  for (const SampleGroup& group : table.at_step(*first)) {
    if (basis.numbers.contains(group.prompt)) starts.push_back(group);
  }
  run.start = start_of(table, starts);
  if (!run.start.proxy && !run.start.gold) {
    return bad(fmt::format("step {} has neither proxy nor gold rewards", start));
  }
  for (std::size_t place = *first + 1; place < table.steps.size(); ++place) {
    run.points.push_back(run_point(table, place, basis));
    add_cells(table, place, basis, run);
  }
  warn_of_distances(table, *first, basis, run);
  return run;
}

Curve curve_of(const Trajectory& trajectory, Quantity quantity, std::string name) {
  Curve curve;
  curve.name = std::move(name);
  curve.shifted = true;
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  for (const Cell& cell : trajectory.cells) {
    const std::optional<double>& d = trajectory.points[cell.point].d;
    const double reward = quantity == Quantity::kGold ? cell.gold : cell.proxy;
    if (!d || *d == 0 || std::isnan(reward)) continue;
    curve.d.push_back(*d);
    curve.reward.push_back(reward);
    const auto next = static_cast<std::uint32_t>(numbers.size());
    curve.cluster.push_back(numbers.emplace(cell.prompt, next).first->second);
  }
  curve.prompts = numbers.size();
  return curve;
}

}  // namespace plumb::mismatch
