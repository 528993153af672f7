#include "plumb/mismatch/links/swap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "plumb/mismatch/links/rows.h"
#include "plumb/mismatch/measure/sample_checks.h"
#include "plumb/mismatch/measure/trajectory.h"
#include "plumb/stats/hierarchical.h"

namespace plumb::mismatch {
namespace {

using stats::Counts;
using stats::Score;
using stats::undefined;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// The gains of each prompt along a path, the start (0) first.
struct Arm {
  std::vector<double> at;  // steps, or n
  std::unordered_map<std::string, std::size_t> prompts;
  std::vector<double> proxy, gold;  // [prompts, points]

  std::size_t points() const { return at.size(); }
};

Arm arm_of(const SampleTable& table, const Trajectory& path, double first) {
  Arm arm;
  arm.at.push_back(first);
  for (const TrajectoryPoint& point : path.points) arm.at.push_back(static_cast<double>(point.at));
  for (const std::uint32_t prompt : path.prompts) {
    arm.prompts.emplace(table.prompts[prompt], arm.prompts.size());
  }
  arm.proxy.assign(path.prompts.size() * arm.points(), kNone);
  arm.gold = arm.proxy;
  for (std::size_t p = 0; p < path.prompts.size(); ++p) {
    arm.proxy[p * arm.points()] = arm.gold[p * arm.points()] = 0;
  }
  for (const Cell& cell : path.cells) {
    const std::size_t place = cell.prompt * arm.points() + cell.point + 1;
    arm.proxy[place] = cell.proxy;
    arm.gold[place] = cell.gold;
  }
  return arm;
}

// The samples of one step, chosen from by gold.
SampleTable by_gold(const SampleTable& table, std::size_t step) {
  SampleTable pool;
  pool.file = table.file;
  pool.prompts = table.prompts;
  pool.steps = {step};
  const auto place = std::ranges::lower_bound(table.steps, step) - table.steps.begin();
  for (SampleGroup group : table.at_step(static_cast<std::size_t>(place))) {
    const std::size_t begin = pool.proxy.size();
    for (std::size_t i = group.begin; i < group.end; ++i) {
      pool.proxy.push_back(table.gold[i]);
      pool.gold.push_back(table.gold[i]);
      pool.tokens.push_back(table.tokens[i]);
      pool.kl.push_back(kNone);
      pool.k1.push_back(kNone);
      pool.ended.push_back(table.ended[i]);
    }
    pool.groups.push_back({0, group.prompt, begin, pool.proxy.size()});
  }
  return pool;
}

// Mean gains over the prompts of a resample.
struct Means {
  std::vector<double> proxy, gold;
};

// An arm's prompts in the order in which all arms have them.
struct Shared {
  const Arm* arm = nullptr;
  std::vector<std::size_t> rows;

