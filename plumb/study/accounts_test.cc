#include "plumb/study/accounts.h"

#include <gtest/gtest.h>

#include "plumb/study/create.h"
#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

// A studio with one study of four items.
struct Studio {
  std::unique_ptr<testing::Place> place;
  std::unique_ptr<Store> store;
  std::int64_t study;

  Study of() const { return *Study::open(*store, "demo"); }
  Accounts accounts() const { return Accounts(*store); }
  Account invited(const std::string& name) const {
    EXPECT_TRUE(accounts().invite("token of " + name, Role::kAnnotator, study, std::nullopt));
    const auto account = accounts().accept("token of " + name, name, "hash of " + name);
    EXPECT_TRUE(account) << account.error().message;
    return *account;
  }
};

class AccountsTest : public ::testing::TestWithParam<testing::Backend> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().missing(); !why.empty()) GTEST_SKIP() << why;
  }

  static Studio studio() {
    Studio made{GetParam().make(), nullptr, 0};
    made.store =
        std::move(*made.place->open(Store::Mode::kCreate, [] { return 1'700'000'000'000; }));
    const auto study = create_study(
        *made.store,
        {.name = "demo", .tasks = {testing::some_task(tasks::Kind::kPreference, 4)}, .overlap = 2});
    EXPECT_TRUE(study) << study.error().message;
    made.study = study->info().id;
    return made;
  }
};

TEST_P(AccountsTest, PeopleOfOneStudioComeToAnotherAsWhoTheyWere) {
  const Studio before = studio(), after = studio();
  ASSERT_TRUE(before.accounts().create("owner", Role::kOwner, "hash of owner"));
  ASSERT_TRUE(before.of().enroll("R1", tasks::RaterKind::kPerson));  // imported, without an account
  const Account ada = before.invited("Ada"), ben = before.invited("Ben");
  ASSERT_TRUE(before.accounts().set_disabled(ben.id, true));

  EXPECT_EQ(carry_people(before.of(), after.of()), 3U);
  const auto owner = after.accounts().find("owner");
  ASSERT_TRUE(owner && *owner);
  EXPECT_EQ((*owner)->role, Role::kOwner);
  EXPECT_EQ((*owner)->password_hash, "hash of owner");
  const auto found = after.accounts().find("Ada");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->role, Role::kAnnotator);
  const auto seat = after.accounts().annotator((*found)->id, after.study);
  ASSERT_TRUE(seat && *seat);
  EXPECT_EQ(after.of().annotator("R2")->id, **seat) << "under the pseudonym that Ada had";
  EXPECT_TRUE((*after.accounts().find("Ben"))->disabled);
  EXPECT_EQ(after.of().annotator("R1").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(after.of().next(**seat)->state, Next::State::kItem);
}

TEST_P(AccountsTest, NobodyIsInvitedWhereNobodyCouldAnswer) {
  const Studio simulated = studio(), frozen = studio();
  const auto invite = [](const Studio& to) {
    return to.accounts().invite("token", Role::kAnnotator, to.study, std::nullopt);
  };
  ASSERT_TRUE(simulated.of().enroll("S1", tasks::RaterKind::kSimulated));
  const auto beside = invite(simulated);
  ASSERT_FALSE(beside);
  EXPECT_EQ(beside.error().kind, ErrorKind::kNotAllowed);
  EXPECT_NE(beside.error().message.find("never share a study"), std::string::npos);
  ASSERT_TRUE(frozen.of().freeze());
  const auto late = invite(frozen);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kNotAllowed);
  EXPECT_NE(late.error().message.find("is frozen"), std::string::npos);
  EXPECT_TRUE(frozen.accounts().invite("token", Role::kViewer, std::nullopt, std::nullopt));
}

TEST_P(AccountsTest, NamesThatAreThereStayWhoseTheyAreAndNobodyComesTwice) {
  const Studio before = studio(), after = studio();
  before.invited("Ada");
  ASSERT_TRUE(after.accounts().create("Ada", Role::kViewer, "hash of another"));
  EXPECT_EQ(carry_people(before.of(), after.of()), 0U);
  EXPECT_EQ((*after.accounts().find("Ada"))->role, Role::kViewer);
  before.invited("Ben");
  EXPECT_EQ(carry_people(before.of(), after.of()), 1U);
  EXPECT_EQ(carry_people(before.of(), after.of()), 0U);
  EXPECT_EQ(after.accounts().count(), 2);
}

INSTANTIATE_TEST_SUITE_P(Backends, AccountsTest, ::testing::ValuesIn(testing::backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace plumb::study
