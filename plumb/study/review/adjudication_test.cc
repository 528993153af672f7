#include "plumb/study/review/adjudication.h"

#include <gtest/gtest.h>

#include <fstream>

#include "plumb/study/accounts.h"
#include "plumb/study/create.h"
#include "plumb/study/review/sheets.h"
#include "plumb/study/testing.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::study {
namespace {

using tasks::Kind;
using tasks::RaterKind;

class Adjudication : public ::testing::TestWithParam<testing::Backend> {
 protected:
  Adjudication() : place_(GetParam().make()) {
    auto store = place_->open(Store::Mode::kCreate, [this] { return now_; });
    EXPECT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    account_ = Accounts(*store_).create("judge", Role::kAdjudicator, "")->id;
  }

  Study make(Kind kind, std::size_t items, int overlap = 2) {
    auto study = create_study(
        *store_, {.name = "demo", .tasks = {testing::some_task(kind, items)}, .overlap = overlap});
    EXPECT_TRUE(study) << study.error().message;
    return std::move(*study);
  }

  // Answers all items; `answer_of` is told the item's id.
  template <typename Function>
  void answer(const Study& study, const std::string& name, const Function& answer_of) {
    const auto annotator = study.enroll(name, RaterKind::kPerson)->id;
    while (auto served = study.next(annotator)->served) {
      const auto receipt = study.submit(annotator, {.slot = served->slot,
                                                    .key = fmt::format("{}", served->slot),
                                                    .answer = answer_of(*served)});
      ASSERT_TRUE(receipt) << receipt.error().message;
    }
  }

  // The second differs from the first by the number in the item's id.
  void answer_ratings(const Study& study) {
    answer(study, "ann", [](const Served&) { return Json{{"rating", 0}}; });
    answer(study, "bob", [](const Served& served) {
      return Json{{"rating", served.body["id"].get<std::string>().back() - '0'}};
    });
  }

  Result<RulingReceipt> rule(const Study& study, std::int64_t item, const Json& answer,
                             const std::string& key = "k",
                             std::optional<std::int64_t> based_on = std::nullopt) {
    return decide(
        study, account_,
        {.item = item, .key = key, .answer = answer, .reason = "rule 2", .based_on = based_on});
  }

  static std::string text_of(const std::function<Result<std::size_t>(const Sink&)>& write) {
    std::string text;
    const auto count = write([&text](std::string_view bytes) {
      text += bytes;
      return Result<void>();
    });
    EXPECT_TRUE(count) << count.error().message;
    return text;
  }

