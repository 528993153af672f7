#include "plumb/study/simulate.h"

#include <gtest/gtest.h>

#include "plumb/study/create.h"
#include "plumb/study/exchange/export.h"
#include "plumb/study/measure.h"
#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

using tasks::Kind;

class Simulate : public ::testing::Test {
 protected:
  Study make(const std::string& name, Kind kind, std::size_t items, int overlap) {
    if (!store_) {
      store_ = *Store::open(folder_ / "studio.db",
                            {.mode = Store::Mode::kCreate, .clock = [] { return 1; }});
    }
    auto study = create_study(
        *store_,
        {.name = name, .tasks = {testing::some_task(kind, items)}, .overlap = overlap, .seed = 5});
    EXPECT_TRUE(study) << study.error().message;
    return std::move(*study);
  }

  SimulationReport run(const Study& study, const SimulationOptions& options) {
    auto report = simulate(study, options);
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(*report) : SimulationReport();
  }

  static std::string exported(const Study& study) {
    std::string bytes;
    EXPECT_TRUE(export_answers(study, study.tasks().front(), [&](std::string_view part) {
      bytes += part;
      return Result<void>();
    }));
    return bytes;
  }

  testing::Folder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(Simulate, EveryKindOfTaskIsAnsweredToTheEnd) {
  for (const Kind kind : tasks::kKinds) {
    const Study study = make(std::string(kind_name(kind)), kind, 8, 2);
    const SimulationReport report = run(study, {.annotators = 3, .seed = 1});
    EXPECT_EQ(report.answers, kind == Kind::kClustering ? 2U : 16U);
    EXPECT_EQ(study_status(study)->tasks[0].open, 0) << kind_name(kind);
    EXPECT_NE(exported(study).find(R"("kind":"simulated")"), std::string::npos);
  }
}

TEST_F(Simulate, AccuracyIsWhatTheChecksFind) {
  const Study study = make("demo", Kind::kClassification, 400, 1);
  run(study, {.annotators = 1, .profile = {.accuracy = 0.7}, .seed = 2});
  const auto right = testing::count_of(
      *store_,
      "SELECT COUNT(*) FROM slots JOIN answers ON answers.id = slots.answer_id JOIN items ON "
      "items.id = slots.item_id WHERE answers.body = items.gold");
  EXPECT_NEAR(static_cast<double>(right) / 400, 0.7 + 0.3 / 3, 0.06) << "a guess is right at times";
}

TEST_F(Simulate, BiasShowsInTheAnswers) {
  const Study study = make("demo", Kind::kClassification, 200, 1);
  run(study, {.annotators = 1, .profile = {.accuracy = 1, .bias = 1}, .seed = 2});
  EXPECT_EQ(testing::count_of(*store_, "SELECT COUNT(DISTINCT body) FROM answers"), 1);
}

TEST_F(Simulate, DropoutsLeaveTheirItemAndSkipsAreSkips) {
  const Study study = make("demo", Kind::kSts, 50, 1);
  const SimulationReport report =
      run(study, {.annotators = 2, .profile = {.dropout = 0.2, .skipping = 0.2}, .seed = 3});
  EXPECT_EQ(report.dropouts, 2U);
  EXPECT_GT(report.skipped, 0U);
  EXPECT_EQ(study_status(study)->tasks[0].leased, 2);
}

TEST_F(Simulate, TheSameSeedGivesTheSameAnswersAlsoWhenInterrupted) {
  const std::string whole = [&] {
    const Study study = make("demo", Kind::kSts, 30, 2);
    run(study, {.annotators = 4, .seed = 9});
    return exported(study);
  }();
  store_.reset();
  std::filesystem::remove_all(folder_ / "studio.db");
  std::filesystem::remove_all(folder_ / "studio.db-wal");
  const Study study = make("demo", Kind::kSts, 30, 2);
  run(study, {.annotators = 4, .seed = 9});
  EXPECT_EQ(exported(study), whole);
  EXPECT_EQ(run(study, {.annotators = 4, .seed = 9}).answers, 0U) << "there is nothing left";
  const Study other = make("other", Kind::kSts, 30, 2);
  run(other, {.annotators = 4, .seed = 9, .most_answers = 20});
  run(other, {.annotators = 4, .seed = 9});
  EXPECT_EQ(study_status(other)->tasks[0].submitted, 60);
}

TEST_F(Simulate, AllAtOnceAnswersEverythingToo) {
  const Study study = make("demo", Kind::kSts, 60, 2);
  const SimulationReport report = run(study, {.annotators = 8, .seed = 1, .parallel = true});
  EXPECT_EQ(report.answers, 120U);
  EXPECT_EQ(report.submit.seconds.size(), 120U);
  EXPECT_LE(report.submit.quantile(0.5), report.submit.quantile(0.95));
}

TEST_F(Simulate, IsRefusedAmongPeople) {
  const Study study = make("demo", Kind::kSts, 3, 1);
  ASSERT_TRUE(study.enroll("R1", tasks::RaterKind::kPerson));
  EXPECT_EQ(simulate(study, {.annotators = 1}).error().kind, ErrorKind::kNotAllowed);
}

}  // namespace
}  // namespace plumb::study
