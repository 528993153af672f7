#include "plumb/study/measure.h"

#include <gtest/gtest.h>

#include "plumb/study/create.h"
#include "plumb/study/testing.h"
#include "plumb/study/units.h"

namespace plumb::study {
namespace {

using tasks::Kind;

class Measure : public ::testing::Test {
 protected:
  Measure()
      : store_(*Store::open(folder_ / "studio.db",
                            {.mode = Store::Mode::kCreate, .clock = [this] { return now_; }})) {}

  // Answers everything by `answer_of`, in so many milliseconds.
  template <typename Function>
  void answer_all(const Study& study, const std::string& name, std::int64_t active_ms,
                  const Function& answer_of) {
    const auto annotator = study.enroll(name, tasks::RaterKind::kPerson)->id;
    while (auto served = study.next(annotator)->served) {
      const auto receipt = study.submit(annotator, {.slot = served->slot,
                                                    .key = fmt::format("{}", served->slot),
                                                    .answer = answer_of(*served),
                                                    .timing = {.active_ms = active_ms}});
      ASSERT_TRUE(receipt) << receipt.error().message;
    }
  }

  testing::Folder folder_;
  std::int64_t now_ = 1'700'000'000'000;
  std::unique_ptr<Store> store_;
};

// The number in an item's id.
int number_of(const Served& served) {
  const auto id = served.body["id"].get<std::string>();
  return std::stoi(id.substr(id.find('i') + 1));
}

Json label_of(int code) { return {{"label", std::string(1, static_cast<char>('x' + code % 3))}}; }

TEST_F(Measure, TheStatusReadsSlotsFromAnIndexAlone) {
  const Study study =
      *create_study(*store_, {.name = "demo", .tasks = {testing::some_task(Kind::kSts, 5)}});
  const std::int64_t task = study.tasks().front().id;
  for (const auto& [sql, values] : {std::pair(kUnitsSql, std::vector<Value>{task, std::int64_t{2}}),
                                    std::pair(kTimesSql, std::vector<Value>{task})}) {
    std::string plan;
    ASSERT_TRUE(store_->read_void([&, &sql = sql, &values = values](Connection& c) {
      return c.each(fmt::format("EXPLAIN QUERY PLAN {}", sql), values, [&plan](const Row& row) {
        plan += row.text(3) + "\n";
        return Result<void>();
      });
    }));
    EXPECT_NE(plan.find("slots USING COVERING INDEX slots_state"), std::string::npos) << plan;
  }
}

TEST_F(Measure, ProgressIsCountedByTaskAndByAnnotator) {
  const Study study = *create_study(
      *store_, {.name = "demo", .tasks = {testing::some_task(Kind::kSts, 5)}, .overlap = 2});
  const auto one = study.enroll("R1", tasks::RaterKind::kPerson)->id;
  const Served first = *study.next(one)->served;
  ASSERT_TRUE(study.submit(one, {first.slot, "a", {{"rating", 1}}, {}, true}));
  ASSERT_TRUE(study.skip(one, {study.next(one)->served->slot, "b", "unclear"}));
  ASSERT_TRUE(study.next(one)->served);
  const StudyStatus status = *study_status(study);
  EXPECT_FALSE(status.frozen);
  EXPECT_EQ(status.tasks[0].slots, 10);
  EXPECT_EQ(status.tasks[0].submitted, 1);
  EXPECT_EQ(status.tasks[0].leased, 1);
  EXPECT_EQ(status.tasks[0].open, 8);
  EXPECT_EQ(status.tasks[0].answered_units, 1);
  EXPECT_EQ(status.tasks[0].complete_units, 0);
  const AnnotatorStatus& annotator = status.annotators.at(0);
  EXPECT_EQ(annotator.answered, 1);
  EXPECT_EQ(annotator.skipped, 1);
  EXPECT_EQ(annotator.flagged, 1);
  EXPECT_EQ(annotator.holding, 1);
  EXPECT_EQ(annotator.last_ms, now_);
  EXPECT_FALSE(annotator.gold.value);
  EXPECT_EQ(annotator.gold.value.error().reason, "there were no checks");
}

TEST_F(Measure, QualityIsTheShareOfChecksThatWereAnsweredRight) {
  tasks::Task gold = testing::some_task(Kind::kClassification, 30);
  for (std::size_t i = 0; i < gold.items.size(); ++i) {
    gold.items[i].id = fmt::format("g{}", gold.items[i].id);
    gold.items[i].gold = {static_cast<double>(i % 3)};
  }
  const Study study =
      *create_study(*store_, {.name = "demo",
                              .tasks = {testing::some_task(Kind::kClassification, 60)},
                              .overlap = 2,
                              .gold = {gold},
                              .gold_rate = 0.3,
                              .repeat_rate = 0.2});
  answer_all(study, "good", 4000, [](const Served& served) { return label_of(number_of(served)); });
  int turn = 0;
  answer_all(study, "odd", 8000, [&turn](const Served& served) {
    const bool check = served.body["id"].get<std::string>().starts_with("g");
    return label_of(check ? number_of(served) + 1 : turn++);
  });
  const StudyStatus status = *study_status(study);
  const AnnotatorStatus& good = status.annotators.at(0);
  const AnnotatorStatus& odd = status.annotators.at(1);
  EXPECT_GT(good.gold.checks, 10U);
  EXPECT_EQ(*good.gold.value, 1.0);
  EXPECT_LT(good.gold.ci->low, 1.0) << "a perfect score has an interval too";
  EXPECT_EQ(*odd.gold.value, 0.0);
  EXPECT_GT(good.repeats.checks, 5U);
  EXPECT_EQ(*good.repeats.value, 1.0);
  EXPECT_LT(*odd.repeats.value, 0.9);
  EXPECT_EQ(*good.active.seconds, 4.0);
  EXPECT_EQ(good.active.items, 60U);
  EXPECT_EQ(*odd.active.seconds, 8.0);
  EXPECT_FALSE(good.idle.seconds);
}

TEST_F(Measure, AgreementIsThatOfTheAnswersSoFar) {
  for (const Kind kind : tasks::kKinds) {
    const Study study = *create_study(*store_, {.name = std::string(kind_name(kind)),
                                                .tasks = {testing::some_task(kind, 20)},
                                                .overlap = 2});
    const StudyTask& task = study.tasks().front();
    EXPECT_EQ(live_agreement(study, task, {}).error().kind, ErrorKind::kNotFound);
    for (const char* name : {"R1", "R2"}) {
      answer_all(study, name, 1000, [](const Served& served) {
        Json grades = Json::array(), groups = Json::object();
        switch (served.kind) {
          case Kind::kSts:
            return Json{{"rating", number_of(served) % 6}};
          case Kind::kClassification:
            return label_of(number_of(served));
          case Kind::kClustering:
            for (const Json& text : served.body["texts"]) {
              groups[text["id"].get<std::string>()] =
                  text["id"].get<std::string>().back() < '5' ? "low" : "high";
            }
            return Json{{"groups", groups}};
          case Kind::kReranking:
            for (const Json& text : served.body["candidates"]) {
              grades.push_back(text.get<std::string>().starts_with("document 1") ? 1 : 0);
            }
            return Json{{"grades", grades}};
          default:
            return Json{{"choice", number_of(served) % 2 == 0 ? "tie" : "both bad"}};
        }
      });
    }
    const auto agreement = live_agreement(study, task, {});
    ASSERT_TRUE(agreement) << agreement.error().message;
    EXPECT_EQ(agreement->report.raters, 2U) << kind_name(kind);
    EXPECT_NEAR(agreement->report.rows.front().value.value(), 1.0, 1e-12) << kind_name(kind);
    AgreementOptions small;
    small.most_items = 7;
    if (kind == Kind::kSts) {
      EXPECT_EQ(live_agreement(study, task, small)->report.items, 7U);
      EXPECT_EQ(live_agreement(study, task, small)->of_items, 20);
    }
  }
}

// By hand: |2 - 4| on a scale from 0 to 5; of three pairs of grades one is tied on one side and two
// are ordered the other way; of three pairs of texts one is apart in both.
TEST(Closeness, IsOneForTheSameAndFallsWithTheDistance) {
  const auto header = [](Kind kind) { return testing::some_task(kind, 1); };
  EXPECT_DOUBLE_EQ(closeness(header(Kind::kSts), {{"rating", 2}}, {{"rating", 4}}), 0.6);
  EXPECT_DOUBLE_EQ(
      closeness(header(Kind::kReranking), {{"grades", {2, 1, 0}}}, {{"grades", {1, 1, 2}}}),
      0.5 / 3);
  EXPECT_DOUBLE_EQ(
      closeness(header(Kind::kReranking), {{"grades", {2, 1, 0}}}, {{"scores", {9.5, 3, -1}}}),
      1.0);
  const Json a = {{"groups", {{"1", "x"}, {"2", "x"}, {"3", "y"}}}};
  const Json b = {{"groups", {{"1", "p"}, {"2", "q"}, {"3", "q"}}}};
  EXPECT_DOUBLE_EQ(closeness(header(Kind::kClustering), a, b), 1.0 / 3);
  EXPECT_EQ(closeness(header(Kind::kClassification), {{"label", "x"}}, {{"label", "y"}}), 0);
  EXPECT_EQ(
      closeness(header(Kind::kPreference), {{"choice", "A"}, {"strength", 2}}, {{"choice", "A"}}),
      1);
}

}  // namespace
}  // namespace plumb::study
