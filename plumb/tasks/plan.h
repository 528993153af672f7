// What a study would show before anyone annotates: studies are simulated on the task's own gold,
// with its own metric, and the spread of their scores is what an interval has to cover.
//
//   PLUMB_TRY(plan, plan_study(task, {50, 100}, {1, 2, 3}, {.human = 0.8, .model = 0.8}));
//   for (const PlanRow& row : plan.rows) print(row.items, row.raters, row.half_width);
//
// A simulated rater knows an item, or guesses: with the probability that earns the score which is
// assumed of it (ratings and grades: the gold with as much normal noise; ratings on a scale of up
// to 20 steps go to the nearest). Items are harder or easier for everyone alike: what two raters
// know correlates by `correlation` (a normal copula). That is what makes a second annotator worth
// less than a second item, and a paired comparison worth more than two samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/tasks/scoring.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

struct PlanOptions {
  double human = 0.8;          // the expected score of one annotator
  double model = 0.8;          // of the model that people are compared with
  double correlation = 0.3;    // between raters, of what they know about an item: 0 to 1
  double annotator_sd = 0.05;  // standard deviation of the annotators' expected scores
  std::size_t studies = 1000;  // simulated for each row
  double level = 0.95;
  double power = 0.8;
  std::uint64_t seed = 0;
  int threads = 0;
  MetricOptions metric = {};
  Progress progress = {};
};

struct PlanRow {
  std::size_t items, raters;
  double human_half_width;    // of the interval of the human score
  double detectable;          // the least human-model difference that is found with the power
  std::size_t undefined = 0;  // studies whose score was: too few items
};

struct Plan {
  std::string metric;
  double chance = 0;          // what a rater who only guesses earns
  std::vector<PlanRow> rows;  // items by raters, in the order given
};

// Items beyond those of the task are drawn again and count as others. kBadInput: the task has no
// gold. kUsage: a score that no rater of the task can expect, no such metric.
Result<Plan> plan_study(const Task& task, std::span<const std::size_t> items,
                        std::span<const std::size_t> raters, const PlanOptions& options);

}  // namespace plumb::tasks
