// What several raters answer together.
#pragma once

#include <span>

#include "plumb/stats/score.h"
#include "plumb/tasks/answers.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

// How a vote that is tied becomes an answer.
enum class VoteRule {
  kExpectation,   // spread evenly over the labels that lead
  kAlphabetical,  // the first of them by name, as the published HUME scores have it
};

// The sheets of all raters as one: the mean rating or grade, the label or choice with most votes.
// Scores of a query count by their rank, so that no rater's range outweighs the others'. An item
// that nobody answered has no answer. Undefined: there are no sheets, or the task is a clustering:
// partitions have no mean.
tl::expected<AnswerSheet, stats::Undefined> consensus(const Task& task,
                                                      std::span<const AnswerSheet* const> sheets,
                                                      VoteRule rule = VoteRule::kExpectation);

}  // namespace plumb::tasks
