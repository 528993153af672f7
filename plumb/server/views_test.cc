#include "plumb/server/views.h"

#include <gtest/gtest.h>

#include "plumb/study/create.h"
#include "plumb/study/review/models.h"
#include "plumb/study/testing.h"

namespace plumb::server {
namespace {

using study::Study;

class ViewsTest : public ::testing::Test {
 protected:
  ViewsTest()
      : store_(*study::Store::open(folder_ / "s.db", {.mode = study::Store::Mode::kCreate,
                                                      .clock = [this] { return now_; }})),
        study_(*study::create_study(
            *store_, {.name = "demo",
                      .tasks = {study::testing::some_task(tasks::Kind::kSts, 6),
                                study::testing::some_task(tasks::Kind::kPreference, 6)}})) {}

  study::testing::Folder folder_;
  std::int64_t now_ = 1'700'000'000'000;
  std::unique_ptr<study::Store> store_;
  Study study_;
};

TEST_F(ViewsTest, AComputationIsAskedBetweenItsPartsWhetherItMayGoOn) {
  int parts = 0;
  ASSERT_TRUE(compute_view(study_, [&parts] {
    ++parts;
    return Result<void>();
  }));
  EXPECT_EQ(parts, 5) << "agreement and gap of each task, and disputes";
  for (int most = 0; most < parts; ++most) {
    int asked = 0;
    const auto ended = compute_view(study_, [&]() -> Result<void> {
      return asked++ < most ? Result<void>() : fail(ErrorKind::kBusy, "the end");
    });
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().message, "the end");
    EXPECT_EQ(asked, most + 1);
  }
}

TEST_F(ViewsTest, NothingIsComputedAfterAStop) {
  Views views(*store_);
  EXPECT_EQ((*views.of(study_, std::chrono::seconds(60)))["current"], true);
  views.stop();
  EXPECT_TRUE(views.ends_by(std::chrono::steady_clock::now() + std::chrono::seconds(60)));
  ASSERT_TRUE(study_.enroll("R1", tasks::RaterKind::kPerson));
  const auto old = views.of(study_, std::chrono::milliseconds(1));
  ASSERT_TRUE(old);
  EXPECT_EQ((*old)["current"], false);
  EXPECT_EQ((*old)["computing"], false);
}

TEST_F(ViewsTest, AModelThatIsAttachedAgainMakesAViewOld) {
  const tasks::Task task = study::testing::some_task(tasks::Kind::kSts, 6);
  const auto attach = [&](double rating) {
    tasks::AnswerSheet sheet{.rater = "a", .kind = tasks::RaterKind::kModel};
    sheet.answers.assign(task.items.size(), tasks::Answer{rating});
    const auto attached = attach_models(study_, study_.tasks()[0], task, {&sheet, 1}, "owner");
    ASSERT_TRUE(attached) << attached.error().message;
  };
  attach(1);
  Views views(*store_);
  ASSERT_EQ((*views.of(study_, std::chrono::seconds(60)))["current"], true);
  views.stop();
  ASSERT_EQ((*views.of(study_))["current"], true);
  now_ += 1000;
  attach(2);
  EXPECT_EQ((*views.of(study_))["current"], false);
}

}  // namespace
}  // namespace plumb::server