  std::unique_ptr<testing::Place> place_;
  std::int64_t now_ = 1'700'000'000'000;
  std::unique_ptr<Store> store_;
  std::int64_t account_ = 0;
};

TEST_P(Adjudication, ListsTheLargestDisagreementFirstUnderPseudonyms) {
  const Study study = make(Kind::kSts, 5);
  answer_ratings(study);
  const DisputeList list = *disputes(study, {});
  EXPECT_EQ(list.open, 4U) << "item i0 has the same answer twice";
  EXPECT_EQ(list.decided, 0U);
  ASSERT_EQ(list.disputes.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(list.disputes[i].name, fmt::format("i{}", 4 - i));
    EXPECT_DOUBLE_EQ(list.disputes[i].disagreement, static_cast<double>(4 - i) / 5);
  }
  const Dispute& first = list.disputes.front();
  EXPECT_EQ(first.answers.at(0).annotator, "R1");
  EXPECT_EQ(first.answers.at(1).annotator, "R2") << "not \"bob\"";
  EXPECT_EQ(first.answers.at(1).answer, (Json{{"rating", 4.0}}));
  EXPECT_EQ(first.answers.at(1).guideline, 1);
  EXPECT_FALSE(first.body.contains("rating")) << "no gold";
  const DisputeList page = *disputes(study, {.offset = 1, .most = 2});
  ASSERT_EQ(page.disputes.size(), 2U);
  EXPECT_EQ(page.disputes[0].name, "i3");
  EXPECT_EQ(disputes(study, {.least = 0.5})->disputes.size(), 2U);
  EXPECT_EQ(disputes(study, {.task = "stz"}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(disputes(study, {.most = 1000}).error().kind, ErrorKind::kUsage);
}

TEST_P(Adjudication, OfThreeAnswersIsTheMeanOverTheirPairs) {
  const Study study = make(Kind::kClassification, 1, 3);
  for (const char* label : {"x", "x", "y"}) {
    answer(study, fmt::format("{} {}", label, now_++), [label](const Served&) {
      return Json{{"label", label}};
    });
  }
  EXPECT_DOUBLE_EQ(disputes(study, {})->disputes.at(0).disagreement, 2.0 / 3);
}

TEST_P(Adjudication, FlaggedItemsAreListedThoughAllAgree) {
  const Study study = make(Kind::kSts, 2, 1);
  const auto annotator = study.enroll("ann", RaterKind::kPerson)->id;
  const Served served = *study.next(annotator)->served;
  ASSERT_TRUE(study.submit(annotator, {.slot = served.slot,
                                       .key = "a",
                                       .answer = {{"rating", 1}},
                                       .flagged = true,
                                       .comment = "what is meant?"}));
  const DisputeList list = *disputes(study, {});
  ASSERT_EQ(list.disputes.size(), 1U);
  EXPECT_TRUE(list.disputes[0].flagged);
  EXPECT_EQ(list.disputes[0].answers[0].comment, "what is meant?");
}

TEST_P(Adjudication, ADecisionStandsBesideTheAnswersAndSaysWhoWhenAndWhy) {
  const Study study = make(Kind::kSts, 5);
  answer_ratings(study);
  const std::string before =
      text_of([&](const Sink& sink) { return export_answers(study, study.tasks()[0], sink); });
  const std::int64_t item = disputes(study, {})->disputes[0].item;
  now_ += 1000;
  ASSERT_EQ(*study.set_guidelines("new"), 2);
  const auto receipt = rule(study, item, {{"rating", 2}});
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(receipt->revision, 1);
  EXPECT_FALSE(receipt->again);
  const Dispute found = *dispute(study, item);
  ASSERT_EQ(found.decisions.size(), 1U);
  const Decision& made = found.decisions[0];
  EXPECT_EQ(made.adjudicator, "J1");
  EXPECT_EQ(made.answer, (Json{{"rating", 2.0}}));
  EXPECT_EQ(made.reason, "rule 2");
  EXPECT_EQ(made.guideline, 2);
  EXPECT_EQ(made.at_ms, now_);
  EXPECT_FALSE(made.outdated);
  EXPECT_EQ(before, text_of([&](const Sink& sink) {
              return export_answers(study, study.tasks()[0], sink);
            }));
  EXPECT_EQ(disputes(study, {})->disputes.size(), 3U);
  EXPECT_EQ(disputes(study, {})->decided, 1U);
  EXPECT_EQ(disputes(study, {.show = DisputeQuery::Show::kDecided})->disputes.size(), 1U);
  EXPECT_EQ(disputes(study, {.show = DisputeQuery::Show::kAll})->disputes.size(), 4U);
}

TEST_P(Adjudication, SentAgainIsDoneOnceAndACorrectionNamesWhatItCorrects) {
  const Study study = make(Kind::kSts, 5);
  answer_ratings(study);
  const std::int64_t item = disputes(study, {})->disputes[0].item;
  ASSERT_TRUE(rule(study, item, {{"rating", 2}}, "a", 0));
  EXPECT_TRUE(rule(study, item, {{"rating", 2}}, "a", 0)->again);
  EXPECT_EQ(rule(study, item, {{"rating", 3}}, "a").error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(rule(study, item, {{"rating", 3}}, "b", 0).error().kind, ErrorKind::kBusy);
  EXPECT_EQ(rule(study, item, {{"rating", 3}}, "b", 1)->revision, 2);
  EXPECT_EQ(rule(study, item, nullptr, "c")->revision, 3);
  EXPECT_EQ(rule(study, item, nullptr, "d").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(dispute(study, item)->decisions.size(), 3U) << "all of it stays";
  EXPECT_EQ(disputes(study, {})->decided, 0U);
  const auto changed = store_->write<std::int64_t>(
      [](Connection& c) { return c.execute("UPDATE decisions SET reason = 'x'"); });
  EXPECT_FALSE(changed);
  const auto gone =
      store_->write<std::int64_t>([](Connection& c) { return c.execute("DELETE FROM decisions"); });
  EXPECT_FALSE(gone);
}

TEST_P(Adjudication, OfWhatDoesNotFitIsRefused) {
  const Study study = make(Kind::kSts, 3);
  const auto kind_of = [](const auto& result) { return result.error().kind; };
  const std::int64_t item =
      testing::count_of(*store_, "SELECT MIN(id) FROM items WHERE role = 'main'");
  EXPECT_EQ(kind_of(rule(study, item, {{"rating", 2}})), ErrorKind::kNotFound) << "no answers";
  answer_ratings(study);
  EXPECT_EQ(kind_of(rule(study, 999, {{"rating", 2}})), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(rule(study, item, {{"rating", 9}})), ErrorKind::kBadInput);
  EXPECT_EQ(kind_of(rule(study, item, {{"label", "x"}})), ErrorKind::kBadInput);
  EXPECT_EQ(kind_of(rule(study, item, 3)), ErrorKind::kBadInput);
  EXPECT_EQ(kind_of(rule(study, item, {{"rating", 2}}, "")), ErrorKind::kBadInput);
  EXPECT_EQ(kind_of(decide(study, account_,
                           {.item = item, .key = "k", .answer = {{"rating", 1}}, .reason = " \n"})),
            ErrorKind::kBadInput);
  EXPECT_EQ(testing::count_of(*store_, "SELECT COUNT(*) FROM decisions"), 0);
}

TEST_P(Adjudication, IsOutdatedByALaterCorrectionAndGoesOnAfterTheFreeze) {
  const Study study = make(Kind::kSts, 1, 2);
  std::int64_t slot = 0, annotator = 0;
  for (const char* name : {"ann", "bob"}) {
    annotator = study.enroll(name, RaterKind::kPerson)->id;
    slot = study.next(annotator)->served->slot;
    ASSERT_TRUE(study.submit(annotator, {slot, name, {{"rating", name[0] - 'a'}}}));
  }
  const std::int64_t item = disputes(study, {})->disputes.at(0).item;
  ASSERT_TRUE(rule(study, item, {{"rating", 1}}));
  ASSERT_TRUE(study.submit(annotator, {slot, "again", {{"rating", 5}}}));
  EXPECT_TRUE(dispute(study, item)->decisions.at(0).outdated);
  ASSERT_TRUE(study.freeze());
  ASSERT_TRUE(rule(study, item, {{"rating", 3}}, "after"));
  EXPECT_FALSE(dispute(study, item)->decisions.at(1).outdated);
}

TEST_P(Adjudication, IsExportedAsASheetOfItsOwnKindAndAsGoldForEveryKindOfTask) {
  testing::Folder folder;
  for (const Kind kind : tasks::kKinds) {
    const std::string name(kind_name(kind));
    const Study study = *create_study(
        *store_, {.name = name, .tasks = {testing::some_task(kind, 12)}, .overlap = 2});
    Stream stream(1, "answers", static_cast<std::uint64_t>(kind));
    for (const char* annotator : {"ann", "bob"}) {
      answer(study, annotator,
             [&](const Served& served) { return testing::some_answer(served, stream); });
    }
    const DisputeList list = *disputes(study, {});
    ASSERT_FALSE(list.disputes.empty()) << name;
    for (const Dispute& one : list.disputes) {
      ASSERT_TRUE(rule(study, one.item, one.answers[0].answer, fmt::format("{}", one.item)));
    }
    const StudyTask& task = study.tasks()[0];
    const tasks::Task whole = load_sheets(study, task)->task;
    const std::string sheet =
        text_of([&](const Sink& sink) { return export_decisions(study, task, sink); });
    const auto read = tasks::parse_answers(sheet, "decisions", whole);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->size(), 1U);
    EXPECT_EQ(read->front().rater, "adjudicated");
    EXPECT_EQ(read->front().kind, RaterKind::kAdjudicated);
    std::ofstream(folder / "gold.task.jsonl")
        << text_of([&](const Sink& sink) { return export_gold_candidates(study, task, sink); });
    const auto gold = tasks::read_task(folder / "gold.task.jsonl");
    ASSERT_TRUE(gold) << gold.error().message;
    EXPECT_EQ(gold->items.size(), read->front().answered()) << name;
    for (const tasks::Item& item : gold->items) EXPECT_FALSE(item.gold.empty()) << name;
  }
}

TEST_P(Adjudication, AStudyGivesItsTaskBackAsItWas) {
  for (const Kind kind : tasks::kKinds) {
    const tasks::Task task = testing::some_task(kind, 9);
    const Study study =
        *create_study(*store_, {.name = std::string(kind_name(kind)), .tasks = {task}});
    const auto loaded = load_sheets(study, study.tasks()[0]);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(tasks::items_hash(loaded->task), study.tasks()[0].items_sha256);
    EXPECT_EQ(loaded->task.items, task.items) << kind_name(kind);
    EXPECT_TRUE(loaded->people.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Adjudication, ::testing::ValuesIn(testing::backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace plumb::study
