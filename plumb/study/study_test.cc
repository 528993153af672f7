// What every backend promises: the conformance tests of studies.
#include "plumb/study/study.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "plumb/study/create.h"
#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

using tasks::Kind;
using tasks::RaterKind;
using testing::some_task;

class StudyTest : public ::testing::TestWithParam<testing::Backend> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().missing(); !why.empty()) GTEST_SKIP() << why;
    place_ = GetParam().make();
    reopen();
  }

  void reopen() {
    store_.reset();
    auto store = place_->open(Store::Mode::kCreate, [this] { return now_; });
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }

  Study make(StudyPlan plan) {
    auto study = create_study(*store_, plan);
    EXPECT_TRUE(study) << study.error().message;
    return std::move(*study);
  }
  Study make(Kind kind, std::size_t items, int overlap) {
    return make({.name = "demo", .tasks = {some_task(kind, items)}, .overlap = overlap});
  }

  static std::int64_t enroll(const Study& study, const std::string& name) {
    auto annotator = study.enroll(name, RaterKind::kPerson);
    EXPECT_TRUE(annotator) << annotator.error().message;
    return annotator->id;
  }

  static Served next(const Study& study, std::int64_t annotator) {
    auto next = study.next(annotator);
    EXPECT_TRUE(next) << next.error().message;
    EXPECT_EQ(next->state, Next::State::kItem);
    return std::move(*next->served);
  }

  static Next::State state(const Study& study, std::int64_t annotator) {
    return study.next(annotator)->state;
  }

  Receipt submit(const Study& study, std::int64_t annotator, const Served& served,
                 std::string key = "") {
    if (key.empty()) key = fmt::format("key {}", ++keys_);
    auto receipt = study.submit(
        annotator,
        {.slot = served.slot, .key = key, .answer = testing::some_answer(served, stream_)});
    EXPECT_TRUE(receipt) << receipt.error().message;
    return std::move(*receipt);
  }

  std::string text(const std::string& sql) {
    return *store_->read<std::string>([&](Connection& c) -> Result<std::string> {
      PLUMB_TRY(row, c.first(sql));
      return row->text(0);
    });
  }
  std::int64_t count(const std::string& sql) { return testing::count_of(*store_, sql); }

  std::int64_t now_ = 1'700'000'000'000;
  std::unique_ptr<testing::Place> place_;
  std::unique_ptr<Store> store_;
  Stream stream_{1, "answers", 0};
  int keys_ = 0;
};

TEST_P(StudyTest, EveryItemIsAnsweredByAsManyPeopleAsAskedFor) {
  for (const Kind kind : tasks::kKinds) {
    const Study study =
        make({.name = std::string(kind_name(kind)), .tasks = {some_task(kind, 6)}, .overlap = 2});
    for (const char* name : {"R1", "R2", "R3"}) {
      const auto annotator = enroll(study, name);
      while (state(study, annotator) == Next::State::kItem) {
        submit(study, annotator, next(study, annotator));
      }
      EXPECT_EQ(state(study, annotator), Next::State::kFinished);
    }
  }
  EXPECT_EQ(count("SELECT COUNT(*) FROM slots WHERE state <> 'submitted'"), 0);
  EXPECT_EQ(count("SELECT COUNT(*) FROM answers"), 2 * (4 * 6 + 1));
}

TEST_P(StudyTest, BalancedAssignmentAnswersEveryItemOnceBeforeAnyTwice) {
  const Study study = make(Kind::kSts, 10, 3);
  const auto one = enroll(study, "R1"), two = enroll(study, "R2");
  std::set<std::int64_t> slots;
  for (int i = 0; i < 5; ++i) {
    for (const auto annotator : {one, two}) {
      const Served served = next(study, annotator);
      submit(study, annotator, served);
      slots.insert(served.slot);
    }
  }
  EXPECT_EQ(slots.size(), 10U);
  EXPECT_EQ(count("SELECT COUNT(DISTINCT item_id) FROM slots WHERE state = 'submitted'"), 10);
}

