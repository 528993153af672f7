// A test on PostgreSQL: an empty schema of its own, stores on it and studies in them; skipped where
// no server is installed.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "plumb/study/testing.h"

namespace plumb::study::testing {

class Postgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = PostgresServer::why_missing(); !why.empty()) GTEST_SKIP() << why;
    url_ = server().make_schema();
  }

  static PostgresServer& server() { return PostgresServer::running(); }

  std::unique_ptr<Store> open(Store::Mode mode = Store::Mode::kCreate,
                              PostgresOptions options = {}) const {
    auto store = Store::open_postgres(url_, {.mode = mode, .postgres = options});
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }

  Error error_of(Store::Mode mode, const std::string& url) const {
    const auto store = Store::open_postgres(url, {.mode = mode});
    EXPECT_FALSE(store) << "it was opened";
    const Error error = store ? Error{ErrorKind::kInternal, ""} : store.error();
    EXPECT_EQ(error.message.find("not-to-be-shown"), std::string::npos) << error.message;
    return error;
  }
  Error error_of(Store::Mode mode) const { return error_of(mode, url_); }

  Study make(Store& store, std::size_t items, int overlap) const {
    auto study = create_study(
        store,
        {.name = "demo", .tasks = {some_task(tasks::Kind::kSts, items)}, .overlap = overlap});
    EXPECT_TRUE(study) << study.error().message;
    return std::move(*study);
  }

  std::string url_;
};

}  // namespace plumb::study::testing
