// Groups by k-means. probe.h says what the protocols do.
#pragma once

#include <vector>

#include "plumb/raters/probes/probe.h"

namespace plumb::raters {

// Sheets of a clustering task, see probe().
Result<std::vector<tasks::AnswerSheet>> cluster(const tasks::Task& task,
                                                const EmbeddedTask& embedded,
                                                const ProbeOptions& options,
                                                const tasks::RateOptions& rate);

}  // namespace plumb::raters
