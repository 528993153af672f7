#include "plumb/stats/classification.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

namespace plumb::stats {
namespace {

using Labels = std::vector<int>;

TEST(Classification, AgreesWithScikitLearn) {
  std::ifstream file("tests/golden/labels.json");
  ASSERT_TRUE(file) << "run from the repository root";
  const auto golden = nlohmann::json::parse(file);
  for (const auto& c : golden["cases"]) {
    const auto table = confusion(c["gold"].get<Labels>(), c["answers"].get<Labels>());
    ASSERT_TRUE(table);
    EXPECT_EQ(table->counts, c["confusion"].get<std::vector<double>>());
    EXPECT_NEAR(accuracy(*table), c["accuracy"], 1e-14);
    const ClassScores macro = macro_average(*table), weighted = weighted_average(*table);
    EXPECT_NEAR(macro.precision, c["macro"][0], 1e-14);
    EXPECT_NEAR(macro.recall, c["macro"][1], 1e-14);
    EXPECT_NEAR(macro.f1, c["macro"][2], 1e-14);
    EXPECT_NEAR(weighted.precision, c["weighted"][0], 1e-14);
    EXPECT_NEAR(weighted.recall, c["weighted"][1], 1e-14);
    EXPECT_NEAR(weighted.f1, c["weighted"][2], 1e-14);
  }
}

TEST(Classification, ScoresEachClassByHand) {
  const auto table = confusion(Labels{0, 0, 1, 1}, Labels{0, 1, 1, 4});
  ASSERT_TRUE(table);
  EXPECT_EQ(table->labels, (Labels{0, 1, 4}));
  const auto classes = per_class(*table);
  EXPECT_DOUBLE_EQ(classes[0].precision, 1);
  EXPECT_DOUBLE_EQ(classes[0].recall, 0.5);
  EXPECT_DOUBLE_EQ(classes[1].f1, 0.5);
  EXPECT_DOUBLE_EQ(classes[2].recall, 0);  // no gold item
}

TEST(Classification, IsUndefinedWithAReason) {
  EXPECT_EQ(confusion(Labels{}, Labels{}).error().reason, "there are no items");
  EXPECT_EQ(confusion(Labels{1}, Labels{}).error().reason, "gold and answers differ in length");
  EXPECT_EQ(confusion(Labels{1}, Labels{-1}).error().reason, "a label is negative");
}

RC_GTEST_PROP(Classification, WeightedRecallIsAccuracyAndRenamingClassesChangesNothing, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 30);
  const auto labels = rc::gen::container<Labels>(size, rc::gen::inRange(0, 4));
  const Labels gold = *labels, answers = *labels;
  const auto table = confusion(gold, answers);
  RC_ASSERT(std::abs(weighted_average(*table).recall - accuracy(*table)) < 1e-14);
  const auto rename = [](Labels names) {
    for (int& name : names) name = 7 - 2 * name;
    return names;
  };
  const auto renamed = confusion(rename(gold), rename(answers));
  RC_ASSERT(accuracy(*renamed) == accuracy(*table));
  RC_ASSERT(std::abs(macro_average(*renamed).f1 - macro_average(*table).f1) < 1e-14);
}

TEST(Confusion, CountsEachPairByItsWeight) {
  const auto table =
      confusion(std::vector{0, 0, 1, 2}, std::vector{0, 1, 1, 1}, std::vector{1.0, 0.5, 0.5, 0.0});
  EXPECT_EQ(table->labels, (std::vector{0, 1}));  // label 2 does not occur
  EXPECT_EQ(table->counts, (std::vector{1.0, 0.5, 0.0, 0.5}));
  EXPECT_EQ(accuracy(*table), 0.75);
}

}  // namespace
}  // namespace plumb::stats
