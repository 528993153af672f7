#include "plumb/tasks/sample.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "plumb/tasks/testing.h"

namespace plumb::tasks {
namespace {

using testing::random_task;
using testing::task_of;

std::map<double, std::size_t> sizes(const Task& task) {
  std::map<double, std::size_t> result;
  for (const Item& item : task.items) ++result[item.gold[0]];
  return result;
}

TEST(Sample, KeepsTheSharesOfTheLabels) {
  std::vector<Answer> golds(60, {0});
  golds.resize(90, {1});
  golds.resize(100, {2});
  const Task task = task_of(Kind::kClassification, golds);
  const auto sample = sample_task(task, {.items = 20, .strata = Strata::kGold, .seed = 1});
  ASSERT_TRUE(sample);
  EXPECT_EQ(sizes(*sample), (std::map<double, std::size_t>{{0, 12}, {1, 6}, {2, 2}}));
  const auto balanced = sample_task(task, {.items = 21, .strata = Strata::kBalanced, .seed = 1});
  ASSERT_TRUE(balanced);
  EXPECT_EQ(sizes(*balanced), (std::map<double, std::size_t>{{0, 7}, {1, 7}, {2, 7}}));
}

TEST(Sample, SaysWhichStratumIsTooSmall) {
  const Task task = task_of(Kind::kClassification, {{0}, {0}, {0}, {1}});
  const auto sample = sample_task(task, {.items = 4, .strata = Strata::kBalanced, .seed = 1});
  ASSERT_FALSE(sample);
  EXPECT_EQ(sample.error().kind, ErrorKind::kUsage);
  EXPECT_NE(sample.error().message.find("there are 1"), std::string::npos);
  EXPECT_FALSE(sample_task(task, {.items = 5}));
  EXPECT_FALSE(sample_task(task, {.items = 0}));
}

TEST(Sample, RatingsAreStratifiedByFifthsOfTheScale) {
  const Task task = task_of(Kind::kSts, {{0}, {0.9}, {1}, {5}, {4.1}});
  EXPECT_EQ(strata_of(task, Strata::kGold),
            (std::vector<std::string>{"fifth 0", "fifth 0", "fifth 1", "fifth 4", "fifth 4"}));
}

RC_GTEST_PROP(Sample, IsAPartOfTheTaskInItsOrderWithinOneOfEveryShare, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "sample test", 0);
  const Kind kind = *rc::gen::element(Kind::kSts, Kind::kClassification, Kind::kClustering,
                                      Kind::kReranking, Kind::kPreference);
  const Task task = random_task(kind, 30, stream);
  const std::size_t items = *rc::gen::inRange<std::size_t>(1, 31);
  const auto sample = sample_task(task, {.items = items, .seed = 3});
  RC_ASSERT(sample.has_value());
  RC_ASSERT(sample->items.size() == items);
  std::size_t at = 0;
  for (const Item& item : sample->items) {
    while (at < task.items.size() && !(task.items[at] == item)) ++at;
    RC_ASSERT(at++ < task.items.size());
  }
  std::map<std::string, double> all, drawn;
  for (const auto& name : strata_of(task, Strata::kGold)) ++all[name];
  for (const auto& name : strata_of(*sample, Strata::kGold)) ++drawn[name];
  for (const auto& [name, count] : all) {
    const double share = count * static_cast<double>(items) / 30;
    RC_ASSERT(std::abs(drawn[name] - share) < 1);
  }
  RC_ASSERT(sample_task(task, {.items = items, .seed = 3}).value() == *sample);
}

}  // namespace
}  // namespace plumb::tasks