TEST_P(StudyTest, FixedAssignmentGivesEachAnnotatorTheSameNumberOfItems) {
  const Study study = make({.name = "demo",
                            .tasks = {some_task(Kind::kSts, 40)},
                            .overlap = 2,
                            .assignment = Assignment::kFixed,
                            .seats = 4});
  std::map<std::string, int> given;
  for (const char* name : {"R1", "R2", "R3", "R4"}) {
    const auto annotator = enroll(study, name);
    while (state(study, annotator) == Next::State::kItem) {
      submit(study, annotator, next(study, annotator));
      ++given[name];
    }
  }
  for (const auto& [name, items] : given) EXPECT_EQ(items, 20) << name;
  const auto fifth = study.enroll("R5", RaterKind::kPerson);
  ASSERT_FALSE(fifth);
  EXPECT_EQ(fifth.error().kind, ErrorKind::kNotAllowed);
}

TEST_P(StudyTest, TheOrderIsEachAnnotatorsOwnAndFollowsTheSeed) {
  const auto order_of = [&](const std::string& name, std::uint64_t seed) {
    const Study study = make({.name = fmt::format("{} {}", name, seed),
                              .tasks = {some_task(Kind::kSts, 30)},
                              .overlap = 3,
                              .assignment = Assignment::kRandom,
                              .seed = seed});
    std::vector<std::string> order;
    const auto annotator = enroll(study, name);
    for (int i = 0; i < 10; ++i) {
      const Served served = next(study, annotator);
      order.push_back(served.body["id"]);
      submit(study, annotator, served);
    }
    return order;
  };
  EXPECT_NE(order_of("R1", 1), order_of("R1", 2));
}

TEST_P(StudyTest, AReloadFindsTheSameSlotAndTheDraft) {
  const Study study = make(Kind::kSts, 5, 1);
  const auto annotator = enroll(study, "R1");
  const Served first = next(study, annotator);
  EXPECT_TRUE(*study.save_draft(annotator, {first.slot, {{"rating", 2}}}));
  reopen();
  const Study again = *Study::open(*store_, "demo");
  const Served found = next(again, annotator);
  EXPECT_EQ(found.slot, first.slot);
  EXPECT_EQ(found.draft, (Json{{"rating", 2}}));
  submit(again, annotator, found);
  EXPECT_FALSE(again.show(annotator, first.slot)->draft);
}

TEST_P(StudyTest, ALeaseThatRanOutGivesTheSlotToWhoeverNeedsIt) {
  const Study study = make(Kind::kSts, 1, 1);
  const auto slow = enroll(study, "slow"), quick = enroll(study, "quick");
  const Served held = next(study, slow);
  EXPECT_EQ(state(study, quick), Next::State::kWait);
  now_ += study.info().lease_ms + 1;
  EXPECT_EQ(next(study, quick).slot, held.slot);
  EXPECT_EQ(state(study, slow), Next::State::kWait);
  EXPECT_FALSE(*study.renew(slow, held.slot));
}

TEST_P(StudyTest, ALateAnswerCountsWhereItsSlotIsStillFree) {
  const Study study = make(Kind::kSts, 50, 1);
  const auto slow = enroll(study, "slow"), quick = enroll(study, "quick");
  const Served held = next(study, slow);
  now_ += study.info().lease_ms + 1;
  ASSERT_NE(next(study, quick).slot, held.slot) << "quick should have drawn another of 50 items";
  const Receipt receipt = submit(study, slow, held);
  EXPECT_TRUE(receipt.late);
  EXPECT_FALSE(receipt.surplus);
  EXPECT_EQ(count("SELECT COUNT(*) FROM slots WHERE state = 'submitted'"), 1);
}

