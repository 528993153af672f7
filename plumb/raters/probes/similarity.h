// Answers by similarity alone: ratings, rankings, preferences. probe.h says what they mean.
#pragma once

#include <vector>

#include "plumb/raters/probes/probe.h"

namespace plumb::raters {

// The answer to each item. REQUIRES: the task's kind is STS, reranking or preference.
std::vector<tasks::Answer> similarity_answers(const tasks::Task& task, const EmbeddedTask& embedded,
                                              const ProbeOptions& options, int threads);

}  // namespace plumb::raters
