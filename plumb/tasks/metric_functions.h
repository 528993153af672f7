// The functions behind scoring.h: for each metric of each kind, what turns the answered items of a
// sheet into a score, its chance level and, where the metric is a mean over items, their values.
// Used by scoring.cc alone; a new metric is a row of the table at the end of metric_functions.cc.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "plumb/stats/bootstrap.h"
#include "plumb/stats/ranking.h"
#include "plumb/stats/score.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

// The items of a task that have gold and an answer.
struct Answered {
  const Task* task;
  std::size_t cutoff;
  stats::TieRule ties;
  std::vector<std::size_t> items;      // places in the task
  std::vector<const Answer*> golds;    // [items]
  std::vector<const Answer*> answers;  // [items]
  std::vector<Answer> made;            // answers that stand for missing ones
};

// Of counts, as Scorer::score takes them.
using MetricFunction = std::function<stats::Score(stats::Counts)>;

struct ItemValues {
  std::vector<std::size_t> items;
  std::vector<double> values;
};

struct MetricFunctions {
  MetricFunction score, chance;
  ItemValues per_item;  // empty where the metric is no mean over items
};

struct MetricRow {
  std::string_view metric;  // of stats/metrics.h
  Kind kind;
  MetricFunctions (*make)(const Answered&);
};

// nullptr: no such metric of this kind.
const MetricRow* find_metric(Kind kind, std::string_view metric);

// The main one first.
std::vector<std::string_view> metrics_of(Kind kind);

}  // namespace plumb::tasks
