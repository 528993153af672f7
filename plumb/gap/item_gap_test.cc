#include "plumb/gap/item_gap.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <algorithm>
#include <fstream>

#include "plumb/base/json.h"
#include "plumb/tasks/part.h"
#include "plumb/tasks/testing.h"

namespace plumb::gap {
namespace {

using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Task;
using tasks::testing::sheet_of;
using tasks::testing::task_of;

ItemComparison compare(const Task& task, const std::vector<AnswerSheet>& sheets,
                       const ItemGapOptions& options = {.sampling = {.resamples = 500}}) {
  const auto comparison = compare_raters(task, sheets, options);
  EXPECT_TRUE(comparison) << (comparison ? "" : comparison.error().message);
  return comparison.value_or(ItemComparison{});
}

const RaterRow& row_of(const ItemComparison& comparison, const std::string& name) {
  const auto found = std::find_if(comparison.rows.begin(), comparison.rows.end(),
                                  [&](const RaterRow& row) { return row.name == name; });
  EXPECT_NE(found, comparison.rows.end()) << name;
  return *found;
}

AnswerSheet model_of(AnswerSheet sheet, std::string name) {
  sheet.kind = tasks::RaterKind::kModel;
  sheet.rater = std::move(name);
  return sheet;
}

AnswerSheet random_sheet(const Task& task, std::string name, std::uint64_t seed) {
  Stream stream(seed, "sheet", 0);
  AnswerSheet sheet = sheet_of({}, std::move(name));
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    sheet.answers.emplace_back(tasks::testing::random_answer(task.kind, stream));
  }
  return sheet;
}

// ---- calibration of ratings

Task rated(std::size_t golds) {
  Task task = task_of(Kind::kSts, {{1}, {3}, {5}});
  for (std::size_t i = golds; i < task.items.size(); ++i) task.items[i].gold.clear();
  return task;
}

// By hand: 2, 3 and 5 lie 1, 0 and 0 above the gold; the line through them rises by 6 / 8.
TEST(Calibration, IsOfTheItemsThatHaveAGold) {
  const std::vector<AnswerSheet> people = {sheet_of({{{2}}, {{3}}, {{5}}}, "ann"),
                                           sheet_of({{{1}}, {{4}}, {{5}}}, "bob")};
  const auto all = compare(rated(3), people).calibrations;
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "ann");
  EXPECT_NEAR(all[0].bias, 1.0 / 3, 1e-12);
  EXPECT_NEAR(all[0].slope, 6.0 / 8, 1e-12);
  EXPECT_NEAR(all[0].mse, 1.0 / 3, 1e-12);
  const auto two = compare(rated(2), people).calibrations;
  ASSERT_EQ(two.size(), 2U);
  EXPECT_NEAR(two[0].bias, 0.5, 1e-12);
  EXPECT_TRUE(compare(rated(1), people).calibrations.empty());
  EXPECT_TRUE(compare(rated(0), people).calibrations.empty());
}

// ---- items that not everybody answered

Task of_two_labels(std::size_t items) {
  std::vector<tasks::Answer> golds;
  for (std::size_t i = 0; i < items; ++i) golds.push_back({static_cast<double>(i % 2)});
  return task_of(Kind::kClassification, golds);
}

// Twelve items. People answer the first four and are right on all; a model is right on these too,
// and wrong on the others; another answers two of the four, and errs on one.
TEST(ItemGap, ComparesOnTheItemsThatBothAnswered) {
  const Task task = of_two_labels(12);
  AnswerSheet person = sheet_of({}, "a"), first = sheet_of({}, "wide"),
              second = sheet_of({}, "narrow");
  for (std::size_t i = 0; i < 12; ++i) {
    const tasks::Answer right = task.items[i].gold, wrong = {1 - right[0]};
    person.answers.emplace_back(i < 4 ? std::optional(right) : std::nullopt);
    first.answers.emplace_back(i < 4 ? right : wrong);
    second.answers.emplace_back(i < 2 ? std::optional(i == 0 ? right : wrong) : std::nullopt);
  }
  const auto comparison =
      compare(task, {person, model_of(first, "wide"), model_of(second, "narrow")});
  EXPECT_NEAR(*row_of(comparison, "wide").score, 4.0 / 12, 1e-12);
  EXPECT_EQ(*row_of(comparison, "wide").gap, 0);
  EXPECT_EQ(row_of(comparison, "wide").gap_items, 4U);
  EXPECT_EQ(*row_of(comparison, "narrow").gap, 0.5);
  EXPECT_EQ(row_of(comparison, "narrow").gap_items, 2U);
  EXPECT_EQ(comparison.warnings.back(),
            "people and raters did not all answer the same items: a difference is on those that "
            "both answered, 2 to 4 of 12");
}

