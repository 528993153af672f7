// What a power cut and a full disk leave of what was acknowledged.
#include <gtest/gtest.h>

#include <set>

#include "plumb/study/accounts.h"
#include "plumb/study/testing.h"
#include "plumb/study/testing_vfs.h"

namespace plumb::study {
namespace {

using testing::DiskEvent;
using testing::Folder;
using testing::Loss;
using testing::RecordingVfs;

std::unique_ptr<Store> open_on(const Folder& folder, const RecordingVfs& vfs, bool weak) {
  auto store =
      Store::open(folder / "studio.db",
                  {.mode = Store::Mode::kCreate,
                   .clock = system_clock_ms,
                   .sqlite = {.vfs = vfs.name(), .weak_durability = weak, .checkpoint_pages = 40}});
  EXPECT_TRUE(store) << store.error().message;
  return std::move(*store);
}

// How an acknowledged action is known again.
std::string mark_of(std::int64_t id, const std::string& action, const std::string& body) {
  return fmt::format("{} {} {}", id, action, body);
}

std::set<std::string> marks_in(Store& store) {
  auto marks =
      store.read<std::set<std::string>>([](Connection& c) -> Result<std::set<std::string>> {
        PLUMB_TRY(rows, c.query("SELECT id, action, COALESCE(body, '') FROM answers"));
        std::set<std::string> found;
        for (const Row& row : rows) found.insert(mark_of(row.integer(0), row.text(1), row.text(2)));
        return found;
      });
  EXPECT_TRUE(marks) << marks.error().message;
  return marks.value_or(std::set<std::string>());
}

std::string body_of_rating(int rating) { return fmt::format(R"({{"rating":{}.0}})", rating); }

// One annotator's answers, drafts, skips and undos, every one acknowledged in the record.
void work(RecordingVfs& vfs, Store& store, int answers) {
  auto study =
      create_study(store, {.name = "demo", .tasks = {testing::some_task(tasks::Kind::kSts, 200)}});
  ASSERT_TRUE(study) << study.error().message;
  vfs.acknowledge("study");
  const auto annotator = study->enroll("R1", tasks::RaterKind::kPerson)->id;
  for (int i = 0; i < answers; ++i) {
    const Served served = *study->next(annotator)->served;
    const std::string key = fmt::format("key {}", i);
    if (i % 3 == 0) {
      ASSERT_TRUE(study->save_draft(annotator, {served.slot, {{"rating", 1}}}));
    }
    if (i % 10 == 9) {
      const Receipt receipt = *study->skip(annotator, {served.slot, key, "unclear"});
      vfs.acknowledge(mark_of(receipt.answer, "skip", R"({"reason":"unclear"})"));
      continue;
    }
    const Receipt receipt = *study->submit(annotator, {served.slot, key, {{"rating", i % 6}}});
    vfs.acknowledge(mark_of(receipt.answer, "answer", body_of_rating(i % 6)));
    if (i % 7 == 6) {
      ASSERT_TRUE(study->undo(annotator, key + " undo"));
    }
  }
}

// How many acknowledged actions of the events the image lacks; its soundness is expected.
std::size_t lost_in(std::span<const DiskEvent> events, const Folder& folder) {
  std::set<std::string> acknowledged;
  bool has_study = false;
  for (const DiskEvent& event : events) {
    if (event.what != DiskEvent::What::kAcknowledge) continue;
    if (event.file == "study") {
      has_study = true;
    } else {
      acknowledged.insert(event.file);
    }
  }
  auto store = Store::open(folder / "image" / "studio.db",
                           {.mode = Store::Mode::kCreate, .clock = system_clock_ms});
  EXPECT_TRUE(store) << store.error().message;
  if (!store) return acknowledged.size() + 1;
  const auto sound = (*store)->read<std::string>([](Connection& c) -> Result<std::string> {
    PLUMB_TRY(row, c.first("PRAGMA integrity_check"));
    PLUMB_TRY(dangling, c.query("PRAGMA foreign_key_check"));
    return dangling.empty() ? row->text(0) : std::string("dangling references");
  });
  EXPECT_EQ(sound.value_or("unreadable"), "ok");
  std::size_t lost = has_study && !Study::open(**store, "demo") ? 1 : 0;
  const auto found = marks_in(**store);
  for (const std::string& mark : acknowledged) lost += found.contains(mark) ? 0 : 1;
  return lost;
}

// Cuts the power around every sync, in every way; returns how many acknowledged actions were lost
// in all of them together.
std::size_t cut_everywhere(const RecordingVfs& vfs, const Folder& folder, std::size_t step,
                           std::size_t& cuts) {
  const std::span events(vfs.events());
  Stream stream(3, "power cuts", 0);
  std::size_t lost = 0, syncs = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const bool interesting =
        events[i].what == DiskEvent::What::kSync || events[i].what == DiskEvent::What::kAcknowledge;
    if (!interesting || ++syncs % step != 0) continue;
    for (const Loss loss : testing::kLosses) {
      for (const std::size_t position : {i, i + 1}) {
        write_image(events.first(position), loss, stream, folder / "image");
        lost += lost_in(events.first(position), folder);
        ++cuts;
      }
    }
  }
  return lost;
}

TEST(PowerLoss, TakesNothingThatWasAcknowledged) {
  const Folder folder;
  RecordingVfs vfs;
  {
    const auto store = open_on(folder, vfs, false);
    work(vfs, *store, testing::wants_long_tests() ? 200 : 60);
  }
  std::size_t cuts = 0;
  EXPECT_EQ(cut_everywhere(vfs, folder, testing::wants_long_tests() ? 1 : 5, cuts), 0U);
  EXPECT_GE(cuts, 200U);
  RecordProperty("power_cuts", static_cast<int>(cuts));
}

TEST(PowerLoss, TakesAnswersWhereTheDiskIsNotWaitedFor) {
  const Folder folder;
  RecordingVfs vfs;
  {
    const auto store = open_on(folder, vfs, true);
    work(vfs, *store, 30);
  }
  std::size_t cuts = 0;
  EXPECT_GT(cut_everywhere(vfs, folder, 3, cuts), 0U)
      << "the control must lose something, or the test shows nothing";
}

TEST(FullDisk, IsSaidAndLosesNothing) {
  for (int writes = 0; writes < 24; ++writes) {
    const Folder folder;
    RecordingVfs vfs;
    const auto store = open_on(folder, vfs, false);
    const auto study = create_study(
        *store, {.name = "demo", .tasks = {testing::some_task(tasks::Kind::kSts, 50)}});
    const auto annotator = study->enroll("R1", tasks::RaterKind::kPerson)->id;
    const Served served = *study->next(annotator)->served;
    const Receipt kept = *study->submit(annotator, {served.slot, "kept", {{"rating", 2}}});
    vfs.writes_left = writes;
    std::optional<Error> failure;
    for (int i = 0; i < 20 && !failure; ++i) {
      const auto receipt =
          study->submit(annotator, {served.slot, fmt::format("more {}", i), {{"rating", i % 6}}});
      if (!receipt) failure = receipt.error();
    }
    ASSERT_TRUE(failure) << writes;
    EXPECT_EQ(failure->kind, ErrorKind::kExhausted) << failure->message;
    EXPECT_NE(failure->message.find("the disk is full"), std::string::npos) << failure->message;
    EXPECT_TRUE(marks_in(*store).contains(mark_of(kept.answer, "answer", body_of_rating(2))));
    vfs.writes_left = -1;
    const auto after = study->submit(annotator, {served.slot, "after", {{"rating", 3}}});
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(after->revision, testing::count_of(*store, "SELECT COUNT(*) FROM answers"));
  }
}

TEST(FullDisk, KeepsNobodyFromReadingWhoIsSignedInOrHasAToken) {
  const Folder folder;
  RecordingVfs vfs;
  std::int64_t now = 1'700'000'000'000;
  const auto store = *Store::open(folder / "studio.db", {.mode = Store::Mode::kCreate,
                                                         .clock = [&now] { return now; },
                                                         .sqlite = {.vfs = vfs.name()}});
  const Accounts accounts(*store);
  const Account owner = *accounts.create("owner", Role::kOwner, "hash");
  ASSERT_TRUE(accounts.start_session(owner.id, "session"));
  ASSERT_TRUE(accounts.make_token(owner.id, "token", "nightly", Role::kViewer, now + 3'600'000));
  vfs.writes_left = 0;
  now += 120'000;  // the use of either is to be noted
  ASSERT_FALSE(accounts.start_session(owner.id, "another"));
  const auto session = accounts.session("session"), bearer = accounts.bearer("token");
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ((*session)->name, "owner");
  ASSERT_TRUE(bearer) << bearer.error().message;
  EXPECT_EQ((*bearer)->role, Role::kViewer);
  vfs.writes_left = -1;
  ASSERT_TRUE(accounts.bearer("token"));
  EXPECT_EQ((*accounts.tokens_of(owner.id))[0].used_ms, now) << "when there is room it is noted";
}

TEST(FullDisk, MakesNoHalfAStudy) {
  const Folder folder;
  RecordingVfs vfs;
  const auto store = open_on(folder, vfs, false);
  vfs.writes_left = 5;
  const auto made =
      create_study(*store, {.name = "demo", .tasks = {testing::some_task(tasks::Kind::kSts, 500)}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kExhausted) << made.error().message;
  vfs.writes_left = -1;
  EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(*) FROM items"), 0);
}

TEST(FailedSync, IsNoAcknowledgement) {
  const Folder folder;
  RecordingVfs vfs;
  const auto store = open_on(folder, vfs, false);
  const auto study =
      create_study(*store, {.name = "demo", .tasks = {testing::some_task(tasks::Kind::kSts, 50)}});
  const auto annotator = study->enroll("R1", tasks::RaterKind::kPerson)->id;
  const Served served = *study->next(annotator)->served;
  vfs.syncs_left = 0;
  const auto receipt = study->submit(annotator, {served.slot, "k", {{"rating", 2}}});
  ASSERT_FALSE(receipt);
  EXPECT_NE(receipt.error().message.find("the disk failed"), std::string::npos)
      << receipt.error().message;
  vfs.syncs_left = -1;
  const auto again = study->submit(annotator, {served.slot, "k", {{"rating", 2}}});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(*) FROM answers"), 1);
}

}  // namespace
}  // namespace plumb::study
