#include "plumb/text/tokenizer_export.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <set>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/base/random.h"
#include "plumb/text/lines.h"
#include "plumb/text/tokenizer.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

std::string le(std::uint32_t value) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &value, 4);
  return bytes;
}

std::string scored(float score, std::string_view text) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &score, 4);
  return le(bits) + le(static_cast<std::uint32_t>(text.size())) + std::string(text);
}

// The special and byte tokens, and these, the first the best.
std::string tokenizer_bin(const std::vector<std::string>& tokens) {
  std::string bytes = le(64) + scored(0, "<unk>") + scored(0, "\n<s>\n") + scored(0, "\n</s>\n");
  for (int byte = 0; byte < 256; ++byte) bytes += scored(0, fmt::format("<0x{:02X}>", byte));
  float score = 0;
  for (const std::string& token : tokens) bytes += scored(score -= 1, token);
  return bytes;
}

// Both forms of one tokenizer.
struct Both {
  Tokenizer bin, json;
};

Both both(const std::string& bytes) {
  const fs::path file = fs::path(testing::TempDir()) / fmt::format("export_{}.bin", ::getpid());
  EXPECT_TRUE(write_file_atomic(file, bytes));
  const auto bin = load_tokenizer(file);
  const auto text = llama2c_as_json(bytes, "tokenizer.bin");
  EXPECT_TRUE(text) << text.error().message;
  const auto json = parse_tokenizer_json(*text, "tokenizer.json");
  EXPECT_TRUE(json) << json.error().message;
  fs::remove(file);
  return {*bin, *json};
}

void expect_same(const Both& tokenizers, std::string_view text) {
  const EncodeOptions plain{.special_in_text = false};
  const auto expected = tokenizers.bin.encode(text, plain),
             found = tokenizers.json.encode(text, plain);
  ASSERT_TRUE(expected && found) << text;
  EXPECT_EQ(found->ids, expected->ids) << text;
  EXPECT_EQ(found->offsets.size(), expected->offsets.size());
  EXPECT_EQ(*tokenizers.json.decode(found->ids), *tokenizers.bin.decode(expected->ids)) << text;
}

TEST(TokenizerExport, GivesRandomVocabulariesTheSameIdsOnRandomTexts) {
  for (std::uint64_t v = 0; v < 20; ++v) {
    Stream stream(3, "vocabulary", v);
    // As byte-pair encoding is trained: each token joins two that are there.
    std::vector<std::string> tokens = {" ", "a", "b", "\xc3\xa9"}, joined;
    std::set<std::string> known(tokens.begin(), tokens.end());
    while (joined.size() < 40) {
      const auto part = [&] {
        const std::uint32_t i = stream.below(static_cast<std::uint32_t>(4 + joined.size()));
        return i < 4 ? tokens[i] : joined[i - 4];
      };
      const std::string token = part() + part();
      if (token.size() < 20 && known.insert(token).second) joined.push_back(token);
    }
    joined.insert(joined.end(), tokens.begin(), tokens.end());
    const Both tokenizers = both(tokenizer_bin(joined));
    for (int i = 0; i < 100; ++i) {
      std::string text;
      const char* const parts[] = {" ", "a", "b", "\xc3\xa9", "a", "b", "z", "\xf0\x9f\x98\x80",
                                   "\n"};
      for (std::uint32_t n = stream.below(40); n > 0; --n) text += parts[stream.below(9)];
      expect_same(tokenizers, text);
    }
  }
}

TEST(TokenizerExport, GivesARealTokenizerTheSameIds) {
  const fs::path file = "../shared/data/models/stories260k/tok512.bin";
  const fs::path stories = "../shared/data/corpus/tinystories.txt";
  if (!fs::exists(file)) GTEST_SKIP() << "../shared/data is absent";
  const Both tokenizers = both(*read_file(file));
  std::size_t texts = 0;
  const auto each = [&](const fs::path& path, std::size_t most, bool json) {
    auto lines = LineReader::open(path);
    ASSERT_TRUE(lines) << lines.error().message;
    for (std::size_t i = 0; i < most; ++i) {
      const auto line = lines->next();
      if (!line || !*line) break;
      const Json parsed = json ? Json::parse(**line) : Json(std::string(**line));
      const std::string text = parsed.is_string() ? parsed.get<std::string>() : "";
      if (text.find("\xe2\x96\x81") != std::string::npos) continue;  // a blank to tokenizer.json
      expect_same(tokenizers, text);
      ++texts;
    }
  };
  each(stories, 800, false);
  each("tests/golden/tokenizer_texts.jsonl", 2000, true);
  EXPECT_GT(texts, 1000U);
}

TEST(TokenizerExport, WritesWhatOtherToolsExpectOfALlama) {
  const auto text = llama2c_as_json(tokenizer_bin({" a", " ", "a"}), "tokenizer.bin");
  ASSERT_TRUE(text);
  const Json json = Json::parse(*text);
  EXPECT_EQ(json["model"]["type"], "BPE");
  EXPECT_EQ(json["model"]["byte_fallback"], true);
  EXPECT_EQ(json["model"]["vocab"]["<s>"], 1);
  EXPECT_EQ(json["model"]["vocab"]["<0x0A>"], 13);
  EXPECT_EQ(json["model"]["vocab"]["\xe2\x96\x81"
                                   "a"],
            259);
  EXPECT_EQ(json["model"]["merges"], Json::array({"\xe2\x96\x81 a"}));
  EXPECT_EQ(json["added_tokens"][2]["content"], "</s>");
}

TEST(TokenizerExport, NamesWhatTokenizerJsonCannotExpress) {
  const auto expect_refusal = [](const std::string& bytes, const std::string& words) {
    const auto text = llama2c_as_json(bytes, "t.bin");
    ASSERT_FALSE(text) << words;
    EXPECT_EQ(text.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(text.error().message.find(words), std::string::npos) << text.error().message;
  };
  const std::string bytes = tokenizer_bin({"a", "b"});
  expect_refusal(bytes + scored(-9, "ab") + scored(-9, "ba"),
                 "t.bin: tokens 261 and 262: have one score");
  expect_refusal(bytes + scored(-9, " ") + scored(-10, "\xe2\x96\x81"),
                 "t.bin: token 262: would be spelt as token 261 is");
  expect_refusal(bytes + scored(-9, "\xc3"), "t.bin: token 261: is no UTF-8");
  expect_refusal(bytes + scored(-9, "<s>"), "t.bin: token 261: would be spelt as token 1 is");
  expect_refusal("", "is shorter than its header");
}

}  // namespace
}  // namespace plumb
