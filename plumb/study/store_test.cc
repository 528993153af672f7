#include "plumb/study/store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "plumb/study/db/schema.h"
#include "plumb/study/testing.h"

namespace plumb::study {
namespace {

using testing::Folder;

Error error_of(const std::filesystem::path& path, Store::Mode mode) {
  const auto store = Store::open(path, {.mode = mode});
  EXPECT_FALSE(store) << "it was opened";
  return store ? Error{ErrorKind::kInternal, ""} : store.error();
}

void make(const std::filesystem::path& path, const std::string& sql = "") {
  auto store = Store::open(path, {.mode = Store::Mode::kCreate});
  ASSERT_TRUE(store) << store.error().message;
  if (sql.empty()) return;
  auto done = (*store)->write<std::int64_t>([&](Connection& c) { return c.execute(sql); });
  ASSERT_TRUE(done) << done.error().message;
}

TEST(Store, ASecondProgramThatWritesIsToldWhoDoes) {
  const Folder folder;
  const auto store = Store::open(folder / "s.db", {.mode = Store::Mode::kCreate});
  ASSERT_TRUE(store);
  const Error error = error_of(folder / "s.db", Store::Mode::kWrite);
  EXPECT_EQ(error.kind, ErrorKind::kBusy);
  EXPECT_NE(error.message.find(fmt::format("process {} is writing", ::getpid())), std::string::npos)
      << error.message;
  EXPECT_TRUE(Store::open(folder / "s.db", {.mode = Store::Mode::kRead})) << "readers may";
}

TEST(Store, TheLockGoesWithItsHolder) {
  const Folder folder;
  make(folder / "s.db");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = Store::open(folder / "s.db", {.mode = Store::Mode::kWrite});
    _exit(held ? 0 : 1);  // without closing anything
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(Store::open(folder / "s.db", {.mode = Store::Mode::kWrite}));
}

TEST(Store, ANewerFileIsRefused) {
  const Folder folder;
  make(folder / "s.db", "PRAGMA user_version = 99");
  for (const auto mode : {Store::Mode::kRead, Store::Mode::kWrite, Store::Mode::kCreate}) {
    const Error error = error_of(folder / "s.db", mode);
    EXPECT_EQ(error.kind, ErrorKind::kNotAllowed);
    EXPECT_NE(error.message.find("newer plumb (version 99"), std::string::npos) << error.message;
  }
}

TEST(Store, AnOlderFileIsBroughtUpToDateByWhoeverWrites) {
  const Folder folder;
  {
    auto database = *sqlite_database(folder / "s.db");
    auto connection = *database->connect(Database::Use::kWrite);
    ASSERT_TRUE(connection->script(sqlite_schema_steps().front()));
    ASSERT_TRUE(
        connection->script(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = "
                                       "1; INSERT INTO studies VALUES(1, 'old', 0, 1, "
                                       "'random', 0, 0, 0, 1, 'open', 0, NULL, NULL, 'x')",
                                       kApplicationId)));
  }
  EXPECT_EQ(error_of(folder / "s.db", Store::Mode::kRead).kind, ErrorKind::kNotAllowed);
  auto store = Store::open(folder / "s.db", {.mode = Store::Mode::kWrite});
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(testing::count_of(**store, "SELECT COUNT(*) FROM accounts"), 0);
  EXPECT_EQ(testing::count_of(**store, "SELECT COUNT(*) FROM studies"), 1);
}

TEST(Store, WhatIsNoStudioIsRefused) {
  const Folder folder;
  std::ofstream(folder / "text.db") << std::string(5000, 'x');
  EXPECT_EQ(error_of(folder / "text.db", Store::Mode::kRead).kind, ErrorKind::kBadInput);
  EXPECT_EQ(error_of(folder / "text.db", Store::Mode::kCreate).kind, ErrorKind::kBadInput);
  make(folder / "other.db", "PRAGMA application_id = 1");
  EXPECT_EQ(error_of(folder / "other.db", Store::Mode::kWrite).kind, ErrorKind::kBadInput);
  EXPECT_EQ(error_of(folder / "none.db", Store::Mode::kWrite).kind, ErrorKind::kNotFound);
  EXPECT_EQ(error_of(folder / "none.db", Store::Mode::kRead).kind, ErrorKind::kNotFound);
  EXPECT_EQ(error_of(folder / "no" / "folder.db", Store::Mode::kCreate).kind, ErrorKind::kNotFound);
}

TEST(Store, OpenedForReadingWritesNothing) {
  const Folder folder;
  make(folder / "s.db");
  auto store = *Store::open(folder / "s.db", {.mode = Store::Mode::kRead});
  const auto written =
      store->write<std::int64_t>([](Connection& c) { return c.execute("DELETE FROM studies"); });
  EXPECT_EQ(written.error().kind, ErrorKind::kNotAllowed);
  const auto sneaked =
      store->read<std::int64_t>([](Connection& c) { return c.execute("DELETE FROM studies"); });
  ASSERT_FALSE(sneaked);
  EXPECT_EQ(sneaked.error().kind, ErrorKind::kNotAllowed) << sneaked.error().message;
}

TEST(Store, WaitsForTheDiskAndSaysSo) {
  const Folder folder;
  auto store = *Store::open(folder / "s.db", {.mode = Store::Mode::kCreate});
  const auto setting = [&](const char* name) {
    return *store->write<std::string>([&](Connection& c) -> Result<std::string> {
      PLUMB_TRY(row, c.first(fmt::format("SELECT CAST({} AS TEXT) FROM pragma_{}", name, name)));
      return row->text(0);
    });
  };
  EXPECT_EQ(setting("journal_mode"), "wal");
  EXPECT_EQ(setting("synchronous"), "2");
  EXPECT_EQ(setting("foreign_keys"), "1");
}

TEST(Store, JobsOfManyThreadsAllHappenAndThoseThatFailDoNot) {
  const Folder folder;
  auto store = *Store::open(folder / "s.db", {.mode = Store::Mode::kCreate});
  ASSERT_TRUE(store->write([](Connection& c) { return c.script("CREATE TABLE t(x INTEGER)"); }));
  std::vector<std::thread> threads;
  for (std::int64_t thread = 0; thread < 16; ++thread) {
    threads.emplace_back([&store, thread] {
      for (std::int64_t i = 0; i < 20; ++i) {
        const auto done = store->write([&](Connection& c) -> Result<void> {
          auto put = c.execute("INSERT INTO t VALUES(?1)", {100 * thread + i});
          if (!put) return tl::unexpected(put.error());
          return i % 4 == 3 ? Result<void>(fail(ErrorKind::kUsage, "no")) : Result<void>();
        });
        EXPECT_EQ(done.has_value(), i % 4 != 3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(DISTINCT x) FROM t"), 16 * 15);
  EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(*) FROM t WHERE x % 4 = 3"), 0);
}

TEST(Store, AReaderSeesOneCommitWhole) {
  const Folder folder;
  auto store = *Store::open(folder / "s.db", {.mode = Store::Mode::kCreate});
  ASSERT_TRUE(store->write([](Connection& c) {
    return c.script("CREATE TABLE t(x INTEGER); INSERT INTO t VALUES(1)");
  }));
  const auto seen = store->read<std::int64_t>([&](Connection& c) -> Result<std::int64_t> {
    PLUMB_TRY(before, c.count("SELECT COUNT(*) FROM t"));
    EXPECT_EQ(before, 1);
    EXPECT_TRUE(store->write([](Connection& w) { return w.script("INSERT INTO t VALUES(2)"); }));
    return c.count("SELECT COUNT(*) FROM t");
  });
  EXPECT_EQ(*seen, 1);
  EXPECT_EQ(testing::count_of(*store, "SELECT COUNT(*) FROM t"), 2);
}

TEST(Store, AnExceptionInAJobIsAnError) {
  const Folder folder;
  auto store = *Store::open(folder / "s.db", {.mode = Store::Mode::kCreate});
  const auto thrown = store->write([](Connection&) -> Result<void> { throw std::bad_alloc(); });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().kind, ErrorKind::kInternal);
  EXPECT_TRUE(store->write([](Connection& c) { return c.script("CREATE TABLE t(x)"); }));
}

}  // namespace
}  // namespace plumb::study