TEST(ItemGap, OfRatersWithoutACommonItemIsNone) {
  const Task task = of_two_labels(4);
  AnswerSheet person = sheet_of({}, "a"), other = sheet_of({}, "b");
  for (std::size_t i = 0; i < 4; ++i) {
    const std::optional<tasks::Answer> right = task.items[i].gold;
    person.answers.push_back(i < 2 ? right : std::nullopt);
    other.answers.push_back(i < 2 ? std::nullopt : right);
  }
  const auto comparison = compare(task, {person, model_of(other, "m")});
  EXPECT_FALSE(row_of(comparison, "m").gap);
  EXPECT_FALSE(row_of(comparison, "m").verdict);
}

// What is on the shared items alone is what comparing those items alone gives.
TEST(ItemGap, OnSharedItemsIsThatOfATaskOfThem) {
  rc::check([](std::uint8_t kind) {
    Stream stream(3, "task", kind);
    const Task task = tasks::testing::random_task(static_cast<Kind>(kind % 5), 12, stream);
    AnswerSheet person = random_sheet(task, "a", 1), model = random_sheet(task, "m", 2);
    model.kind = tasks::RaterKind::kModel;
    std::vector<std::size_t> shared;
    for (std::size_t i = 0; i < 12; ++i) {
      if (i % 3 == 0) person.answers[i].reset();
      if (i % 4 == 0) model.answers[i].reset();
      if (i % 3 != 0 && i % 4 != 0) shared.push_back(i);
    }
    const auto whole = compare(task, {person, model});
    const auto part = compare(tasks::part_of(task, shared),
                              {tasks::part_of(person, shared), tasks::part_of(model, shared)});
    RC_ASSERT(row_of(whole, "m").gap == row_of(part, "m").gap);
    RC_ASSERT(row_of(whole, "m").gap_ci.has_value() == row_of(part, "m").gap_ci.has_value());
    if (const auto& ci = row_of(whole, "m").gap_ci) {
      RC_ASSERT(ci->low == row_of(part, "m").gap_ci->low);
      RC_ASSERT(ci->high == row_of(part, "m").gap_ci->high);
    }
  });
}

// ---- data sets with every single annotator's answers

struct Annotated {
  Task task;
  std::vector<AnswerSheet> people;
};

Json shared_json(const std::string& name) {
  std::ifstream file("../shared/data/annotators/" + name);
  return file ? Json::parse(file) : Json();
}

Annotated paraphrases(const Json& data) {
  Annotated result;
  result.task.kind = Kind::kSts;
  result.task.name = "paraphrases";
  result.task.scale = tasks::Scale{-5, 5};
  for (const char* name : {"Ann1", "Ann2", "Ann3", "Ann4"}) {
    result.people.push_back(sheet_of({}, name));
  }
  for (const auto& [id, entry] : data.items()) {
    double sum = 0;
    for (AnswerSheet& person : result.people) {
      const double rating = std::stod(entry["annotations"][person.rater].get<std::string>());
      person.answers.emplace_back(tasks::Answer{rating});
      sum += rating;
    }
    result.task.items.push_back(
        {id, {entry["text"]["Question1"], entry["text"]["Question2"]}, {sum / 4}});
  }
  return result;
}

