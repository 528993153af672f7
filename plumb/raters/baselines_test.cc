#include "plumb/raters/baselines.h"

#include <gtest/gtest.h>

#include "plumb/tasks/scoring.h"
#include "plumb/tasks/testing.h"

namespace plumb::raters {
namespace {

using tasks::Kind;
using tasks::Task;

// The mean over its runs, under the main metric.
double mean_score(const Task& task, tasks::Rater& rater) {
  const auto sheets = rater.answer(task, {.seed = 1});
  EXPECT_TRUE(sheets);
  double sum = 0;
  for (const auto& sheet : sheets.value()) {
    sum += *tasks::Scorer::make(task, sheet, {})->score() / static_cast<double>(sheets->size());
  }
  return sum;
}

TEST(Baselines, SuitTheirKindOfTask) {
  for (const Kind kind : tasks::kKinds) {
    Stream stream(1, "baselines", 0);
    const Task task = tasks::testing::random_task(kind, 10, stream);
    const auto all = baselines_of(task);
    EXPECT_GE(all.size(), 2U) << kind_name(kind);
    for (const auto& baseline : all) {
      const auto sheets = baseline->answer(task, {.seed = 3});
      ASSERT_TRUE(sheets);
      for (const auto& sheet : *sheets) {
        EXPECT_EQ(sheet.answered(), 10U);
        EXPECT_TRUE(tasks::Scorer::make(task, sheet, {})) << baseline->name();
      }
    }
  }
}

TEST(Baselines, EarnWhatChanceEarns) {
  Stream stream(2, "baselines", 0);
  const Task labels = tasks::testing::random_task(Kind::kClassification, 300, stream);
  EXPECT_NEAR(mean_score(labels, **make_baseline("random", labels)), 1.0 / 3, 0.03);
  const Task pairs = tasks::testing::random_task(Kind::kSts, 300, stream);
  EXPECT_NEAR(mean_score(pairs, **make_baseline("baseline/random", pairs)), 0, 0.06);
}

// 30 texts, 6 classes of 5: V of singletons is 0.690 (Rosenberg and Hirschberg, by hand), of one
// cluster 0.
TEST(Baselines, OfClusteringHaveTheKnownV) {
  std::vector<tasks::Answer> golds;
  for (int i = 0; i < 30; ++i) golds.push_back({static_cast<double>(i / 5)});
  const Task task = tasks::testing::task_of(Kind::kClustering, golds);
  EXPECT_NEAR(mean_score(task, **make_baseline("singletons", task)), 0.690, 0.0005);
  EXPECT_EQ(mean_score(task, **make_baseline("one-cluster", task)), 0);
}

TEST(Baselines, AnswerTheMostFrequentTrainingLabel) {
  Task task = tasks::testing::task_of(Kind::kClassification, {{0}, {1}, {2}, {1}});
  EXPECT_FALSE(make_baseline("majority", task));
  task.train = task.items;
  EXPECT_EQ(mean_score(task, **make_baseline("majority", task)), 0.5);
}

TEST(Baselines, PreferTheLongerCompletionInCharacters) {
  Task task = tasks::testing::task_of(Kind::kPreference, {{0, 0}, {1, 0}});
  task.items[0].texts = {"p", "\u00e9\u00e9\u00e9", "abcd"};  // six bytes, three characters
  task.items[1].texts = {"p", "a", "b"};
  const auto longest = (*make_baseline("longest", task))->answer(task, {});
  EXPECT_EQ(longest->front().answers[0], (tasks::Answer{1, 0}));
  EXPECT_EQ(longest->front().answers[1], (tasks::Answer{2, 0}));
}

TEST(Baselines, AreNamedWhenOneIsUnknown) {
  const Task task = tasks::testing::task_of(Kind::kClustering, {{0}});
  EXPECT_EQ(make_baseline("longest", task).error().message,
            "no baseline \"longest\" for this clustering task; there are random, one-cluster, "
            "singletons");
}

}  // namespace
}  // namespace plumb::raters
