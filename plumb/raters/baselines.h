// Trivial raters: what an answer without knowledge of the texts earns. They are rows of every table
// of scores; a rater that does not beat them has shown nothing.
//
//   for (const auto& baseline : baselines_of(task)) baseline->answer(task, {.seed = 1});
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/tasks/rater.h"

namespace plumb::raters {

// random           every kind: uniform on the scale, over the labels, over the groups (as many as
//                  the task or its gold has), over the orders, over A and B; 10 runs
// constant         one answer for every item: the scale's middle, the first label, equal scores, A
// majority         classification: the most frequent label of the training items
// one-cluster, singletons              clustering
// longest, shortest                    preference: by characters of the completion; reranking: of
//                                      the document
// Those that suit the task, in this order.
std::vector<std::unique_ptr<tasks::Rater>> baselines_of(const tasks::Task& task);

// One of them by its name, "random" or "baseline/random". kNotFound: none of that name suits this
// kind of task.
Result<std::unique_ptr<tasks::Rater>> make_baseline(std::string_view name, const tasks::Task& task);

}  // namespace plumb::raters
