// Runs the program as a user would, in a folder of its own.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "plumb/base/files.h"
#include "plumb/base/json.h"

namespace plumb {

namespace fs = std::filesystem;

struct Outcome {
  int code;
  std::string out;
  std::string error;
};

class Program : public testing::Test {
 protected:
  Program()
      : folder_(fs::path(testing::TempDir()) /
                fmt::format("plumb_{}_{}", ::getpid(),
                            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(folder_);
  }
  ~Program() override { fs::remove_all(folder_); }

  // Runs `command` in a shell, with `plumb` as the program.
  Outcome shell(const std::string& command) const {
    const std::string out = (folder_ / "stdout").string(), error = (folder_ / "stderr").string();
    const int status = std::system(fmt::format("plumb() {{ '{}' \"$@\"; }}; {{ {}; }} >'{}' 2>'{}'",
                                               PLUMB_PROGRAM, command, out, error)
                                       .c_str());
    return {WEXITSTATUS(status), *read_file(out), *read_file(error)};
  }
  Outcome run(const std::string& arguments) const { return shell("plumb " + arguments); }

  // Expects this exit code, nothing on stdout, and one line on stderr with these words.
  void expect_failure(const std::string& arguments, int code, const std::string& words) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.error;
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.error.starts_with("plumb: ")) << outcome.error;
    EXPECT_NE(outcome.error.find(words), std::string::npos) << outcome.error;
    EXPECT_EQ(std::ranges::count(outcome.error, '\n'), 1) << outcome.error;
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }

  fs::path folder_;
};

inline std::string result(const std::string& task, const std::string& subset, double score) {
  return fmt::format(
      R"({{"dataset_revision": "r", "task_name": "{}", "mteb_version": "2.0", "scores":
      {{"test": [{{"hf_subset": "{}", "languages": ["eng-Latn"], "main_score": {}, "accuracy": {}, "f1": 0.5}}]}}}})",
      task, subset, score, score);
}

}  // namespace plumb