TEST_P(StudyTest, ALateAnswerToATakenSlotIsKeptAndDoesNotCount) {
  const Study study = make(Kind::kSts, 1, 1);
  const auto slow = enroll(study, "slow"), quick = enroll(study, "quick");
  const Served held = next(study, slow);
  now_ += study.info().lease_ms + 1;
  submit(study, quick, next(study, quick));
  const Receipt receipt = submit(study, slow, held);
  EXPECT_TRUE(receipt.late && receipt.surplus);
  EXPECT_EQ(count("SELECT COUNT(*) FROM answers WHERE surplus = 1"), 1);
  EXPECT_EQ(count(fmt::format("SELECT annotator_id FROM slots WHERE id = {}", held.slot)), quick);
}

TEST_P(StudyTest, ARepeatedSubmissionIsDoneOnce) {
  const Study study = make(Kind::kSts, 3, 1);
  const auto annotator = enroll(study, "R1");
  const Served served = next(study, annotator);
  const Submission submission{.slot = served.slot, .key = "k", .answer = {{"rating", 4}}};
  const Receipt first = *study.submit(annotator, submission);
  const Receipt again = *study.submit(annotator, submission);
  EXPECT_FALSE(first.again);
  EXPECT_TRUE(again.again);
  EXPECT_EQ(again.answer, first.answer);
  EXPECT_EQ(count("SELECT COUNT(*) FROM answers"), 1);
  const auto other =
      study.submit(annotator, {.slot = served.slot, .key = "k", .answer = {{"rating", 5}}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kBadInput);
}

TEST_P(StudyTest, ACorrectionIsANewRevisionAndTheOldOneStays) {
  const Study study = make(Kind::kSts, 3, 1);
  const auto annotator = enroll(study, "R1");
  const Served served = next(study, annotator);
  EXPECT_EQ(study.submit(annotator, {served.slot, "a", {{"rating", 1}}})->revision, 1);
  EXPECT_EQ(study.submit(annotator, {served.slot, "b", {{"rating", 2}}, 1})->revision, 2);
  const auto stale = study.submit(annotator, {served.slot, "c", {{"rating", 3}}, 1});
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().kind, ErrorKind::kBusy);
  EXPECT_EQ(count("SELECT COUNT(*) FROM answers"), 2);
  EXPECT_EQ(text("SELECT body FROM answers JOIN slots ON slots.answer_id = answers.id"),
            R"({"rating":2.0})");
  EXPECT_EQ(study.show(annotator, served.slot)->answer, (Json{{"rating", 2.0}}));
}

