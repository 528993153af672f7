// An answer sheet: what one rater answered to the items of one task.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/tasks/task.h"

namespace plumb::tasks {

enum class RaterKind {
  kPerson,
  kModel,
  kLlm,
  kRewardModel,
  kBaseline,
  kSimulated,
  kAdjudicated,  // what somebody decided where people disagreed; nobody's answer
};

// "person", "model", "llm", "reward model", "baseline", "simulated", "adjudicated"
std::string_view rater_kind_name(RaterKind kind);
std::optional<RaterKind> parse_rater_kind(std::string_view name);

// Whether people are compared with raters of this kind: neither trivial answers nor decisions.
bool is_compared(RaterKind kind);

// One rater's answers. Where a protocol draws at random (a probe trained on ten draws, k-means from
// many starts) a rater has a sheet a run, and its score is the mean over them.
struct AnswerSheet {
  std::string rater;  // name or pseudonym
  RaterKind kind = RaterKind::kPerson;
  int run = 0;
  std::vector<std::optional<Answer>> answers = {};  // [items] as the task has them; nullopt: none
  std::size_t refused = 0;           // answers that were asked for and refused or could not be read
  Json provenance = Json::object();  // how they came about: model, prompt, protocol, seed

  std::size_t answered() const {
    std::size_t count = 0;
    for (const auto& answer : answers) count += answer.has_value() ? 1 : 0;
    return count;
  }
};

}  // namespace plumb::tasks