Annotated hate_speech(const Json& data, std::size_t annotators) {
  Annotated result;
  result.task.kind = Kind::kClassification;
  result.task.name = "hate speech";
  result.task.labels = {"0", "1"};
  for (std::size_t a = 1; a <= annotators; ++a) {
    result.people.push_back(sheet_of({}, fmt::format("Ann{}", a)));
  }
  for (const auto& [id, entry] : data.items()) {
    const std::string answers = entry["annotations"];  // "0,1,0,0,0,0"
    for (std::size_t a = 0; a < annotators; ++a) {
      result.people[a].answers.emplace_back(tasks::Answer{answers[2 * a] - '0' + 0.0});
    }
    const std::string gold = entry["hard_label"];
    result.task.items.push_back({id, {entry["text"]}, {std::stod(gold)}});
  }
  return result;
}

// Le-Wi-Di paraphrase, training part. Origin of the figures: NumPy and
// scipy.stats.spearmanr 1.10.1; the intervals from 4,000 resamples of items and annotators there.
TEST(CompareRaters, EqualsAnIndependentCalculationOnRatedParaphrases) {
  const Json data = shared_json("lewidi-paraphrase/Paraphrase_train.json");
  if (data.is_null()) GTEST_SKIP() << "../shared/data is absent";
  const Annotated annotated = paraphrases(data);
  const auto comparison =
      compare(annotated.task, annotated.people, {.sampling = {.resamples = 4000}});
  const double expected[] = {0.9098746050406841, 0.8787828692349275, 0.6995971959773679,
                             0.9085868054118247};
  for (std::size_t a = 0; a < 4; ++a) {
    EXPECT_NEAR(*row_of(comparison, fmt::format("Ann{}", a + 1)).score, expected[a], 1e-12);
  }
  const RaterRow& human = row_of(comparison, "human");
  EXPECT_NEAR(*human.score, 0.8492103689162012, 1e-12);
  EXPECT_NEAR(human.ci->low, 0.7483, 0.01);
  EXPECT_NEAR(human.ci->high, 0.9135, 0.004);
  EXPECT_NEAR(*comparison.human_ceiling, 0.7568083318703823, 1e-12);
  EXPECT_NEAR(*comparison.noise_ceiling, 0.9431315496044791, 1e-12);
}

// HS-Brexit, training part. Origin of the figures: NumPy; 20,000 and 5,000 resamples there.
TEST(CompareRaters, EqualsAnIndependentCalculationOnLabelledTweets) {
  const Json data = shared_json("HS-Brexit_dataset/HS-Brexit_train.json");
  if (data.is_null()) GTEST_SKIP() << "../shared/data is absent";
  const Annotated annotated = hate_speech(data, 6);
  const auto comparison =
      compare(annotated.task, annotated.people, {.sampling = {.resamples = 4000}});
  const RaterRow& human = row_of(comparison, "human");
  EXPECT_NEAR(*human.score, 0.9036989795918368, 1e-12);
  EXPECT_NEAR(human.ci->low, 0.8680, 0.003);
  EXPECT_NEAR(human.ci->high, 0.9332, 0.003);
  EXPECT_NEAR(*row_of(comparison, "consensus").score, 0.9630102040816326, 1e-12);
  ASSERT_TRUE(comparison.agreement);
  EXPECT_NEAR(comparison.agreement->value, 0.3457243149407535, 1e-12);
  EXPECT_NEAR(comparison.agreement->ci->low, 0.2978, 0.005);
  EXPECT_NEAR(comparison.agreement->ci->high, 0.3920, 0.005);
  EXPECT_FALSE(comparison.warnings.empty());
}

