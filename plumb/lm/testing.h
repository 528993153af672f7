// What the tests of language models share: a tokenizer of letters, a tiny model, and stories that a
// grammar of our own writes.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "plumb/base/files.h"
#include "plumb/base/random.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/text/tokenizer.h"

namespace plumb::lm {

// llama2.c's tokenizer.bin with the 256 bytes, the blank and the letters a to z.
inline std::string letters_tokenizer() {
  std::vector<std::string> tokens = {"<unk>", "\n<s>\n", "\n</s>\n"};
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(fmt::format("<0x{:02X}>", byte));
  tokens.emplace_back(" ");
  for (char c = 'a'; c <= 'z'; ++c) tokens.emplace_back(1, c);
  std::string file;
  const auto append = [&](auto value) {
    file.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  append(std::int32_t{8});
  for (const std::string& token : tokens) {
    append(0.0F);
    append(static_cast<std::int32_t>(token.size()));
    file += token;
  }
  return file;
}
inline constexpr std::size_t kLetterTokens = 3 + 256 + 1 + 26;

inline nn::TransformerConfig letters_config() {
  nn::TransformerConfig config;
  config.vocabulary = kLetterTokens;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.key_heads = 1;
  config.head_width = config.rotary_width = 8;
  config.hidden = 24;
  config.context = 32;
  config.begin_token = 1;
  config.end_token = 2;
  return config;
}

// Little stories, an empty line between them.
inline std::string stories(std::size_t count) {
  const char* const names[] = {"tom", "mia", "ben"};
  const char* const things[] = {"a ball", "a kite", "the cat", "a red hat"};
  const char* const ends[] = {"it was fun", "then it rained", "all were glad"};
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    Stream stream(11, "stories", i);
    text += fmt::format("{} saw {}\n{}\n\n", names[stream.below(3)], things[stream.below(4)],
                        ends[stream.below(3)]);
  }
  return text;
}

class LanguageModelTest : public testing::Test {
 protected:
  LanguageModelTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                fmt::format("lm_{}_{}", ::getpid(),
                            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
    write("tokenizer.bin", letters_tokenizer());
  }
  ~LanguageModelTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) const {
    ASSERT_TRUE(write_file_atomic(folder_ / name, bytes));
  }
  // A model of letters with random weights, as a folder with its tokenizer.
  void save_model(const nn::TransformerConfig& config = letters_config()) const {
    nn::Transformer model(config);
    nn::initialise(model, 3);
    for (float& value : model.values()) value *= value == 1.0F ? 1.0F : 10.0F;
    ASSERT_TRUE(nn::save_transformer(folder_, model));
  }

  std::filesystem::path folder_;
};

}  // namespace plumb::lm