TEST_P(StudyTest, AnAnswerThatDoesNotFitIsRefused) {
  const Study study = make(Kind::kSts, 3, 1);
  const auto annotator = enroll(study, "R1"), other = enroll(study, "R2");
  const Served served = next(study, annotator);
  for (const Json& answer : {Json{{"rating", 9}}, Json{{"label", "x"}}, Json(3), Json()}) {
    const auto receipt = study.submit(annotator, {served.slot, "k", answer});
    ASSERT_FALSE(receipt) << answer;
    EXPECT_EQ(receipt.error().kind, ErrorKind::kBadInput);
  }
  EXPECT_EQ(study.submit(other, {served.slot, "k", {{"rating", 1}}}).error().kind,
            ErrorKind::kNotAllowed);
  EXPECT_EQ(study.submit(annotator, {999, "k", {{"rating", 1}}}).error().kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(study.show(other, served.slot).error().kind, ErrorKind::kNotAllowed);
  EXPECT_EQ(count("SELECT COUNT(*) FROM answers"), 0);
}

TEST_P(StudyTest, ASkippedItemGoesToOthersAndNotToTheSamePersonAgain) {
  const Study study = make(Kind::kSts, 1, 1);
  const auto one = enroll(study, "R1"), two = enroll(study, "R2");
  const Served served = next(study, one);
  ASSERT_TRUE(study.skip(one, {served.slot, "k", "unclear", "what?"}));
  EXPECT_TRUE(study.skip(one, {served.slot, "k", "unclear", "what?"})->again);
  EXPECT_EQ(state(study, one), Next::State::kFinished);
  EXPECT_EQ(next(study, two).slot, served.slot);
  EXPECT_EQ(study.skip(two, {served.slot, "j", "boring"}).error().kind, ErrorKind::kBadInput);
}

TEST_P(StudyTest, UndoShowsTheLastAnswersAgainOneAfterAnother) {
  const Study study = make(Kind::kSts, 30, 1);
  const auto annotator = enroll(study, "R1");
  std::vector<std::int64_t> slots;
  for (int i = 0; i < 25; ++i) {
    const Served served = next(study, annotator);
    slots.push_back(served.slot);
    if (i == 23) {
      ASSERT_TRUE(study.skip(annotator, {served.slot, "skip", "unclear"}));
    } else {
      submit(study, annotator, served);
    }
  }
  for (int i = 0; i < kUndoDepth; ++i) {
    const auto back = study.undo(annotator, fmt::format("undo {}", i));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->slot, slots[static_cast<std::size_t>(24 - i)]);
    EXPECT_EQ(back->draft.has_value(), i != 1);
    EXPECT_EQ(study.undo(annotator, fmt::format("undo {}", i))->slot, back->slot) << "sent again";
  }
  EXPECT_EQ(study.undo(annotator, "one more").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(next(study, annotator).slot, slots[5]);
}

TEST_P(StudyTest, SidesAndCandidatesAreShuffledAndStoredAsTheItemHasThem) {
  for (const Kind kind : {Kind::kPreference, Kind::kReranking}) {
    const Study study =
        make({.name = std::string(kind_name(kind)), .tasks = {some_task(kind, 40)}});
    const auto annotator = enroll(study, "R1");
    int moved = 0;
    for (int i = 0; i < 40; ++i) {
      const Served served = next(study, annotator);
      Json answer;
      if (kind == Kind::kPreference) {
        moved += served.body["a"] == "two" ? 1 : 0;
        answer = {{"choice", served.body["a"] == "one" ? "A" : "B"}};
      } else {
        std::vector<int> grades;
        for (const Json& text : served.body["candidates"]) {
          grades.push_back(text.get<std::string>().starts_with("document 2 ") ? 1 : 0);
        }
        moved += grades[2] == 0 ? 1 : 0;
        answer = {{"grades", grades}};
      }
      ASSERT_TRUE(
          study.submit(annotator, {served.slot, fmt::format("{} {}", kind_name(kind), i), answer}));
      EXPECT_EQ(study.show(annotator, served.slot)->answer, answer);
    }
    EXPECT_GT(moved, 8);
    EXPECT_LT(moved, 38);
  }
  EXPECT_EQ(count("SELECT COUNT(DISTINCT body) FROM answers"), 2);
  EXPECT_EQ(text("SELECT MIN(body) FROM answers"), R"({"choice":"A"})");
  EXPECT_EQ(text("SELECT MAX(body) FROM answers"), R"({"grades":[0.0,0.0,1.0,0.0]})");
}

TEST_P(StudyTest, ItemsOfATaskAreNotItsChecksToo) {
  const tasks::Task task = some_task(Kind::kSts, 3);
  tasks::Task others = task;
  for (auto& item : others.items) item.id = "known " + item.id;
  others.items.back() = task.items.back();
  const auto hidden =
      create_study(*store_, {.name = "x", .tasks = {task}, .gold = {others}, .gold_rate = 0.2});
  const auto shown = create_study(*store_, {.name = "x", .tasks = {task}, .training = {others}});
  for (const auto* made : {&hidden, &shown}) {
    ASSERT_FALSE(*made);
    EXPECT_EQ(made->error().kind, ErrorKind::kBadInput);
    EXPECT_NE(made->error().message.find("item \"i2\" of \"sts\" is an item of the task itself"),
              std::string::npos)
        << made->error().message;
  }
}

TEST_P(StudyTest, NoTimeOfAnAnswerIsBelowZero) {
  const Study study = make(Kind::kSts, 1, 1);
  const auto annotator = enroll(study, "R1");
  const Served served = next(study, annotator);
  ASSERT_TRUE(study.submit(annotator, {.slot = served.slot,
                                       .key = "k",
                                       .answer = {{"rating", 1}},
                                       .timing = {.active_ms = -5, .idle_ms = 7, .blurs = -1}}));
  EXPECT_EQ(count("SELECT COUNT(*) FROM answers WHERE active_ms IS NULL AND blurs IS NULL AND "
                  "idle_ms = 7"),
            1);
}

TEST_P(StudyTest, ChecksComeAtTheirRatesAndDoNotLookDifferent) {
  tasks::Task gold = some_task(Kind::kSts, 100), training = some_task(Kind::kSts, 2);
  for (auto& item : gold.items) item.id = "gold " + item.id;
  for (auto& item : training.items) item.id = "training " + item.id;
  const Study study = make({.name = "demo",
                            .tasks = {some_task(Kind::kSts, 300)},
                            .gold = {gold},
                            .training = {training},
                            .gold_rate = 0.15,
                            .repeat_rate = 0.1,
                            .guidelines = "read twice"});
  const auto annotator = enroll(study, "R1");
  for (int i = 0; i < 2; ++i) {
    const Served served = next(study, annotator);
    EXPECT_TRUE(served.training);
    const Receipt receipt = submit(study, annotator, served);
    ASSERT_TRUE(receipt.feedback);
    EXPECT_TRUE(receipt.feedback->gold.contains("rating"));
  }
  int shown = 0;
  while (state(study, annotator) == Next::State::kItem) {
    const Served served = next(study, annotator);
    EXPECT_FALSE(served.training);
    EXPECT_FALSE(served.body.contains("rating"));
    EXPECT_FALSE(submit(study, annotator, served).feedback);
    ++shown;
  }
  const auto golds = count("SELECT COUNT(*) FROM slots WHERE purpose = 'gold'");
  const auto repeats = count("SELECT COUNT(*) FROM slots WHERE purpose = 'repeat'");
  EXPECT_EQ(shown, 300 + golds + repeats);
  EXPECT_NEAR(static_cast<double>(golds) / shown, 0.15, 0.06);
  EXPECT_NEAR(static_cast<double>(repeats) / shown, 0.10, 0.05);
}

TEST_P(StudyTest, TheVersionOfTheGuidelinesStaysWithEachAnswer) {
  const Study study = make(Kind::kSts, 3, 1);
  const auto annotator = enroll(study, "R1");
  const Served first = next(study, annotator);
  EXPECT_EQ(*study.set_guidelines("# New"), 2);
  submit(study, annotator, first);
  submit(study, annotator, next(study, annotator));
  EXPECT_EQ(count("SELECT MIN(guideline) FROM answers"), 1);
  EXPECT_EQ(count("SELECT MAX(guideline) FROM answers"), 2);
  EXPECT_EQ(study.guidelines()->markdown, "# New");
  EXPECT_EQ(study.guidelines(9).error().kind, ErrorKind::kNotFound);
}

TEST_P(StudyTest, AFrozenStudyTakesNoMoreButDropsNothing) {
  const Study study = make(Kind::kSts, 3, 1);
  const auto annotator = enroll(study, "R1");
  submit(study, annotator, next(study, annotator));
  const Served held = next(study, annotator);
  const std::string hash = *study.freeze();
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(*study.freeze(), hash);
  EXPECT_EQ(study.next(annotator).error().kind, ErrorKind::kNotAllowed);
  EXPECT_EQ(study.undo(annotator, "u").error().kind, ErrorKind::kNotAllowed);
  EXPECT_TRUE(submit(study, annotator, held).surplus);
  EXPECT_EQ(*study.freeze(), hash);
  ASSERT_TRUE(study.reopen());
  EXPECT_EQ(next(study, annotator).slot, held.slot);
}

TEST_P(StudyTest, PeopleAndSimulatedAnnotatorsNeverShareAStudy) {
  const Study study = make(Kind::kSts, 3, 1);
  enroll(study, "R1");
  EXPECT_EQ(study.enroll("S1", RaterKind::kSimulated).error().kind, ErrorKind::kNotAllowed);
  EXPECT_EQ(study.enroll("R1", RaterKind::kSimulated).error().kind, ErrorKind::kNotAllowed);
  EXPECT_EQ(study.enroll("M", RaterKind::kModel).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(study.enroll("R1", RaterKind::kPerson)->id, study.annotator("R1")->id);
}

TEST_P(StudyTest, TheSchemaItselfRefusesWhatMustNotHappen) {
  const Study study = make(Kind::kSts, 2, 1);
  const auto one = enroll(study, "R1");
  submit(study, one, next(study, one));
  const Served held = next(study, one);
  const std::string item = "(SELECT MIN(id) FROM items)";
  for (const std::string& sql :
       {std::string("UPDATE answers SET body = '{}'"), std::string("DELETE FROM answers"),
        "INSERT INTO slots(task_id, item_id, purpose, k, seat, rank, state) SELECT task_id, id, "
        "'main', 1, 0, 9, 'open' FROM items WHERE id = " +
            item,
        "INSERT INTO slots(task_id, item_id, purpose, k, seat, rank, state) SELECT task_id, id, "
        "'main', 0, 0, 9, 'open' FROM items WHERE id = " +
            item,
        fmt::format("UPDATE slots SET item_id = {}, k = 0 WHERE id = {}",
                    "(SELECT item_id FROM slots WHERE state = 'submitted')", held.slot),
        std::string("UPDATE slots SET state = 'open'")}) {
    const auto done = store_->write<std::int64_t>([&](Connection& c) { return c.execute(sql); });
    ASSERT_FALSE(done) << sql;
    EXPECT_EQ(done.error().kind, ErrorKind::kInternal) << done.error().message;
  }
}

TEST_P(StudyTest, AJobThatFailsTakesBackNothingButItself) {
  const Study study = make(Kind::kSts, 2, 1);
  const auto failed = store_->write([](Connection& c) -> Result<void> {
    auto done = c.execute("UPDATE studies SET seats = 9");
    EXPECT_TRUE(done);
    return fail(ErrorKind::kUsage, "no");
  });
  EXPECT_FALSE(failed);
  EXPECT_EQ(count("SELECT seats FROM studies"), 0);
}

TEST_P(StudyTest, PlansThatCannotBeAreRefused) {
  const tasks::Task task = some_task(Kind::kSts, 3);
  const auto kind_of = [&](const StudyPlan& plan) {
    const auto made = create_study(*store_, plan);
    return made ? ErrorKind::kInternal : made.error().kind;
  };
  EXPECT_EQ(kind_of({.name = "", .tasks = {task}}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of({.name = "x", .tasks = {}}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of({.name = "x", .tasks = {task, task}}), ErrorKind::kBadInput);
  EXPECT_EQ(kind_of({.name = "x", .tasks = {task}, .gold_rate = 0.1}), ErrorKind::kUsage);
  EXPECT_EQ(kind_of({.name = "x",
                     .tasks = {task},
                     .overlap = 3,
                     .assignment = Assignment::kFixed,
                     .seats = 2}),
            ErrorKind::kUsage);
  EXPECT_EQ(kind_of({.name = "x",
                     .tasks = {task},
                     .gold = {some_task(Kind::kPreference, 3)},
                     .gold_rate = 0.1}),
            ErrorKind::kBadInput);
  EXPECT_EQ(kind_of({.name = "x", .tasks = {some_task(Kind::kClustering, 501)}}),
            ErrorKind::kBadInput);
  make(Kind::kSts, 3, 1);
  EXPECT_EQ(kind_of({.name = "demo", .tasks = {task}}), ErrorKind::kNotAllowed);
  EXPECT_EQ(Study::open(*store_, "demos").error().message,
            "there is no study \"demos\"; did you mean \"demo\"?");
  EXPECT_EQ(count("SELECT COUNT(*) FROM studies"), 1);
}

INSTANTIATE_TEST_SUITE_P(Backends, StudyTest, ::testing::ValuesIn(testing::backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace plumb::study
