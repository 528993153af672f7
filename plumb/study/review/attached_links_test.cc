#include "plumb/study/review/attached_links.h"

#include <gtest/gtest.h>

#include "plumb/base/hash.h"
#include "plumb/study/create.h"
#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

class AttachedLinksTest : public ::testing::TestWithParam<testing::Backend> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().missing(); !why.empty()) GTEST_SKIP() << why;
    place_ = GetParam().make();
    store_ = *place_->open(Store::Mode::kCreate, [] { return 1'700'000'000'000; });
  }
  Study make(const std::string& name) {
    return *create_study(*store_,
                         {.name = name, .tasks = {testing::some_task(tasks::Kind::kSts, 3)}});
  }

  std::unique_ptr<testing::Place> place_;
  std::unique_ptr<Store> store_;
};

TEST_P(AttachedLinksTest, AReportIsOfItsStudyAloneAndReplacesTheOneBefore) {
  const Study one = make("one"), other = make("other");
  EXPECT_EQ(has_links(one), false);
  EXPECT_FALSE(links_of(one)->has_value());
  const std::string text = "{\"schema\": \"plumb.links-report/1\"}\n";
  ASSERT_TRUE(attach_links(one, "first", text, "Mira"));
  ASSERT_TRUE(attach_links(one, "second", text + " ", "Mira"));
  const auto found = links_of(one);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->title, "second");
  EXPECT_EQ((*found)->report, text + " ");
  EXPECT_EQ((*found)->sha256, sha256(text + " "));
  EXPECT_EQ((*found)->attached_by, "Mira");
  EXPECT_EQ((*found)->attached_ms, 1'700'000'000'000);
  EXPECT_EQ(has_links(one), true);
  EXPECT_EQ(has_links(other), false);
}

TEST_P(AttachedLinksTest, WhatIsTakenAwayIsGoneAndWhatIsNotThereIsSaid) {
  const Study study = make("one");
  EXPECT_EQ(detach_links(study).error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(attach_links(study, "t", "{}", ""));
  ASSERT_TRUE(detach_links(study));
  EXPECT_EQ(has_links(study), false);
}

INSTANTIATE_TEST_SUITE_P(Backends, AttachedLinksTest, ::testing::ValuesIn(testing::backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace plumb::study
