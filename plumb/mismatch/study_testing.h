// What the tests of whole studies share: a tiny model of letters that has learnt a little language,
// and a run folder with texts of its prompts.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "plumb/lm/testing.h"
#include "plumb/lm/train.h"

namespace plumb::mismatch {

class SmallStudyTest : public lm::LanguageModelTest {
 protected:
  SmallStudyTest() {
    write("stories.txt", lm::stories(200));
    const auto tokenizer = load_tokenizer(folder_ / "tokenizer.bin");
    const auto fresh = []() -> Result<nn::Transformer> {
      nn::Transformer model(lm::letters_config());
      nn::initialise(model, 3);
      return model;
    };
    lm::TrainOptions how{.files = {folder_ / "stories.txt"}, .run = folder_ / "lm", .steps = 80};
    how.schedule.rate = 1e-2F;
    how.threads = 1;
    const auto trained = lm::train(fresh, *tokenizer, folder_ / "tokenizer.bin", how);
    EXPECT_TRUE(trained) << trained.error().message;
    if (trained) model_ = trained->model;
  }

  // A run folder whose texts begin in 78 ways of three words.
  std::filesystem::path run_folder(const std::string& name) const {
    std::string texts;
    for (const char* who : {"tom", "mia", "ben"}) {
      for (char c = 'a'; c <= 'z'; ++c) texts += fmt::format("{} saw {} and more\n\n", who, c);
    }
    std::filesystem::create_directories(folder_ / name);
    write(name + "/texts.txt", texts);
    return folder_ / name;
  }

  // Files of the first folder that the second has not, or has with other bytes.
  static std::vector<std::string> differing_files(const std::filesystem::path& a,
                                                  const std::filesystem::path& b) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(a)) {
      if (!entry.is_regular_file()) continue;
      const auto name = std::filesystem::relative(entry.path(), a);
      const auto first = read_file(entry.path()), second = read_file(b / name);
      if (!first || !second || *first != *second) names.push_back(name.string());
    }
    return names;
  }

  std::filesystem::path model_;
};

}  // namespace plumb::mismatch
