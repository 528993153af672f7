// What the tests of evals/ share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "plumb/base/files.h"
#include "plumb/evals/row.h"

namespace plumb::evals {

// What stands under `key` in tests/golden/evals.json; by value.
inline nlohmann::json golden(const char* key) {
  std::ifstream file("tests/golden/evals.json");
  EXPECT_TRUE(file) << "run from the repository root";
  return nlohmann::json::parse(file)[key];
}

// The row of this evaluation and metric; a test failure and an empty row where there is none.
inline EvalRow row_of(std::span<const EvalRow> rows, std::string_view eval, std::string_view metric,
                      std::string_view note = "") {
  const auto found = std::ranges::find_if(rows, [&](const EvalRow& row) {
    return row.eval == eval && row.metric == metric && (note.empty() || row.note == note);
  });
  EXPECT_NE(found, rows.end()) << "no row " << eval << " " << metric << " " << note;
  return found == rows.end() ? EvalRow() : *found;
}

// A folder of its own for a test, and what stands in it.
class EvalFiles : public testing::Test {
 protected:
  EvalFiles()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("evals_" + std::to_string(::getpid()) + "_" +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  ~EvalFiles() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    EXPECT_TRUE(write_file_atomic(path, text));
    return path.string();
  }

  std::filesystem::path folder_;
};

// The real data that tests are shown, where it is there.
inline const std::filesystem::path kExtrinsic = "../shared/data/extrinsic";

}  // namespace plumb::evals
