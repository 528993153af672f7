#include "plumb/tasks/plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plumb/tasks/testing.h"

namespace plumb::tasks {
namespace {

using testing::random_task;

constexpr std::size_t kItems[] = {50}, kOneRater[] = {1};

Task classification() {
  Stream stream(7, "plan test", 0);
  return random_task(Kind::kClassification, 300, stream);
}

// Independent items, one annotator: the score is a share, whose standard error is known.
TEST(Plan, AgreesWithTheBinomialWhereItemsAreAllThatVaries) {
  const PlanOptions options{
      .human = 0.8, .model = 0.8, .correlation = 0, .annotator_sd = 0, .studies = 4000};
  const auto plan = plan_study(classification(), kItems, kOneRater, options);
  ASSERT_TRUE(plan) << plan.error().message;
  const double error = std::sqrt(0.8 * 0.2 / 50);
  // The Monte Carlo error of a standard deviation from 4,000 studies is about 1 %.
  EXPECT_NEAR(plan->rows[0].human_half_width, 1.96 * error, 0.05 * 1.96 * error);
  const double detectable = (1.96 + 0.8416) * std::sqrt(2.0) * error;
  EXPECT_NEAR(plan->rows[0].detectable, detectable, 0.05 * detectable);
  EXPECT_NEAR(plan->chance, 1.0 / 3, 0.02);
}

TEST(Plan, IndependentAnnotatorsAreWorthAsMuchAsItems) {
  const PlanOptions options{
      .human = 0.8, .model = 0.8, .correlation = 0, .annotator_sd = 0, .studies = 4000};
  const std::size_t items[] = {50, 200}, raters[] = {1, 4};
  const auto plan = plan_study(classification(), items, raters, options);
  ASSERT_TRUE(plan);
  const double half = plan->rows[0].human_half_width / 2;
  EXPECT_NEAR(plan->rows[1].human_half_width, half, 0.06 * half);  // 50 items, 4 raters
  EXPECT_NEAR(plan->rows[2].human_half_width, half, 0.06 * half);  // 200 items, 1 rater
}

TEST(Plan, CopiesOfOneAnnotatorAreWorthNothing) {
  const PlanOptions options{
      .human = 0.8, .model = 0.8, .correlation = 1, .annotator_sd = 0, .studies = 2000};
  const std::size_t raters[] = {1, 5};
  Stream stream(7, "plan test", 0);
  // Ratings: without guesses, everyone of one skill answers the same.
  const auto plan = plan_study(random_task(Kind::kSts, 300, stream), kItems, raters, options);
  ASSERT_TRUE(plan);
  EXPECT_NEAR(plan->rows[1].human_half_width, plan->rows[0].human_half_width,
              0.1 * plan->rows[0].human_half_width);
  EXPECT_NEAR(plan->rows[0].detectable, 0, 1e-9);
}

TEST(Plan, AnnotatorsWhoDifferSetAFloor) {
  const PlanOptions options{
      .human = 0.7, .model = 0.7, .correlation = 0.3, .annotator_sd = 0.1, .studies = 1000};
  const std::size_t items[] = {2000};
  const auto plan = plan_study(classification(), items, kOneRater, options);
  ASSERT_TRUE(plan);
  EXPECT_NEAR(plan->rows[0].human_half_width, 0.196, 0.02);
}

TEST(Plan, SimulatesEveryKindInTheSameBytesWithAnyNumberOfThreads) {
  const std::size_t items[] = {20, 40}, raters[] = {1, 2};
  for (const Kind kind : kKinds) {
    Stream stream(7, "plan test", 1);
    const Task task = random_task(kind, 60, stream);
    PlanOptions options{.human = 0.75, .model = 0.75, .studies = 60};
    options.threads = 1;
    const auto one = plan_study(task, items, raters, options);
    options.threads = 2;
    const auto two = plan_study(task, items, raters, options);
    ASSERT_TRUE(one) << kind_name(kind) << ": " << one.error().message;
    ASSERT_TRUE(two);
    for (std::size_t r = 0; r < one->rows.size(); ++r) {
      EXPECT_GT(one->rows[r].human_half_width, 0) << kind_name(kind);
      EXPECT_EQ(one->rows[r].human_half_width, two->rows[r].human_half_width);
      EXPECT_EQ(one->rows[r].detectable, two->rows[r].detectable);
    }
    EXPECT_LT(one->rows[2].human_half_width, one->rows[0].human_half_width) << kind_name(kind);
  }
}

Task ratings_of_two_values() {
  Stream stream(7, "plan test", 0);
  Task task = random_task(Kind::kSts, 200, stream);
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    task.items[i].gold = {static_cast<double>(i % 2)};
  }
  return task;
}

// Untied ratings correlate with two values of gold by sqrt(3)/2 = 0.866 at most, so that a rater of
// 0.9 cannot be made by noise alone.
TEST(Plan, ReachesEveryScoreOnGoldOfFewValues) {
  const std::size_t items[] = {50, 200};
  for (const double human : {0.7, 0.88, 0.9}) {
    const PlanOptions options{.human = human, .model = human, .annotator_sd = 0.04};
    const auto plan = plan_study(ratings_of_two_values(), items, kOneRater, options);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_LT(plan->rows[1].human_half_width, plan->rows[0].human_half_width) << human;
    EXPECT_GT(plan->rows[1].human_half_width, 1.96 * 0.04) << human;
  }
}

TEST(Plan, KnowsExactlyWhatGuessingEarnsACorrelation) {
  const auto plan = plan_study(ratings_of_two_values(), kItems, kOneRater, {.studies = 2});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_NEAR(plan->chance, 0, 1e-12);
}

TEST(Plan, RefusesScoresThatNobodyEarns) {
  const auto low = plan_study(classification(), kItems, kOneRater, {.human = 0.2});
  ASSERT_FALSE(low);
  EXPECT_EQ(low.error().kind, ErrorKind::kUsage);
  EXPECT_NE(low.error().message.find("guessing"), std::string::npos);
  Task task = classification();
  for (Item& item : task.items) item.gold = {};
  EXPECT_EQ(plan_study(task, kItems, kOneRater, {}).error().kind, ErrorKind::kBadInput);
}

}  // namespace
}  // namespace plumb::tasks
