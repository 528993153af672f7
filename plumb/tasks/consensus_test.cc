#include "plumb/tasks/consensus.h"

#include <gtest/gtest.h>

#include "plumb/tasks/testing.h"

namespace plumb::tasks {
namespace {

using testing::sheet_of;
using testing::task_of;

// The consensus on the one item of a task.
Answer together(const Task& task, const std::vector<std::optional<Answer>>& answers,
                VoteRule rule = VoteRule::kExpectation) {
  std::vector<AnswerSheet> sheets;
  for (const auto& answer : answers) sheets.push_back(sheet_of({answer}));
  std::vector<const AnswerSheet*> pointers;
  for (const AnswerSheet& sheet : sheets) pointers.push_back(&sheet);
  const auto made = consensus(task, pointers, rule);
  EXPECT_TRUE(made);
  return made->answers[0].value_or(Answer{});
}

TEST(Consensus, IsTheMeanOfRatings) {
  const Task task = task_of(Kind::kSts, {{1}});
  EXPECT_EQ(together(task, {Answer{1}, std::nullopt, Answer{4}}), (Answer{2.5}));
}

TEST(Consensus, KeepsEqualMeansTied) {
  const Task task = task_of(Kind::kSts, {{1}});
  EXPECT_EQ(together(task, {Answer{1}, Answer{0}, Answer{4}}),
            together(task, {Answer{4}, Answer{1}, Answer{0}}));
  EXPECT_EQ(together(task, {Answer{-1}, Answer{2}, Answer{3}}),
            together(task, {Answer{5}, Answer{-5}, Answer{4}}));
}

TEST(Consensus, SharesATiedVoteAmongItsLeaders) {
  const Task task = task_of(Kind::kClassification, {{1}});
  const std::vector<std::optional<Answer>> tied = {Answer{2}, Answer{0}, Answer{0}, Answer{2}};
  EXPECT_EQ(together(task, tied), (Answer{0.5, 0, 0.5}));
  EXPECT_EQ(together(task, tied, VoteRule::kAlphabetical), (Answer{1, 0, 0}));
  EXPECT_EQ(together(task, {Answer{2}, Answer{0}, Answer{2}}), (Answer{0, 0, 1}));
}

TEST(Consensus, RanksDocumentsByTheirMeanRank) {
  const Task task = task_of(Kind::kReranking, {{1, 0, 0}});
  EXPECT_EQ(together(task, {Answer{900, 5, 1}, Answer{0, 1, 0}}), (Answer{2.25, 2.5, 1.25}));
}

TEST(Consensus, DoesNotExistForPartitionsOrNobody) {
  const AnswerSheet sheet = sheet_of({Answer{0}});
  const std::vector<const AnswerSheet*> one = {&sheet};
  EXPECT_FALSE(consensus(task_of(Kind::kClustering, {{0}}), one));
  EXPECT_FALSE(consensus(task_of(Kind::kSts, {{0}}), {}));
}

}  // namespace
}  // namespace plumb::tasks
