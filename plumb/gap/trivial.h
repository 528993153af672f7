// What answers without any reading get on a task of a published suite: the rows below which a score
// says nothing.
//
//   for (const TrivialAnswer& answer : trivial_answers(task)) ... answer.name, answer.score
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "plumb/tasks/suite.h"

namespace plumb::gap {

struct TrivialAnswer {
  std::string_view name;  // "random", "majority", "one cluster", "singletons"
  double score;           // expected, exact, in the task's own metric
};

// Classification: uniform guessing (1/k) and the most frequent class. Clustering, V-measure: random
// labels into as many groups as there are classes, one cluster, singletons. Reranking: the expected
// AP of a random order. STS: correlation 0. The first is the chance level. Empty for a type without
// one.
std::vector<TrivialAnswer> trivial_answers(const tasks::SuiteTask& task);

// The one with the highest score.
std::optional<TrivialAnswer> best_trivial_answer(const tasks::SuiteTask& task);

}  // namespace plumb::gap
