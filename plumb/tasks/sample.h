// A smaller task for people: items drawn so that the gold keeps its shape.
//
//   PLUMB_TRY(small, sample_task(task, {.items = 100, .seed = 1}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

enum class Strata {
  kGold,      // labels, groups and choices as often as in the task; ratings by fifths of the scale;
              // queries by their number of candidates
  kBalanced,  // the same strata, each as often as any other
  kNone,      // every item alike
};

struct SampleOptions {
  std::size_t items = 0;
  Strata strata = Strata::kGold;
  std::uint64_t seed = 0;
};

// The stratum of each item: two items of one stratum have the same name. [items]
std::vector<std::string> strata_of(const Task& task, Strata strata);

// The drawn items in the task's order, with all training items. Shares of the strata are rounded by
// largest remainder. kUsage: more items than the task has, or than a balanced stratum can give.
Result<Task> sample_task(const Task& task, const SampleOptions& options);

}  // namespace plumb::tasks
