#include "plumb/server/views.h"

#include <gtest/gtest.h>

#include "plumb/study/create.h"
#include "plumb/study/testing.h"

namespace plumb::server {
namespace {

using study::Study;

class ViewsTest : public ::testing::Test {
 protected:
  ViewsTest()
      : store_(*study::Store::open(folder_ / "s.db", {.mode = study::Store::Mode::kCreate})),
        study_(*study::create_study(
            *store_, {.name = "demo",
                      .tasks = {study::testing::some_task(tasks::Kind::kSts, 6),
                                study::testing::some_task(tasks::Kind::kPreference, 6)}})) {}

  study::testing::Folder folder_;
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

}  // namespace
}  // namespace plumb::server