// ArMIS, training part: three annotators of opposed views. Origin of the figures: NumPy, alpha by
// its coincidences; 20,000 resamples there.
TEST(CompareRaters, EqualsAnIndependentCalculationOnArabicTweets) {
  const Json data = shared_json("ArMIS_dataset/ArMIS_train.json");
  if (data.is_null()) GTEST_SKIP() << "../shared/data is absent";
  const Annotated annotated = hate_speech(data, 3);
  const auto comparison =
      compare(annotated.task, annotated.people, {.sampling = {.resamples = 4000}});
  const RaterRow& human = row_of(comparison, "human");
  EXPECT_NEAR(*human.score, 0.8863521055301877, 1e-12);
  EXPECT_NEAR(human.ci->low, 0.8498, 0.003);
  EXPECT_NEAR(human.ci->high, 0.9229, 0.003);
  EXPECT_NEAR(*row_of(comparison, "consensus").score, 1, 1e-12);
  ASSERT_TRUE(comparison.agreement);
  EXPECT_NEAR(comparison.agreement->value, 0.530405319121766, 1e-12);
  EXPECT_NEAR(comparison.agreement->ci->low, 0.4804, 0.005);
  EXPECT_NEAR(comparison.agreement->ci->high, 0.5789, 0.005);
}

// ---- what holds for every kind

TEST(CompareRaters, GivesTheSameBytesWithAnyNumberOfThreads) {
  for (const Kind kind : tasks::kKinds) {
    Stream stream(5, "threads", 0);
    const Task task = tasks::testing::random_task(kind, 20, stream);
    const std::vector<AnswerSheet> sheets = {random_sheet(task, "a", 1), random_sheet(task, "b", 2),
                                             model_of(random_sheet(task, "m", 3), "m")};
    const auto one = compare(task, sheets, {.sampling = {.resamples = 300, .threads = 1}});
    const auto two = compare(task, sheets, {.sampling = {.resamples = 300, .threads = 2}});
    ASSERT_EQ(one.rows.size(), two.rows.size());
    for (std::size_t r = 0; r < one.rows.size(); ++r) {
      ASSERT_EQ(one.rows[r].ci.has_value(), two.rows[r].ci.has_value());
      if (!one.rows[r].ci) continue;
      EXPECT_EQ(one.rows[r].ci->low, two.rows[r].ci->low) << kind_name(kind);
      EXPECT_EQ(one.rows[r].ci->high, two.rows[r].ci->high);
    }
  }
}

TEST(CompareRaters, TakesHumanAsTheMeanOverSingleAnnotators) {
  for (const Kind kind : tasks::kKinds) {
    Stream stream(6, "mean", 0);
    const Task task = tasks::testing::random_task(kind, 30, stream);
    const auto comparison = compare(task, {random_sheet(task, "a", 1), random_sheet(task, "b", 2)});
    EXPECT_NEAR(*row_of(comparison, "human").score,
                (*row_of(comparison, "a").score + *row_of(comparison, "b").score) / 2, 1e-12);
  }
}

TEST(CompareRaters, FindsNoGapBetweenEqualAnswers) {
  Stream stream(7, "equal", 0);
  const Task task = tasks::testing::random_task(Kind::kReranking, 20, stream);
  const AnswerSheet person = random_sheet(task, "person", 1);
  const auto comparison = compare(task, {person, model_of(person, "model")});
  const RaterRow& model = row_of(comparison, "model");
  EXPECT_EQ(*model.gap, 0);
  EXPECT_EQ(model.gap_ci->low, 0);
  EXPECT_EQ(model.gap_ci->high, 0);
  EXPECT_EQ(model.verdict, Verdict::kNotSeparable);
}

std::vector<std::optional<tasks::Answer>> golds(const Task& task) {
  std::vector<std::optional<tasks::Answer>> answers;
  for (const tasks::Item& item : task.items) answers.emplace_back(item.gold);
  return answers;
}

TEST(CompareRaters, SaysWhoIsAhead) {
  Stream stream(8, "ahead", 0);
  const Task task = tasks::testing::random_task(Kind::kClassification, 60, stream);
  const AnswerSheet right = sheet_of(golds(task), "right");
  const auto behind = compare(task, {right, model_of(random_sheet(task, "m", 4), "m")});
  EXPECT_EQ(row_of(behind, "m").verdict, Verdict::kHumanAhead);
  const auto ahead = compare(task, {random_sheet(task, "p", 4), model_of(right, "m")});
  EXPECT_EQ(row_of(ahead, "m").verdict, Verdict::kModelAhead);
}

