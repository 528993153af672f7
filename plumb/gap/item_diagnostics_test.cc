#include "plumb/gap/item_diagnostics.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "plumb/tasks/testing.h"

namespace plumb::gap {
namespace {

using tasks::Answer;
using tasks::AnswerSheet;
using tasks::Kind;
using tasks::RaterKind;
using tasks::testing::random_answer;
using tasks::testing::random_task;
using tasks::testing::sheet_of;
using tasks::testing::task_of;
using Places = std::vector<std::size_t>;

AnswerSheet sheet(RaterKind kind, std::string name, std::vector<std::optional<Answer>> answers) {
  AnswerSheet result = sheet_of(std::move(answers), std::move(name));
  result.kind = kind;
  return result;
}

ItemDiagnostics diagnose(const tasks::Task& task, const std::vector<AnswerSheet>& sheets) {
  const auto comparison = compare_raters(task, sheets, {.sampling = {.resamples = 100}});
  EXPECT_TRUE(comparison) << comparison.error().message;
  return diagnose_items(task, sheets, *comparison);
}

// Six texts; on the third everyone says 2 where the gold says 0, on the fourth models alone fail,
// on the fifth people alone; on the last people differ.
TEST(ItemDiagnostics, FindsTheItemsBehindAGapOfLabels) {
  const auto task = task_of(Kind::kClassification, {{0}, {1}, {0}, {1}, {2}, {2}});
  const auto found = diagnose(
      task, {sheet(RaterKind::kPerson, "ann", {{{0}}, {{1}}, {{2}}, {{1}}, {{0}}, {{2}}}),
             sheet(RaterKind::kPerson, "bob", {{{0}}, {{1}}, {{2}}, {{1}}, {{0}}, {{1}}}),
             sheet(RaterKind::kModel, "good", {{{0}}, {{1}}, {{2}}, {{0}}, {{2}}, {{2}}}),
             sheet(RaterKind::kBaseline, "trivial", {{{0}}, {{0}}, {{0}}, {{0}}, {{0}}, {{0}}})});
  EXPECT_EQ(found.good_models, std::vector<std::string>{"good"});
  EXPECT_EQ(found.disagreements, Places{5});
  EXPECT_EQ(found.likely_gold_errors, Places{2});
  EXPECT_EQ(found.people_ahead, Places{3});
  EXPECT_EQ(found.models_ahead, (Places{4, 5}));
  EXPECT_EQ(found.items[2].against_gold, 2);
  ASSERT_EQ(found.confusions.size(), 2U);
  EXPECT_EQ(found.confusions[0].counts[2], (std::vector<double>{2, 1, 1}));  // gold 2, both people
  EXPECT_EQ(found.confusions[1].counts[0], (std::vector<double>{1, 0, 1}));
}

TEST(ItemDiagnostics, AModelThatIsNoBetterThanATrivialAnswerIsNotAsked) {
  const auto task = task_of(Kind::kClassification, {{0}, {1}, {0}});
  const auto found =
      diagnose(task, {sheet(RaterKind::kPerson, "ann", {{{0}}, {{2}}, {{0}}}),
                      sheet(RaterKind::kModel, "poor", {{{1}}, {{2}}, {{1}}}),
                      sheet(RaterKind::kBaseline, "trivial", {{{0}}, {{0}}, {{0}}})});
  EXPECT_TRUE(found.good_models.empty());
  EXPECT_TRUE(found.likely_gold_errors.empty());
}

TEST(ItemDiagnostics, RatingsAreComparedByTheirRanks) {
  // The last pair is rated highest by everyone, lowest by the gold.
  const auto task = task_of(Kind::kSts, {{1}, {2}, {3}, {4}, {0}});
  const auto found =
      diagnose(task, {sheet(RaterKind::kPerson, "ann", {{{1}}, {{2}}, {{3}}, {{4}}, {{5}}}),
                      sheet(RaterKind::kPerson, "bob", {{{0}}, {{1}}, {{2}}, {{3}}, {{4}}}),
                      sheet(RaterKind::kModel, "m", {{{.1}}, {{.2}}, {{.3}}, {{.4}}, {{.9}}})});
  EXPECT_EQ(found.likely_gold_errors, Places{4});
  EXPECT_EQ(found.items[4].against_gold, 1);
  EXPECT_TRUE(found.disagreements.empty()) << "the ranks are the same";
  EXPECT_DOUBLE_EQ(*found.items[4].people, 0);
  EXPECT_DOUBLE_EQ(*found.items[0].people, 0.75);
}

TEST(ItemDiagnostics, PartitionsAreComparedByWhatAnItemIsPutWith) {
  // Gold: {0 1 2} {3 4 5}; everyone puts item 2 with 3, 4, 5.
  const auto task = task_of(Kind::kClustering, {{0}, {0}, {0}, {1}, {1}, {1}});
  const auto found =
      diagnose(task, {sheet(RaterKind::kPerson, "ann", {{{0}}, {{0}}, {{1}}, {{1}}, {{1}}, {{1}}}),
                      sheet(RaterKind::kPerson, "bob", {{{7}}, {{7}}, {{3}}, {{3}}, {{3}}, {{3}}}),
                      sheet(RaterKind::kModel, "m", {{{5}}, {{5}}, {{2}}, {{2}}, {{2}}, {{2}}})});
  EXPECT_EQ(found.likely_gold_errors, Places{2});
  EXPECT_EQ(found.items[2].against_gold, 1);
  EXPECT_TRUE(found.disagreements.empty()) << "names of groups mean nothing";
  EXPECT_DOUBLE_EQ(*found.items[0].people, 2 * 2.0 / (2 + 3));  // B-cubed by hand
  EXPECT_DOUBLE_EQ(*found.items[2].people, 2 * 1.0 / (4 + 3));
}

TEST(ItemDiagnostics, RankingsAreComparedByTheirFirstDocument) {
  const auto task = task_of(Kind::kReranking, {{1, 0, 0}, {0, 0, 1}});
  const auto found = diagnose(task, {sheet(RaterKind::kPerson, "ann", {{{3, 2, 1}}, {{1, 3, 2}}}),
                                     sheet(RaterKind::kPerson, "bob", {{{1, 2, 3}}, {{1, 3, 2}}}),
                                     sheet(RaterKind::kModel, "m", {{{3, 2, 1}}, {{1, 3, 2}}})});
  EXPECT_EQ(found.likely_gold_errors, Places{1});
  EXPECT_EQ(found.items[1].against_gold, 1);
  EXPECT_EQ(found.disagreements, Places{0});
  EXPECT_DOUBLE_EQ(*found.items[0].disagreement, 1) << "an order and its reverse";
  EXPECT_DOUBLE_EQ(*found.items[0].people, (1 + 1.0 / 3) / 2);
}

TEST(ItemDiagnostics, OneAnnotatorCannotDisagree) {
  const auto task = task_of(Kind::kPreference, {{0, 0}, {1, 0}});
  const auto found = diagnose(task, {sheet(RaterKind::kPerson, "ann", {{{0, 0}}, {{0, 0}}})});
  EXPECT_FALSE(found.items[0].disagreement);
  EXPECT_FALSE(found.items[0].models);
  EXPECT_TRUE(found.people_ahead.empty());
}

RC_GTEST_PROP(ItemDiagnostics, LieWithinTheirRangesAndIgnoreTheOrderOfAnnotators, ()) {
  Stream stream(*rc::gen::arbitrary<std::uint64_t>(), "diagnostics test", 0);
  const Kind kind = *rc::gen::element(Kind::kSts, Kind::kClassification, Kind::kClustering,
                                      Kind::kReranking, Kind::kPreference);
  const auto task = random_task(kind, 12, stream);
  std::vector<AnswerSheet> sheets;
  for (int s = 0; s < 5; ++s) {
    std::vector<std::optional<Answer>> answers;
    for (std::size_t i = 0; i < 12; ++i) {
      answers.push_back(random_answer(kind, stream));
      if (stream.below(5) == 0) answers.back().reset();
    }
    sheets.push_back(sheet(s < 3 ? RaterKind::kPerson : RaterKind::kModel, std::to_string(s),
                           std::move(answers)));
  }
  const auto found = diagnose(task, sheets);
  std::swap(sheets[0], sheets[2]);
  const auto again = diagnose(task, sheets);
  for (std::size_t i = 0; i < 12; ++i) {
    for (const auto& value :
         {found.items[i].disagreement, found.items[i].people, found.items[i].models}) {
      RC_ASSERT(value.value_or(0) >= 0);
      RC_ASSERT(value.value_or(0) <= 1 + 1e-12);
    }
    RC_ASSERT(found.items[i].against_gold == again.items[i].against_gold);
  }
  RC_ASSERT(found.likely_gold_errors == again.likely_gold_errors);
}

}  // namespace
}  // namespace plumb::gap
