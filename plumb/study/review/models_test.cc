#include "plumb/study/review/models.h"

#include <gtest/gtest.h>

#include "plumb/study/create.h"
#include "plumb/study/testing.h"
#include "plumb/tasks/answers_file.h"

namespace plumb::study {
namespace {

using tasks::AnswerSheet;
using tasks::Kind;
using tasks::RaterKind;

class Models : public ::testing::TestWithParam<testing::Backend> {
 protected:
  Models() : place_(GetParam().make()) {
    auto store = place_->open(Store::Mode::kCreate, [this] { return now_; });
    EXPECT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }

  static AnswerSheet sheet_of(const tasks::Task& task, const std::string& rater, int run = 0) {
    Stream stream(3, rater, static_cast<std::uint64_t>(run));
    AnswerSheet sheet{.rater = rater, .kind = RaterKind::kModel, .run = run};
    for (const tasks::Item& item : task.items) {
      sheet.answers.emplace_back(
          tasks::testing::random_answer(task.kind, stream, item.texts.size() - 1));
    }
    return sheet;
  }

  std::unique_ptr<testing::Place> place_;
  std::int64_t now_ = 1'700'000'000'000;
  std::unique_ptr<Store> store_;
};

TEST_P(Models, AnswersComeBackAsTheyWereForEveryKindOfTask) {
  for (const Kind kind : tasks::kKinds) {
    const tasks::Task task = testing::some_task(kind, 8);
    const Study study =
        *create_study(*store_, {.name = std::string(kind_name(kind)), .tasks = {task}});
    const StudyTask& own = study.tasks()[0];
    const std::vector<AnswerSheet> sheets = {sheet_of(task, "a", 0), sheet_of(task, "a", 1),
                                             sheet_of(task, "b/c", 0)};
    const auto attached = attach_models(study, own, task, sheets, "owner");
    ASSERT_TRUE(attached) << attached.error().message;
    const auto back = model_sheets(study, own, task);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->size(), 3U);
    EXPECT_EQ(tasks::format_answers(task, *back).size(),
              tasks::format_answers(task, sheets).size());
    if (kind == Kind::kClustering) continue;  // groups get numbers by their first occurrence
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ((*back)[i].answers, sheets[i].answers);
  }
}

TEST_P(Models, AttachedAgainReplaceWhatTheyHadAndAreTakenAway) {
  const tasks::Task task = testing::some_task(Kind::kSts, 4);
  const Study study = *create_study(*store_, {.name = "demo", .tasks = {task}});
  const StudyTask& own = study.tasks()[0];
  const std::vector<AnswerSheet> two = {sheet_of(task, "a", 0), sheet_of(task, "a", 1)};
  ASSERT_TRUE(attach_models(study, own, task, two, "owner"));
  const AnswerSheet one = sheet_of(task, "a", 0);
  ASSERT_TRUE(attach_models(study, own, task, {&one, 1}, "m"));
  const auto list = *models_of(study);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].rater, "a");
  EXPECT_EQ(list[0].answered, 4);
  EXPECT_EQ(list[0].attached_by, "m");
  EXPECT_EQ(list[0].attached_ms, now_);
  EXPECT_EQ(detach_model(study, "b").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(detach_model(study, "a"));
  EXPECT_TRUE(models_of(study)->empty());
}

TEST_P(Models, AreNoPeopleAndAnswerSomething) {
  const tasks::Task task = testing::some_task(Kind::kSts, 4);
  const Study study = *create_study(*store_, {.name = "demo", .tasks = {task}});
  const auto refused = [&](AnswerSheet sheet) {
    const auto done = attach_models(study, study.tasks()[0], task, {&sheet, 1}, "owner");
    return !done && done.error().kind == ErrorKind::kBadInput;
  };
  AnswerSheet sheet = sheet_of(task, "a");
  for (const RaterKind kind :
       {RaterKind::kPerson, RaterKind::kSimulated, RaterKind::kAdjudicated}) {
    sheet.kind = kind;
    EXPECT_TRUE(refused(sheet)) << rater_kind_name(kind);
  }
  sheet.kind = RaterKind::kModel;
  sheet.answers.assign(4, std::nullopt);
  EXPECT_TRUE(refused(sheet));
  sheet.answers.pop_back();
  EXPECT_TRUE(refused(sheet));
  sheet = sheet_of(task, "");
  EXPECT_TRUE(refused(sheet));
}

INSTANTIATE_TEST_SUITE_P(Backends, Models, ::testing::ValuesIn(testing::backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace plumb::study
