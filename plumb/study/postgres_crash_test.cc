// A server of PostgreSQL that crashes and comes back while people answer.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>

#include "plumb/study/testing_postgres_store.h"

namespace plumb::study {
namespace {

using testing::Postgres;

// Answers go on while the server crashes and comes back; whoever hears no acknowledgement sends
// the same again.
class PostgresCrash : public Postgres {
 protected:
  struct Log {
    std::mutex mutex;
    std::map<std::string, std::string> acknowledged;  // key: body
  };

  void answer_on(const Study& study, int client, Log& log) {
    const std::int64_t id = annotators_[static_cast<std::size_t>(client)];
    for (int i = 0; !enough_; ++i) {
      const auto next = study.next(id);
      if (!next) continue;
      if (!next->served) return;
      const std::string key = fmt::format("{}.{}.{}", client, round_.load(), i);
      const int rating = (client + i) % 6;
      const Submission submission{next->served->slot, key, {{"rating", rating}}};
      bool saved = false;
      while (!enough_ && !saved) saved = study.submit(id, submission).has_value();
      if (!saved) return;
      const std::lock_guard lock(log.mutex);
      log.acknowledged[key] = fmt::format("{{\"rating\":{}.0}}", rating);
    }
  }

  static std::size_t count(Log& log) {
    const std::lock_guard lock(log.mutex);
    return log.acknowledged.size();
  }

  // Crashes the server after some answers, at work, and starts it again.
  void crash(const Study& study, Log& log, Stream& stream) {
    const std::size_t until = count(log) + 3 + stream.below(20);
    enough_ = false;
    ++round_;
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c) {
      clients.emplace_back([this, &study, &log, c] { answer_on(study, c, log); });
    }
    while (count(log) < until) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    server().stop(SIGQUIT);
    server().start();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    enough_ = true;
    for (std::thread& client : clients) client.join();
  }

  static std::size_t lost(Store& store, const Log& log) {
    std::map<std::string, std::string> found;
    EXPECT_TRUE(store.read_void([&](Connection& c) {
      return c.each("SELECT request_key, body FROM answers", {},
                    [&](const Row& row) -> Result<void> {
                      EXPECT_TRUE(found.emplace(row.text(0), row.text(1)).second) << row.text(0);
                      return Result<void>();
                    });
    }));
    std::size_t count = 0;
    for (const auto& [key, body] : log.acknowledged) {
      count += found.contains(key) && found[key] == body ? 0 : 1;
    }
    return count;
  }

  // How many of the acknowledged answers so many crashes take.
  std::size_t lost_in(int crashes, PostgresOptions options, Log& log) {
    const auto store = open(Store::Mode::kCreate, options);
    const Study study = make(*store, 4000, 3);
    for (int c = 0; c < 4; ++c) {
      annotators_.push_back(study.enroll(fmt::format("R{}", c), tasks::RaterKind::kPerson)->id);
    }
    server().run("CHECKPOINT");
    Stream stream(21, "crashes", 0);
    std::size_t gone = 0;
    for (int i = 0; i < crashes && gone == 0; ++i) {
      crash(study, log, stream);
      gone = lost(*store, log);
    }
    return gone;
  }

  std::atomic<bool> enough_ = false;
  std::atomic<int> round_ = 0;
  std::vector<std::int64_t> annotators_;
};

TEST_F(PostgresCrash, TakesNoAcknowledgedAnswer) {
  Log log;
  EXPECT_EQ(lost_in(testing::wants_long_tests() ? 100 : 5, {}, log), 0U);
  EXPECT_GE(log.acknowledged.size(), 15U);
  RecordProperty("acknowledged", static_cast<int>(log.acknowledged.size()));
}

TEST_F(PostgresCrash, TakesSomeWhereNobodyWaitsForTheDisk) {
  Log log;
  EXPECT_GT(lost_in(20, {.weak_durability = true}, log), 0U)
      << "the control must lose something, or the test shows nothing";
}

}  // namespace
}  // namespace plumb::study
