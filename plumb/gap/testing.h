// What the tests of gap/ share: the published figures of HUME, result files made up on the spot,
// and a folder for them that removes itself. Only tests include this.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "plumb/base/json.h"
#include "plumb/gap/board.h"
#include "plumb/gap/figures.h"

namespace plumb::gap {

// The figures that are shipped with the program, read once.
inline const Figures& hume() {
  static const Figures figures = load_figures("hume").value();
  return figures;
}

// The board of the paper: 13 models and the human, unless `options` say otherwise.
inline Board hume_board(BoardOptions options = {.models = "paper"}) {
  return make_board(hume(), options).value();
}

// Where the raw result files of HUME lie, for the tests that compare with them.
inline const std::filesystem::path kRawTree = "../shared/data/hume-results";

// An empty folder for the length of a test, that everybody may look into.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "plumb-gap-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::filesystem::path& relative, std::string_view text) const {
    std::filesystem::create_directories((path_ / relative).parent_path());
    std::ofstream(path_ / relative, std::ios::binary) << text;
    return path_ / relative;
  }

 private:
  std::filesystem::path path_;
};

// A result file in the current layout: one entry a subset, with its main score under `metric`, too.
inline Json result_json(std::string_view task, std::string_view metric,
                        std::initializer_list<std::pair<std::string_view, double>> scores) {
  Json entries = Json::array();
  for (const auto& [subset, score] : scores) {
    entries.push_back({{"hf_subset", subset},
                       {"languages", {"eng-Latn"}},
                       {std::string(metric), score},
                       {"main_score", score}});
  }
  return {{"dataset_revision", "abc"},
          {"task_name", task},
          {"mteb_version", "1.34.7"},
          {"scores", {{"test", entries}}}};
}

inline std::string result_text(std::string_view task, std::string_view metric,
                               std::initializer_list<std::pair<std::string_view, double>> scores) {
  return to_text(result_json(task, metric, scores));
}

// A cell of an accuracy.
inline Cell accuracy_cell(std::string task, double score) {
  return {.task = std::move(task),
          .subset = "default",
          .original = "default",
          .language = "eng",
          .dataset_revision = "abc",
          .mteb_version = "1.34.7",
          .main_score = score,
          .scores = {{kept_metric("accuracy"), score}},
          .experiments = {},
          .agreement = {}};
}

// The result is an error of that kind, in one line that holds every one of the words.
template <typename T>
void expect_error(const Result<T>& result, ErrorKind kind,
                  std::initializer_list<std::string_view> words) {
  ASSERT_FALSE(result);
  const std::string& message = result.error().message;
  EXPECT_EQ(result.error().kind, kind) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (const std::string_view word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << "no '" << word << "' in: " << message;
  }
}

}  // namespace plumb::gap
