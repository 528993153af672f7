// Small studies for tests: a folder of their own, tasks of every kind, a clock that a test moves.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "plumb/study/create.h"
#include "plumb/study/study.h"
#include "plumb/study/testing_postgres.h"
#include "plumb/tasks/testing.h"

namespace plumb::study::testing {

// Removed with what is in it.
class Folder {
 public:
  Folder() {
    static std::atomic<int> made{0};
    path_ = std::filesystem::path(::testing::TempDir()) /
            fmt::format("plumb_study_{}_{}", ::getpid(), made++);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline tasks::Task some_task(tasks::Kind kind, std::size_t items) {
  Stream stream(7, "items of a test", items);
  tasks::Task task = tasks::testing::random_task(kind, items, stream);
  task.name = std::string(kind_name(kind));
  return task;
}

// An answer to what was served, drawn at random, as a page would send it.
inline Json some_answer(const Served& served, Stream& stream) {
  const auto below = [&stream](std::uint64_t n) { return static_cast<int>(stream.below(n)); };
  switch (served.kind) {
    case tasks::Kind::kSts:
      return {{"rating", below(6)}};
    case tasks::Kind::kClassification:
      return {{"label", std::string(1, static_cast<char>('x' + below(3)))}};
    case tasks::Kind::kClustering: {
      Json groups = Json::object();
      for (const Json& text : served.body["texts"]) {
        groups[text["id"].get<std::string>()] = fmt::format("group {}", below(3));
      }
      return {{"groups", groups}};
    }
    case tasks::Kind::kReranking: {
      Json grades = Json::array();
      for (std::size_t i = 0; i < served.body["candidates"].size(); ++i) grades.push_back(below(2));
      return {{"grades", grades}};
    }
    case tasks::Kind::kPreference:
      break;
  }
  const char* choices[] = {"A", "B", "tie", "both bad"};
  return {{"choice", choices[below(4)]}};
}

// Whether the tests that take long were asked for (`./dev test --long`). Defined in kill_test.cc.
bool wants_long_tests();

inline std::int64_t count_of(Store& store, const std::string& sql) {
  auto count = store.read<std::int64_t>([&](Connection& c) { return c.count(sql); });
  EXPECT_TRUE(count) << count.error().message;
  return count.value_or(-1);
}

// A database for the conformance tests, wherever a backend keeps it.
class Place {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

  virtual Result<std::unique_ptr<Store>> open(Store::Mode mode, Clock clock) = 0;
};

struct Backend {
  std::string name;
  // Why it cannot be tested here; "": it can.
  std::function<std::string()> missing;
  std::function<std::unique_ptr<Place>()> make;

  friend std::ostream& operator<<(std::ostream& out, const Backend& backend) {
    return out << backend.name;
  }
};

class SqlitePlace : public Place {
 public:
  Result<std::unique_ptr<Store>> open(Store::Mode mode, Clock clock) override {
    return Store::open(folder_ / "studio.db", {.mode = mode, .clock = std::move(clock)});
  }

 private:
  Folder folder_;
};

// A schema of its own.
class PostgresPlace : public Place {
 public:
  Result<std::unique_ptr<Store>> open(Store::Mode mode, Clock clock) override {
    return Store::open_postgres(url_, {.mode = mode, .clock = std::move(clock)});
  }

 private:
  std::string url_ = PostgresServer::running().make_schema();
};

// Every backend that the conformance tests run on.
inline std::vector<Backend> backends() {
  return {
      {"sqlite", [] { return std::string(); }, [] { return std::make_unique<SqlitePlace>(); }},
      {"postgres", PostgresServer::why_missing, [] { return std::make_unique<PostgresPlace>(); }}};
}

}  // namespace plumb::study::testing
