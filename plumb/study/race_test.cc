// Many annotators at once, who reload, walk away, come back too late and send everything twice.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

constexpr int kClients = 32;
constexpr std::size_t kItems = 2000;

struct Shared {
  const Study& study;
  std::atomic<std::int64_t>& clock;
  std::mutex mutex = {};
  std::set<std::int64_t> acknowledged = {};  // ids of answers
  std::atomic<int> late = 0, surplus = 0, again = 0, reloads = 0;
};

class Client {
 public:
  Client(Shared& shared, int number)
      : shared_(shared),
        number_(number),
        stream_(5, "client", static_cast<std::uint64_t>(number)) {}

  // Until there is nothing left to answer.
  void run() {
    const auto annotator =
        shared_.study.enroll(fmt::format("R{}", number_), tasks::RaterKind::kPerson);
    ASSERT_TRUE(annotator) << annotator.error().message;
    id_ = annotator->id;
    while (true) {
      const auto next = shared_.study.next(id_);
      ASSERT_TRUE(next) << next.error().message;
      if (next->state == Next::State::kFinished) return;
      if (next->state == Next::State::kWait) {
        shared_.clock += shared_.study.info().lease_ms / 4;  // someone walked away for good
        continue;
      }
      act(*next->served);
    }
  }

 private:
  void act(const Served& served) {
    switch (stream_.below(12)) {
      case 0:
        reload(served);
        return submit(served);
      case 1:  // away until the lease has run out, and back
        shared_.clock += shared_.study.info().lease_ms + 1;
        std::this_thread::yield();
        return submit(served);
      case 2:
        ASSERT_TRUE(shared_.study.save_draft(id_, {served.slot, {{"rating", 1}}}));
        return submit(served);
      case 3:
        submit(served);
        return submit(served);
      default:
        return submit(served);
    }
  }

  // Nobody can have taken the slot, unless a lease ran out meanwhile.
  void reload(const Served& served) {
    const auto again = shared_.study.next(id_);
    ASSERT_TRUE(again) << again.error().message;
    if (again->served && again->served->slot == served.slot) ++shared_.reloads;
  }

  // Each request is sent twice, as a client does that did not hear the answer.
  void submit(const Served& served) {
    const Submission submission{.slot = served.slot,
                                .key = fmt::format("{}.{}", number_, keys_++),
                                .answer = testing::some_answer(served, stream_)};
    const auto first = shared_.study.submit(id_, submission);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = shared_.study.submit(id_, submission);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(first->answer, second->answer);
    EXPECT_TRUE(second->again);
    shared_.late += first->late ? 1 : 0;
    shared_.surplus += first->surplus ? 1 : 0;
    const std::lock_guard lock(shared_.mutex);
    shared_.acknowledged.insert(first->answer);
  }

  Shared& shared_;
  int number_;
  Stream stream_;
  std::int64_t id_ = 0;
  int keys_ = 0;
};

// At no moment two annotators hold one slot: its leases follow one another.
void expect_leases_in_turn(Store& store) {
  const auto read = store.read_void([](Connection& c) {
    std::int64_t slot = 0, until = 0;
    return c.each(
        "SELECT slot_id, granted_ms, COALESCE(ended_ms, 1 << 62) FROM leases ORDER BY "
        "slot_id, id",
        {}, [&](const Row& row) {
          EXPECT_TRUE(row.integer(0) != slot || row.integer(1) >= until) << slot;
          slot = row.integer(0);
          until = row.integer(2);
          return Result<void>();
        });
  });
  EXPECT_TRUE(read);
}

void expect_all_counted(Store& store, int overlap) {
  const auto count = [&store](const std::string& sql) { return testing::count_of(store, sql); };
  EXPECT_EQ(count("SELECT COUNT(*) FROM slots"), static_cast<std::int64_t>(kItems) * overlap);
  EXPECT_EQ(count("SELECT COUNT(*) FROM slots WHERE state <> 'submitted'"), 0);
  EXPECT_EQ(count("SELECT COUNT(*) FROM (SELECT item_id, annotator_id FROM slots GROUP BY item_id, "
                  "annotator_id HAVING COUNT(*) > 1)"),
            0);
  EXPECT_EQ(count("SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM slots WHERE answer_id IS NOT NULL "
                  "GROUP BY item_id)"),
            overlap);
  EXPECT_EQ(count("SELECT COUNT(*) FROM slots JOIN answers ON answers.id = slots.answer_id WHERE "
                  "answers.annotator_id <> slots.annotator_id OR answers.surplus = 1"),
            0);
}

class Race : public ::testing::TestWithParam<int> {};

TEST_P(Race, GivesNoSlotTwiceAndNobodyAnItemTwice) {
  const int overlap = GetParam();
  for (const testing::Backend& backend : testing::backends()) {
    const auto place = backend.make();
    std::atomic<std::int64_t> clock = 1'700'000'000'000;
    auto store = place->open(Store::Mode::kCreate, [&clock] { return clock.load(); });
    ASSERT_TRUE(store) << store.error().message;
    const auto study =
        create_study(**store, {.name = "race",
                               .tasks = {testing::some_task(tasks::Kind::kSts, kItems)},
                               .overlap = overlap});
    ASSERT_TRUE(study) << study.error().message;
    Shared shared{*study, clock};
    std::vector<std::thread> threads;
    for (int c = 0; c < kClients; ++c) {
      threads.emplace_back([&shared, c] { Client(shared, c).run(); });
    }
    for (std::thread& thread : threads) thread.join();
    expect_leases_in_turn(**store);
    expect_all_counted(**store, overlap);
    EXPECT_EQ(testing::count_of(**store, "SELECT COUNT(*) FROM answers"),
              static_cast<std::int64_t>(shared.acknowledged.size()));
    EXPECT_GT(shared.late.load(), 0);
    EXPECT_GT(shared.surplus.load(), 0);
    EXPECT_GT(shared.reloads.load(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Overlaps, Race, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace plumb::study
