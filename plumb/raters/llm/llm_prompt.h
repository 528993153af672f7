// What a language model is asked about the items of a task, and how its answer is read: the
// guideline or instruction that a person gets, the form that the answer must have, and the texts;
// never the gold.
//
//   const LlmQuestion question = ask_item(task, place, order_stream);
//   const LlmAnswer answer = read_item(task, question, "4.5");
//
// Nothing is guessed: an answer is what stands in the stated form, but for blanks around it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/tasks/task.h"

namespace plumb::raters {

// The answer by which a model says that it does not answer.
inline constexpr std::string_view kCannotTell = "cannot tell";

struct LlmQuestion {
  std::vector<std::size_t> items = {};  // places in the task; one, but for clustering
  // order[i]: which of the candidates, of A and B, is shown in place i; empty where one order makes
  // sense.
  std::vector<std::size_t> order = {};
  std::string prompt = {};
  std::string form = {};  // the part of the prompt that says how to answer
  std::size_t lines = 1;  // of an answer
};

enum class LlmOutcome { kAnswered, kRefused, kUnreadable };

struct LlmAnswer {
  LlmOutcome outcome = LlmOutcome::kUnreadable;
  tasks::Answer answer = {};
};

// Where the words come from that say what the task is: "guideline", "instruction", or "default",
// plumb's own, where the task has neither.
std::string_view instruction_source(const tasks::Task& task);

// The text that stands before the texts of every item of a kind but clustering.
std::string prompt_head(const tasks::Task& task);

// REQUIRES: not clustering. order: the candidates, and A and B, are shown in an order drawn from
// it. Grades without a scale go from 0 to 3.
LlmQuestion ask_item(const tasks::Task& task, std::size_t place, Stream& order);
LlmAnswer read_item(const tasks::Task& task, const LlmQuestion& question, std::string_view reply);

// Clustering: all texts in one request, in an order drawn at random, or in rounds of `most` texts,
// each of which is told the groups so far.
using LlmGroups = std::map<std::string, int>;
std::vector<std::vector<std::size_t>> cluster_rounds(const tasks::Task& task, std::size_t most,
                                                     Stream& order);
LlmQuestion ask_round(const tasks::Task& task, const std::vector<std::size_t>& places,
                      const LlmGroups& groups);

// answer: [places] the groups; `groups` grows by new names, unless the reply cannot be read.
LlmAnswer read_round(const tasks::Task& task, const LlmQuestion& question, std::string_view reply,
                     LlmGroups& groups);

}  // namespace plumb::raters
