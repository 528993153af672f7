// Many annotators at once, who reload, walk away, come back too late and send everything twice.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <new>
#include <thread>
#include <tuple>

#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

constexpr int kClients = 32;
constexpr std::size_t kItems = 2000;

// What all clients share, also those of another process.
struct Shared {
  static constexpr std::size_t kAnswers = 1 << 20;

  std::atomic<std::int64_t> clock = 1'700'000'000'000;
  std::atomic<int> late = 0, surplus = 0, reloads = 0;
  std::array<std::atomic<bool>, kAnswers> acknowledged = {};  // by the answer's id

  std::int64_t answers() const {
    return std::ranges::count_if(acknowledged, [](const auto& one) { return one.load(); });
  }
};

struct Unmap {
  void operator()(Shared* shared) const { ::munmap(shared, sizeof(Shared)); }
};

std::unique_ptr<Shared, Unmap> make_shared_memory() {
  void* memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(memory, MAP_FAILED);
  return std::unique_ptr<Shared, Unmap>(new (memory) Shared);
}

class Client {
 public:
  Client(const Study& study, Shared& shared, int number)
      : study_(study),
        shared_(shared),
        number_(number),
        stream_(5, "client", static_cast<std::uint64_t>(number)) {}

  // Until there is nothing left to answer.
  void run() {
    const auto annotator = study_.enroll(fmt::format("R{}", number_), tasks::RaterKind::kPerson);
    ASSERT_TRUE(annotator) << annotator.error().message;
    id_ = annotator->id;
    while (true) {
      const auto next = study_.next(id_);
      ASSERT_TRUE(next) << next.error().message;
      if (next->state == Next::State::kFinished) return;
      if (next->state == Next::State::kWait) {
        // So slowly that whoever holds the last slot comes to answer it, however many wait.
        shared_.clock += study_.info().lease_ms / 200;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
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
        shared_.clock += study_.info().lease_ms + 1;
        std::this_thread::yield();
        return submit(served);
      case 2:
        ASSERT_TRUE(study_.save_draft(id_, {served.slot, {{"rating", 1}}}));
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
    const auto again = study_.next(id_);
    ASSERT_TRUE(again) << again.error().message;
    if (again->served && again->served->slot == served.slot) ++shared_.reloads;
  }

  // Each request is sent twice, as a client does that did not hear the answer.
  void submit(const Served& served) {
    const Submission submission{.slot = served.slot,
                                .key = fmt::format("{}.{}", number_, keys_++),
                                .answer = testing::some_answer(served, stream_)};
    const auto first = study_.submit(id_, submission);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = study_.submit(id_, submission);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(first->answer, second->answer);
    EXPECT_TRUE(second->again);
    shared_.late += first->late ? 1 : 0;
    shared_.surplus += first->surplus ? 1 : 0;
    ASSERT_LT(static_cast<std::size_t>(first->answer), Shared::kAnswers);
    shared_.acknowledged[static_cast<std::size_t>(first->answer)] = true;
  }

  const Study& study_;
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
        "SELECT slot_id, granted_ms, COALESCE(ended_ms, 4000000000000000000) FROM leases ORDER BY "
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

void expect_all_counted(Store& store, std::size_t items, int overlap) {
  const auto count = [&store](const std::string& sql) { return testing::count_of(store, sql); };
  EXPECT_EQ(count("SELECT COUNT(*) FROM slots"), static_cast<std::int64_t>(items) * overlap);
  EXPECT_EQ(count("SELECT COUNT(*) FROM slots WHERE state <> 'submitted'"), 0);
  EXPECT_EQ(count("SELECT COUNT(*) FROM (SELECT item_id, annotator_id FROM slots GROUP BY item_id, "
                  "annotator_id HAVING COUNT(*) > 1) AS twice"),
            0);
  EXPECT_EQ(count("SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM slots WHERE answer_id IS NOT NULL "
                  "GROUP BY item_id) AS counted"),
            overlap);
  EXPECT_EQ(count("SELECT COUNT(*) FROM slots JOIN answers ON answers.id = slots.answer_id WHERE "
                  "answers.annotator_id <> slots.annotator_id OR answers.surplus = 1"),
            0);
}

void run_clients(const Study& study, Shared& shared, int begin, int end) {
  std::vector<std::thread> threads;
  for (int c = begin; c < end; ++c) {
    threads.emplace_back([&study, &shared, c] { Client(study, shared, c).run(); });
  }
  for (std::thread& thread : threads) thread.join();
}

// A server with some of the clients, in a process of its own. Never returns.
[[noreturn]] void serve(testing::Place& place, Shared& shared, int begin, int end) {
  auto store = place.open(Store::Mode::kWrite, [&shared] { return shared.clock.load(); });
  EXPECT_TRUE(store) << store.error().message;
  if (store) {
    const auto study = Study::open(**store, "race");
    EXPECT_TRUE(study) << study.error().message;
    if (study) run_clients(*study, shared, begin, end);
  }
  std::fflush(nullptr);
  _exit(::testing::Test::HasFailure() ? 1 : 0);
}

void expect_clients_of_processes(testing::Place& place, Shared& shared, int processes) {
  std::vector<pid_t> servers;
  for (int p = 0; p < processes; ++p) {
    servers.push_back(::fork());
    if (servers.back() == 0) {
      serve(place, shared, p * kClients / processes, (p + 1) * kClients / processes);
    }
  }
  for (const pid_t server : servers) {
    int status = -1;
    ::waitpid(server, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

class Race : public ::testing::TestWithParam<std::tuple<testing::Backend, int>> {
 protected:
  // Of PostgreSQL the two servers do what one does, and more; and each statement is an exchange
  // with another process, so one k has all items there and the others some, but in the long run.
  void SetUp() override {
    const auto& [backend, overlap] = GetParam();
    if (const std::string why = backend.missing(); !why.empty()) GTEST_SKIP() << why;
    place_ = backend.make();
    overlap_ = overlap;
    const bool all = backend.name == "sqlite" || overlap == 2 || testing::wants_long_tests();
    items_ = all ? kItems : kItems / 5;
    auto store = open(Store::Mode::kCreate);
    ASSERT_TRUE(create_study(*store, {.name = "race",
                                      .tasks = {testing::some_task(tasks::Kind::kSts, items_)},
                                      .overlap = overlap}));
  }

  std::unique_ptr<Store> open(Store::Mode mode) {
    auto store = place_->open(mode, [this] { return shared_->clock.load(); });
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }

  void expect_all_well() {
    const auto store = open(Store::Mode::kRead);
    expect_leases_in_turn(*store);
    expect_all_counted(*store, items_, overlap_);
    EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(*) FROM answers"), shared_->answers());
    EXPECT_GT(shared_->late.load(), 0);
    EXPECT_GT(shared_->surplus.load(), 0);
    EXPECT_GT(shared_->reloads.load(), 0);
  }

  std::unique_ptr<testing::Place> place_;
  std::size_t items_ = 0;
  int overlap_ = 0;
  std::unique_ptr<Shared, Unmap> shared_ = make_shared_memory();
};

std::string race_name(const ::testing::TestParamInfo<Race::ParamType>& race) {
  return fmt::format("{}_{}", std::get<0>(race.param).name, std::get<1>(race.param));
}

TEST_P(Race, GivesNoSlotTwiceAndNobodyAnItemTwice) {
  {
    auto store = open(Store::Mode::kWrite);
    run_clients(*Study::open(*store, "race"), *shared_, 0, kClients);
  }
  expect_all_well();
}

INSTANTIATE_TEST_SUITE_P(Overlaps, Race,
                         ::testing::Combine(::testing::Values(testing::backends().front()),
                                            ::testing::Values(1, 2, 3)),
                         race_name);

// Of a file there is one server at most.
class RaceOfServers : public Race {};

TEST_P(RaceOfServers, GivesNoSlotTwiceAndNobodyAnItemTwice) {
  expect_clients_of_processes(*place_, *shared_, 2);
  expect_all_well();
}

INSTANTIATE_TEST_SUITE_P(Overlaps, RaceOfServers,
                         ::testing::Combine(::testing::Values(testing::backends().back()),
                                            ::testing::Values(1, 2, 3)),
                         race_name);

}  // namespace
}  // namespace plumb::study
