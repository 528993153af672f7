#include "plumb/tasks/consensus.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "plumb/stats/correlation.h"

namespace plumb::tasks {
namespace {

// The answers that this item has.
std::vector<const Answer*> answers_to(std::span<const AnswerSheet* const> sheets,
                                      std::size_t item) {
  std::vector<const Answer*> answers;
  for (const AnswerSheet* sheet : sheets) {
    if (sheet->answers[item]) answers.push_back(&*sheet->answers[item]);
  }
  return answers;
}

// Sums first, so that equal means of whole numbers are equal to the last bit and stay tied.
Answer mean_answer(const std::vector<const Answer*>& answers, bool ranked) {
  Answer mean(answers.front()->size());
  for (const Answer* answer : answers) {
    const Answer values = ranked ? stats::average_ranks(*answer) : *answer;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += values[i];
  }
  for (double& value : mean) value /= static_cast<double>(answers.size());
  return mean;
}

// Shares of `places` options; the leaders share the vote, or the one with the first name has it.
Answer vote(const std::vector<const Answer*>& answers, std::size_t places,
            const std::vector<std::string>& names, VoteRule rule) {
  Answer votes(places);
  for (const Answer* answer : answers) ++votes[static_cast<std::size_t>((*answer)[0])];
  const double most = *std::max_element(votes.begin(), votes.end());
  std::vector<std::size_t> leaders;
  for (std::size_t i = 0; i < places; ++i) {
    if (votes[i] == most) leaders.push_back(i);
  }
  if (rule == VoteRule::kAlphabetical) {
    leaders = {*std::min_element(leaders.begin(), leaders.end(), [&](std::size_t a, std::size_t b) {
      return names[a] < names[b];
    })};
  }
  Answer shares(places);
  for (const std::size_t leader : leaders) {
    shares[leader] = 1 / static_cast<double>(leaders.size());
  }
  return shares;
}

const std::vector<std::string>& choice_names() {
  static const std::vector<std::string> names = {"A", "B", "tie", "both bad"};
  return names;
}

Answer together(const Task& task, const std::vector<const Answer*>& answers, VoteRule rule) {
  if (task.kind == Kind::kClassification && task.labels.size() > 1) {
    return vote(answers, task.labels.size(), task.labels, rule);
  }
  if (task.kind == Kind::kPreference) return vote(answers, 4, choice_names(), rule);
  return mean_answer(answers, task.kind == Kind::kReranking);
}

}  // namespace

tl::expected<AnswerSheet, stats::Undefined> consensus(const Task& task,
                                                      std::span<const AnswerSheet* const> sheets,
                                                      VoteRule rule) {
  if (sheets.empty()) return stats::undefined("there are no raters");
  if (task.kind == Kind::kClustering) return stats::undefined("partitions have no consensus");
  AnswerSheet sheet;
  sheet.rater = "consensus";
  sheet.kind = sheets.front()->kind;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const auto answers = answers_to(sheets, i);
    sheet.answers.push_back(answers.empty() ? std::nullopt
                                            : std::optional(together(task, answers, rule)));
  }
  return sheet;
}

}  // namespace plumb::tasks
