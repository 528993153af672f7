#include "plumb/study/units.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

using tasks::Kind;

TEST(Units, WhatIsShownAndStoredIsWhatWasAnswered) {
  Stream stream(2, "answers", 0);
  for (const Kind kind : {Kind::kPreference, Kind::kReranking}) {
    const tasks::Task task = testing::some_task(kind, 1);
    const Json body = units_of(task)->front().body;
    std::set<std::string> orders;
    for (std::int64_t annotator = 0; annotator < 200; ++annotator) {
      const Order order = draw_order(1, "first", annotator, 5, options_of(kind, body));
      orders.insert(order_text(order));
      Served served;
      served.kind = kind;
      served.body = shown_body(kind, body, order);
      const Json shown = testing::some_answer(served, stream);
      const Json stored = stored_answer(kind, shown, order);
      EXPECT_EQ(shown_answer(kind, stored, order), shown);
      if (kind != Kind::kReranking) continue;
      for (std::size_t place = 0; place < order.size(); ++place) {
        EXPECT_EQ(served.body["candidates"][place], body["candidates"][order[place]]);
        EXPECT_EQ(shown["grades"][place], stored["grades"][order[place]]);
      }
    }
    EXPECT_EQ(orders.size(), kind == Kind::kPreference ? 2U : 24U) << "every order occurs";
  }
}

TEST(Units, TheSameSeedAnnotatorAndItemHaveTheSameOrder) {
  EXPECT_EQ(draw_order(7, "first", 3, 9, 6), draw_order(7, "first", 3, 9, 6));
  EXPECT_NE(draw_order(7, "first", 3, 9, 6), draw_order(8, "first", 3, 9, 6));
  EXPECT_NE(draw_order(7, "first", 3, 9, 6), draw_order(7, "repeat", 3, 9, 6));
}

TEST(Units, AnswersAreCheckedAndBroughtIntoOneForm) {
  const tasks::Task task = testing::some_task(Kind::kReranking, 1);
  const Json body = units_of(task)->front().body;
  const auto refused = [&](const Json& answer) { return !checked_answer(task, body, answer); };
  EXPECT_TRUE(refused({{"grades", {1, 0}}}));
  EXPECT_TRUE(refused({{"grades", {1, 0, -1, 0}}}));
  EXPECT_TRUE(refused({{"grades", {1, 0, 0, 0}}, {"scores", {1, 0, 0, 0}}}));
  EXPECT_TRUE(refused({{"grades", "all"}}));
  EXPECT_EQ(to_text(*checked_answer(task, body, {{"grades", {1, 0, 0, 0}}, {"candidates", {1}}})),
            R"({"grades":[1.0,0.0,0.0,0.0]})");
  const Json extra = {{"grades", {1, 0, 0, 0}}, {"candidates", {"d", "c", "b", "a"}}};
  EXPECT_EQ(stored_answer(Kind::kReranking, extra, {3, 2, 1, 0})["grades"], Json({0, 0, 0, 1}));
}

TEST(Units, AllTextsOfAPoolAreSortedIntoNamedGroups) {
  const tasks::Task task = testing::some_task(Kind::kClustering, 3);
  const Unit pool = units_of(task)->front();
  EXPECT_EQ(pool.name, "pool");
  EXPECT_EQ(pool.gold["groups"].size(), 3U);
  const auto error_of = [&](const Json& groups) {
    const auto checked = checked_answer(task, pool.body, {{"groups", groups}});
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(error_of({{"i2", "x"}, {"i0", "x"}, {"i1", "y"}}), "");
  EXPECT_EQ(error_of({{"i0", "x"}, {"i1", "y"}}), "text \"i2\" is in no group");
  EXPECT_EQ(error_of({{"i0", "x"}, {"i1", "y"}, {"i2", "y"}, {"i9", "y"}}),
            "the pool has no text \"i9\"");
  EXPECT_NE(error_of({{"i0", ""}, {"i1", "y"}, {"i2", "y"}}), "");
  EXPECT_NE(error_of({{"i0", 1}, {"i1", "y"}, {"i2", "y"}}), "");
}

TEST(Units, GoldIsNotAmongWhatIsShown) {
  for (const Kind kind : tasks::kKinds) {
    const auto units = units_of(testing::some_task(kind, 5));
    ASSERT_TRUE(units);
    for (const Unit& unit : *units) {
      EXPECT_FALSE(unit.gold.is_null());
      for (const char* field : {"rating", "label", "group", "grades", "choice"}) {
        EXPECT_FALSE(unit.body.contains(field)) << kind_name(kind);
      }
    }
  }
}

TEST(CheckedAnswer, HasAStrengthOnlyWhereItPrefersASide) {
  tasks::Task task = testing::some_task(Kind::kPreference, 1);
  task.scale = tasks::Scale{1, 3};
  const Json body = units_of(task)->front().body;
  EXPECT_TRUE(checked_answer(task, body, {{"choice", "A"}, {"strength", 2}}));
  for (const char* choice : {"tie", "both bad"}) {
    EXPECT_TRUE(checked_answer(task, body, {{"choice", choice}}));
    const auto checked = checked_answer(task, body, {{"choice", choice}, {"strength", 2}});
    ASSERT_FALSE(checked) << choice;
    EXPECT_EQ(checked.error().message,
              fmt::format("\"{}\" prefers neither side, and has no \"strength\"", choice));
  }
}

}  // namespace
}  // namespace plumb::study