TEST(CompareRaters, InterpretsNoGapWhereATrivialAnswerDoesAsWell) {
  Stream stream(9, "trivial", 0);
  const Task task = tasks::testing::random_task(Kind::kClassification, 60, stream);
  AnswerSheet trivial = random_sheet(task, "p", 4);
  trivial.rater = "baseline/constant";
  trivial.kind = tasks::RaterKind::kBaseline;
  const auto comparison =
      compare(task, {random_sheet(task, "p", 4), trivial, model_of(sheet_of(golds(task)), "m")});
  EXPECT_EQ(row_of(comparison, "m").verdict, Verdict::kNotInterpretable);
  ASSERT_EQ(comparison.warnings.size(), 1U);
  EXPECT_TRUE(comparison.warnings[0].starts_with("baseline/constant does as well as people"));
}

// Two votes for "y" and two for "x": alphabetical takes "x", expectation half of each.
TEST(CompareRaters, ScoresVotesByThePublishedRuleWhenAsked) {
  const Task task = task_of(Kind::kClassification, {{0}, {1}});
  const std::vector<AnswerSheet> people = {sheet_of({tasks::Answer{0}, tasks::Answer{0}}, "a"),
                                           sheet_of({tasks::Answer{1}, tasks::Answer{1}}, "b")};
  EXPECT_EQ(*row_of(compare(task, people), "consensus").score, 0.5);
  const auto published = compare(task, people, {.sampling = {.resamples = 200}, .published = true});
  EXPECT_EQ(*row_of(published, "human").score, 0.5);  // "x" twice: right once
  const Task both = task_of(Kind::kClassification, {{0}, {0}});
  EXPECT_EQ(
      *row_of(compare(both, people, {.sampling = {.resamples = 200}, .published = true}), "human")
           .score,
      1);
  EXPECT_EQ(*row_of(compare(both, people), "consensus").score, 0.5);
}

// Marks tie: scikit-learn gives .1429 for one wrong mark of 7, the expectation is .2655.
TEST(CompareRaters, ScoresMarksByThePublishedRuleWhenAsked) {
  const Task task = task_of(Kind::kReranking, {{1, 0, 0, 0, 0, 0, 0}});
  const std::vector<AnswerSheet> people = {sheet_of({tasks::Answer{0, 1, 0, 0, 0, 0, 0}}, "a")};
  EXPECT_NEAR(*row_of(compare(task, people), "human").score, 0.2655, 5e-5);
  EXPECT_NEAR(*row_of(compare(task, people, {.published = true}), "human").score, 0.1429, 5e-5);
}

TEST(CompareRaters, LeavesOutWhatAnAnnotatorDidNotAnswer) {
  const Task task = task_of(Kind::kClassification, {{0}, {1}, {2}, {0}});
  const auto comparison = compare(
      task, {sheet_of({tasks::Answer{0}, std::nullopt, std::nullopt, tasks::Answer{1}}, "half")});
  EXPECT_EQ(*row_of(comparison, "half").score, 0.5);
  EXPECT_EQ(row_of(comparison, "half").items, 2U);
}

TEST(CompareRaters, CountsTheRunsOfOneModelAsOneRow) {
  Stream stream(10, "runs", 0);
  const Task task = tasks::testing::random_task(Kind::kClassification, 40, stream);
  std::vector<AnswerSheet> runs;
  for (int run = 0; run < 3; ++run) {
    runs.push_back(model_of(random_sheet(task, "m", static_cast<std::uint64_t>(run)), "m"));
    runs.back().run = run;
  }
  const auto comparison = compare(task, runs);
  ASSERT_EQ(comparison.rows.size(), 1U);
  EXPECT_EQ(comparison.rows[0].sheets, 3U);
  EXPECT_TRUE(comparison.rows[0].spread);
  EXPECT_FALSE(comparison.rows[0].gap);  // there are no people
}

TEST(CompareRaters, RefusesToCompareNothing) {
  const auto comparison = compare_raters(task_of(Kind::kSts, {{1}}), {}, {});
  ASSERT_FALSE(comparison);
  EXPECT_EQ(comparison.error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace plumb::gap
