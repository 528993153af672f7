// The gap so far: what people answered of a task against what models did, on the items that were
// answered. For researchers; annotators never see it.
#pragma once

#include <cstddef>
#include <span>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/study/review/sheets.h"
#include "plumb/study/study.h"

namespace plumb::server {

struct GapSoFarOptions {
  std::size_t most_items = 1000;  // of more a random sample, drawn from the study's seed
  std::size_t resamples = 500;
  double level = 0.95;
  int threads = 1;
};

// plumb.item-gap/1 (docs/formats.md) with "answered" (items with gold that people answered) and
// "sampled" (how many of them it is about); or {"task", "answered", "reason"} where there is
// nothing to compare.
Result<Json> gap_so_far(const study::Study& study, const study::StudyTask& task,
                        const GapSoFarOptions& options);

// The same of the sheets of some people.
Result<Json> gap_of(const study::Study& study, const study::StudyTask& task,
                    const study::TaskSheets& loaded, const GapSoFarOptions& options);

}  // namespace plumb::server