  Means means(Counts counts) const {
    Means means{std::vector<double>(arm->points()), std::vector<double>(arm->points())};
    double all = 0;
    for (std::size_t p = 0; p < rows.size(); ++p) {
      const double w = counts[p];
      if (w == 0) continue;
      all += w;
      for (std::size_t k = 0; k < arm->points(); ++k) {
        means.proxy[k] += w * arm->proxy[rows[p] * arm->points() + k];
        means.gold[k] += w * arm->gold[rows[p] * arm->points() + k];
      }
    }
    for (double& value : means.proxy) value /= all;
    for (double& value : means.gold) value /= all;
    return means;
  }
};

double value_at(std::span<const double> values, double place) {
  const auto low = static_cast<std::size_t>(place);
  if (low + 1 >= values.size()) return values.back();
  const double share = place - static_cast<double>(low);
  return (1 - share) * values[low] + share * values[low + 1];
}

// Where a rising path first reaches a level, between its points; its end where it does not.
double place_of(std::span<const double> values, double level) {
  for (std::size_t k = 1; k < values.size(); ++k) {
    if (values[k] < level) continue;
    const double rise = values[k] - values[k - 1];
    const double share = rise > 0 ? std::clamp((level - values[k - 1]) / rise, 0.0, 1.0) : 1;
    return static_cast<double>(k - 1) + share;
  }
  return static_cast<double>(values.size() - 1);
}

// Of a step between those of an arm.
double place_of_step(std::span<const double> steps, double step) { return place_of(steps, step); }

enum Column { kReward, kOptimiser, kEvaluation, kRemainder, kTotal, kColumns };

struct Arms {
  Shared run, best, best_by_gold, gold_run, relabelled;  // the last two may have no arm
};

// Where run and best of n have gained equally by the proxy.
struct Meeting {
  double run, best, proxy;
};

tl::expected<Meeting, stats::Undefined> meeting_of(const Means& run, const Means& best) {
  const double end = run.proxy.back();
  const double top = *std::ranges::max_element(best.proxy);
  if (!(end > 0)) return undefined("the run's proxy did not rise");
  if (!(top > 0)) return undefined("best of n does not raise the proxy");
  if (end <= top) {
    return Meeting{static_cast<double>(run.proxy.size() - 1), place_of(best.proxy, end), end};
  }
  return Meeting{place_of(run.proxy, top), place_of(best.proxy, top), top};
}

void fill(const Arms& arms, Counts counts, std::span<Score> row) {
  const Means run = arms.run.means(counts), best = arms.best.means(counts);
  const auto meeting = meeting_of(run, best);
  if (!meeting) {
    std::ranges::fill(row, Score(tl::unexpected(meeting.error())));
    return;
  }
  const double step = value_at(arms.run.arm->at, meeting->run);
  const double pre = value_at(run.gold, meeting->run), pbe = value_at(best.gold, meeting->best);
  const double gbe = value_at(arms.best_by_gold.means(counts).gold, meeting->best);
  row[kOptimiser] = pbe - pre;
  const bool labels = arms.relabelled.arm != nullptr, trained = arms.gold_run.arm != nullptr;
  row[kReward] = gbe - pbe;
  if (trained) {
    const double place = place_of_step(arms.gold_run.arm->at, step);
    row[kReward] = value_at(arms.gold_run.means(counts).gold, place) - pre;
  }
  double lost = 0;
  row[kEvaluation] = undefined("the run's samples were not labelled anew");
  if (labels) {
    const double place = place_of_step(arms.relabelled.arm->at, step);
    lost = pre - value_at(arms.relabelled.means(counts).gold, place);
    row[kEvaluation] = lost;
  }
  row[kTotal] = gbe - pre + lost;
  row[kRemainder] = trained
                        ? Score(gbe - pre - *row[kReward] - *row[kOptimiser])
                        : Score(undefined("no run against the gold: the reward model was swapped "
                                          "under best of n"));
}

// Prompts that every arm has, without a gap.
std::vector<std::string> shared_prompts(std::span<const Arm* const> arms) {
  std::vector<std::string> shared;
  const auto whole = [](const Arm& arm, const std::string& prompt) {
    const auto found = arm.prompts.find(prompt);
    if (found == arm.prompts.end()) return false;
    const auto row = std::span(arm.gold).subspan(found->second * arm.points(), arm.points());
    return std::ranges::none_of(row, [](double value) { return std::isnan(value); });
  };
  for (const auto& entry : arms[0]->prompts) {
    const std::string& prompt = entry.first;
    if (std::ranges::all_of(arms, [&](const Arm* arm) { return whole(*arm, prompt); })) {
      shared.push_back(prompt);
    }
  }
  std::ranges::sort(shared, {}, [&](const auto& prompt) { return arms[0]->prompts.at(prompt); });
  return shared;
}

Shared in_order(const Arm* arm, std::span<const std::string> prompts) {
  Shared shared{arm, {}};
  if (arm == nullptr) return shared;
  for (const std::string& prompt : prompts) shared.rows.push_back(arm->prompts.at(prompt));
  return shared;
}

struct Paths {
  std::vector<Arm> arms;  // run, best, best by gold, then those that there are
  const Arm* gold_run = nullptr;
  const Arm* relabelled = nullptr;
};

Result<Paths> paths_of(const SwapInputs& inputs) {
  Paths paths;
  paths.arms.reserve(5);
  PLUMB_TRY(run, run_trajectory(*inputs.run, inputs.start));
  const SampleTable& drawn = inputs.pool != nullptr ? *inputs.pool : *inputs.run;
  PLUMB_TRY(best, best_of_n_trajectory(drawn, inputs.start));
  const SampleTable pool = by_gold(drawn, inputs.start);
  PLUMB_TRY(ideal, best_of_n_trajectory(pool, inputs.start));
  const auto first = static_cast<double>(inputs.start);
  paths.arms.push_back(arm_of(*inputs.run, run, first));
  paths.arms.push_back(arm_of(drawn, best, 1));
  paths.arms.push_back(arm_of(pool, ideal, 1));
  const std::pair<const SampleTable*, const Arm**> others[] = {
      {inputs.gold_run, &paths.gold_run}, {inputs.relabelled, &paths.relabelled}};
  for (const auto& [table, arm] : others) {
    if (table == nullptr) continue;
    auto path = run_trajectory(*table, inputs.start);
    if (!path) {
      return fail(path.error().kind, fmt::format("{}: {}", table->file, path.error().message));
    }
    paths.arms.push_back(arm_of(*table, *path, first));
    *arm = &paths.arms.back();
  }
  return paths;
}

void add_place(const Arms& arms, SwapReport& report) {
  const std::vector<std::uint32_t> once(report.prompts, 1);
  const Means run = arms.run.means(once), best = arms.best.means(once);
  const auto meeting = meeting_of(run, best);
  if (!meeting) return;
  report.proxy_gain = meeting->proxy;
  report.step = value_at(arms.run.arm->at, meeting->run);
  report.n = value_at(arms.best.arm->at, meeting->best);
  if (meeting->run + 1 < static_cast<double>(run.proxy.size())) {
    report.notes.push_back(fmt::format(
        "Best of {:.0f} gains less of the proxy than the run's end: both are compared where the "
        "run has gained as much, near step {:.0f}.",
        arms.best.arm->at.back(), report.step));
  }
}

// Samples that lack gold: said of each input; too many: nothing is swapped.
void check_gold(const SwapInputs& inputs, SwapReport& report) {
  const std::pair<const char*, const SampleTable*> tables[] = {{"", inputs.run},
                                                               {"gold run: ", inputs.gold_run},
                                                               {"pool: ", inputs.pool},
                                                               {"new labels: ", inputs.relabelled}};
  for (const auto& [name, table] : tables) {
    if (table == nullptr) continue;
    const auto missing = missing_fields(*table, inputs.start);
    const auto gold = std::ranges::find(missing, "gold", &MissingField::field);
    if (gold == missing.end() || gold->missing == 0) continue;
    const std::string told =
        fmt::format("{}{} of {} samples lack gold", name, gold->missing, gold->samples);
    if (gold->too_much() && table != inputs.relabelled) {
      report.reason = fmt::format("{}, more than {:.0f} % of a step's", told, 100 * kMostMissing);
      return;
    }
    report.notes.push_back(fmt::format("Swap tests: {}; gains are of the rest.", told));
  }
}

}  // namespace

SwapReport swap_tests(const SwapInputs& inputs, const stats::BootstrapOptions& options) {
  SwapReport report;
  check_gold(inputs, report);
  if (!report.reason.empty()) return report;
  auto paths = paths_of(inputs);
  if (!paths) {
    report.reason = paths.error().message;
    return report;
  }
  std::vector<const Arm*> all;
  for (const Arm& arm : paths->arms) all.push_back(&arm);
  const auto prompts = shared_prompts(all);
  report.prompts = prompts.size();
  if (prompts.size() < 2) {
    report.reason =
        fmt::format("{} prompt{} with gold at every point of every run; two or more are needed",
                    prompts.size(), prompts.size() == 1 ? "" : "s");
    return report;
  }
  const Arms arms{in_order(all[0], prompts), in_order(all[1], prompts), in_order(all[2], prompts),
                  in_order(paths->gold_run, prompts), in_order(paths->relabelled, prompts)};
  const auto statistics = [&](Counts counts, std::span<Score> row) { fill(arms, counts, row); };
  const auto draws = stats::paired_bootstrap(stats::Resampling::of_items(prompts.size()), kColumns,
                                             statistics, options);
  constexpr const char* kNames[] = {"reward model", "optimiser", "evaluation", "remainder",
                                    "total"};
  const stats::BootstrapOptions expanded = stats::expanded(options, prompts.size());
  for (std::size_t c = 0; c < kColumns; ++c) {
    const auto result = stats::summarize(draws, c, expanded);
    const bool varies = !result.interval || result.interval->low < result.interval->high;
    report.stages.push_back(
        {kNames[c], {result.point, varies ? result.interval : undefined(kNothingVaries)}});
  }
  add_place(arms, report);
  return report;
}

}  // namespace plumb::mismatch
