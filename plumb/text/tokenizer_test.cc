#include "plumb/text/tokenizer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/base/random.h"
#include "plumb/text/lines.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<TokenId>;

const fs::path kSmall = "tests/golden/tokenizers";

Tokenizer small(const std::string& name) {
  static std::map<std::string, Tokenizer> loaded;
  const auto found = loaded.find(name);
  if (found != loaded.end()) return found->second;
  return loaded.emplace(name, *load_tokenizer(kSmall / (name + ".json"))).first->second;
}

// A folder for the files of one test.
class Folder {
 public:
  Folder()
      : path_(fs::path(testing::TempDir()) /
              fmt::format("plumb_tokenizer_{}_{}", ::getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

constexpr std::string_view kWords =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nwall\nlean\n##s\n##ing\nthe\n.\nétage\n";

// WordPiece by hand: whole words, the longest first part, what follows it, and what is unknown.
TEST(VocabTxt, CutsWordsIntoTheLongestKnownParts) {
  const Folder folder;
  folder.write("vocab.txt", kWords);
  const auto tokenizer = load_tokenizer(folder.path());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const auto encoding = tokenizer->encode("The WALL leans. leaning leaner");
  EXPECT_EQ(encoding->ids, (Ids{2, 8, 4, 5, 6, 9, 5, 7, 1, 3}));
  EXPECT_EQ(encoding->offsets[1], (ByteRange{0, 3}));
  EXPECT_EQ(encoding->offsets[3], (ByteRange{9, 13}));
  EXPECT_EQ(encoding->offsets[4], (ByteRange{13, 14}));
  EXPECT_EQ(*tokenizer->decode(encoding->ids), "the wall leans. leaning");
  EXPECT_EQ(tokenizer->vocabulary_size(), 11U);
  EXPECT_EQ(tokenizer->special().cls, 2);
  EXPECT_EQ(tokenizer->special().pad, 0);
  EXPECT_EQ(tokenizer->special().mask, std::nullopt);
}

TEST(VocabTxt, ObeysTheConfigBesideIt) {
  const Folder folder;
  folder.write("vocab.txt", kWords);
  folder.write(
      "tokenizer_config.json",
      R"({"do_lower_case": false, "model_max_length": 128, "cls_token": {"content": "[SEP]"}})");
  const auto tokenizer = load_tokenizer(folder.path());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("the The étage")->ids, (Ids{3, 8, 1, 10, 3}));
  EXPECT_EQ(tokenizer->model_max_tokens(), 128U);
}

TEST(VocabTxt, NamesTheLineOfARepeatedToken) {
  const Folder folder;
  folder.write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\na\n");
  const auto tokenizer = load_tokenizer(folder.path() / "vocab.txt");
  ASSERT_FALSE(tokenizer);
  EXPECT_TRUE(tokenizer.error().message.ends_with("vocab.txt:5: token 'a' has two ids, 3 and 4"))
      << tokenizer.error().message;
}

std::string le(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string scored(float score, std::string_view text) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &score, 4);
  return le(bits) + le(static_cast<std::uint32_t>(text.size())) + std::string(text);
}

std::string tokenizer_bin() {
  std::string bytes = le(6) + scored(0, "<unk>") + scored(0, "\n<s>\n") + scored(0, "</s>");
  for (int byte = 0; byte < 256; ++byte) bytes += scored(0, fmt::format("<0x{:02X}>", byte));
  return bytes + scored(-3, " ") + scored(-4, "a") + scored(-5, "b") + scored(-1, "ab") +
         scored(-2, " a") + scored(-2, "ba");
}

// 259 " ", 260 "a", 261 "b", 262 "ab", 263 " a", 264 "ba". The best score merges first, the
// leftmost of equals.
TEST(TokenizerBin, MergesByScore) {
  const Folder folder;
  folder.write("tok.bin", tokenizer_bin());
  const auto tokenizer = load_tokenizer(folder.path());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("ab")->ids, (Ids{1, 259, 262}));
  EXPECT_EQ(tokenizer->encode("aba")->ids, (Ids{1, 259, 262, 260}));
  EXPECT_EQ(tokenizer->encode("baa")->ids, (Ids{1, 259, 264, 260}));
  EXPECT_EQ(tokenizer->encode("")->ids, (Ids{1}));
  EXPECT_EQ(tokenizer->encode("a\xff", {.add_special = false})->ids, (Ids{263, 258}));
  EXPECT_EQ(*tokenizer->decode(Ids{1, 263, 258}), "a\xff");
  EXPECT_EQ(*tokenizer->decode(Ids{263, 258}, {.continues = true}), " a\xff");
}

TEST(TokenizerBin, NamesTheByteOfADamagedToken) {
  const Folder folder;
  const std::string whole = tokenizer_bin();
  const auto expect = [&](const std::string& bytes, const std::string& words) {
    folder.write("tokenizer.bin", bytes);
    const auto tokenizer = load_tokenizer(folder.path());
    ASSERT_FALSE(tokenizer) << words;
    EXPECT_EQ(tokenizer.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(tokenizer.error().message.find(words), std::string::npos)
        << tokenizer.error().message;
  };
  expect("", "is shorter than its header");
  expect(le(6), "has 0 tokens; a tokenizer.bin has at least 259");
  expect(whole.substr(0, whole.size() - 1), "token 264 at byte 3673: is cut short");
  expect(whole + le(0), "token 265 at byte");
  expect(whole + le(0) + le(7) + "toolong", "has 7 bytes, the header allows 6");
  expect(whole + le(0x7fc00000) + le(1) + "x", "has a score that is no finite number");
  expect(whole + scored(0, "ab"), "token 'ab' has two ids, 262 and 265");
  expect(le(0xffffffff) + le(0) + le(0xfffffff0), "is cut short");
}

TEST(Gpt2Files, AreReadByWhateverPrefix) {
  const Json model = Json::parse(*read_file(kSmall / "pythia.json"))["model"];
  const Folder folder;
  folder.write("own_vocab.json", model["vocab"].dump());
  std::string merges = "#version: 0.2\n";
  for (const auto& merge : model["merges"]) merges += merge.get<std::string>() + "\n";
  folder.write("own_merges.txt", merges);
  const auto tokenizer = load_tokenizer(folder.path());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const std::string text = "The plumb line hangs still, naïve 墙.";
  EXPECT_EQ(tokenizer->encode(text)->ids, small("pythia").encode(text)->ids);
  folder.write("own_merges.txt", "a b\nt");
  const auto broken = load_tokenizer(folder.path() / "own_vocab.json");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find(
                "own_merges.txt:1: the merged token 'ab' is not in the vocabulary"),
            std::string::npos)
      << broken.error().message;
}

TEST(LoadTokenizer, SaysWhatAFolderWouldHold) {
  const Folder folder;
  const auto tokenizer = load_tokenizer(folder.path());
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(tokenizer.error().message.find("holds no tokenizer; it would be tokenizer.json"),
            std::string::npos);
  EXPECT_EQ(load_tokenizer(folder.path() / "none").error().kind, ErrorKind::kNotFound);
  folder.write("sp.model", "x");
  EXPECT_NE(load_tokenizer(folder.path() / "sp.model").error().message.find("save_pretrained"),
            std::string::npos);
}

TEST(Encode, CutsAndCounts) {
  const Tokenizer tokenizer = small("xlm_roberta");
  const auto whole = tokenizer.encode("The plumb line hangs still");
  const auto cut = tokenizer.encode("The plumb line hangs still", {.max_tokens = 5});
  ASSERT_GT(whole->ids.size(), 5U);
  EXPECT_EQ(whole->truncated, 0U);
  EXPECT_EQ(cut->ids.size(), 5U);
  EXPECT_EQ(cut->truncated, whole->ids.size() - 5);
  EXPECT_TRUE(std::equal(cut->ids.begin(), cut->ids.end() - 1, whole->ids.begin()));
  EXPECT_EQ(cut->ids.back(), tokenizer.find("</s>"));
  const auto none = tokenizer.encode("The", {.max_tokens = 1});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "max_tokens 1 does not hold the 2 tokens of the template");
}

TEST(Encode, ReadsSpecialTokensAsTextWhereAsked) {
  const Tokenizer tokenizer = small("qwen");
  const std::string text = "a<|im_start|>b";
  const auto as_token = tokenizer.encode(text),
             as_text = tokenizer.encode(text, {.special_in_text = false});
  EXPECT_EQ(as_token->ids.size(), 3U);
  EXPECT_EQ(as_token->ids[1], tokenizer.find("<|im_start|>"));
  EXPECT_TRUE(tokenizer.is_special(as_token->ids[1]));
  EXPECT_EQ(std::ranges::count(as_text->ids, as_token->ids[1]), 0);
  EXPECT_EQ(*tokenizer.decode(as_token->ids), "ab");
  EXPECT_EQ(*tokenizer.decode(as_token->ids, {.skip_special = false}), text);
  EXPECT_EQ(*tokenizer.decode(as_text->ids), text);
}

TEST(Decode, NamesAnIdThatIsNoToken) {
  const auto text = small("qwen").decode(Ids{0, 99999});
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("id 99999 names no token"), std::string::npos);
  EXPECT_FALSE(small("qwen").decode(Ids{-1}));
}

TEST(Decode, KeepsTheBlankOfATextThatContinues) {
  for (const char* name : {"mistral", "xlm_roberta", "t5"}) {
    const Tokenizer tokenizer = small(name);
    const auto ids = tokenizer.encode("the wall", {.add_special = false})->ids;
    EXPECT_EQ(*tokenizer.decode(ids), "the wall") << name;
    EXPECT_EQ(*tokenizer.decode(ids, {.continues = true}), " the wall") << name;
  }
}

TEST(PadBatch, FillsToTheLongestOnEitherSide) {
  const std::vector<Encoding> encodings{{{1, 2, 3}, {}, 0}, {{4}, {}, 0}};
  const TokenBatch right = pad_batch(encodings, 9),
                   left = pad_batch(encodings, 9, PaddingSide::kLeft, 4);
  EXPECT_EQ(right.ids, (Ids{1, 2, 3, 4, 9, 9}));
  EXPECT_EQ(right.mask, (std::vector<std::uint8_t>{1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(left.columns, 4U);
  EXPECT_EQ(left.ids, (Ids{9, 1, 2, 3, 9, 9, 9, 4}));
  EXPECT_EQ(pad_batch({}, 0).ids, Ids{});
}

TEST(EncodeBatch, EqualsOneByOneWithAnyNumberOfThreads) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 500; ++i) {
    Stream stream(3, "texts", i);
    std::string text;
    for (std::uint32_t n = stream.below(30); n > 0; --n)
      text += fmt::format("{} {}", stream.below(50), "wall ");
    texts.push_back(text);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (const char* name : {"qwen", "xlm_roberta", "mistral", "old_bpe"}) {
    const Tokenizer tokenizer = small(name);
    const auto one = tokenizer.encode_batch(views, {}, 1),
               two = tokenizer.encode_batch(views, {}, 2);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ((*one)[i].ids, tokenizer.encode(texts[i])->ids);
      EXPECT_EQ((*two)[i].ids, (*one)[i].ids);
      EXPECT_EQ((*two)[i].offsets, (*one)[i].offsets);
    }
  }
}

// A queue and a scan merge alike: a long word is cut as its parts are where no merge crosses their
// border.
TEST(Bpe, MergesLongPiecesAsShortOnes) {
  const Tokenizer tokenizer = small("mistral");
  const auto part = tokenizer.encode("▁wall", {.add_special = false})->ids;
  std::string text;
  Ids expected;
  for (int i = 0; i < 40; ++i) {
    text += "▁wall";
    expected.insert(expected.end(), part.begin(), part.end());
  }
  EXPECT_EQ(tokenizer.encode(text, {.add_special = false})->ids, expected);
}

std::string random_bytes() {
  const auto bytes =
      *rc::gen::container<std::vector<std::uint8_t>>(rc::gen::arbitrary<std::uint8_t>());
  return {bytes.begin(), bytes.end()};
}

// Words, marks, blanks, broken characters.
std::string random_text() {
  static const std::vector<std::string> kParts{
      "wall", " ",  "The", "é",  "e\u0301", "墙",     "\xff", "\xe2\x82", "😀",
      "\n",   "  ", "'s",  "12", "<s>",     "\u0000", "שָׁ",    "▁",        "don't"};
  std::string text;
  for (const auto i : *rc::gen::container<std::vector<std::size_t>>(
           rc::gen::inRange<std::size_t>(0, kParts.size())))
    text += kParts[i];
  return text;
}

RC_GTEST_PROP(ByteLevelBpe, DecodesToTheSameBytes, ()) {
  const std::string text = *rc::gen::arbitrary<bool>() ? random_bytes() : random_text();
  const auto ids = small("llama3").encode(text)->ids;
  RC_ASSERT(*small("llama3").decode(ids) == text);
}

RC_GTEST_PROP(TokenizerBin, DecodesToTheSameBytes, ()) {
  static const Folder folder;
  folder.write("tokenizer.bin", tokenizer_bin());
  static const Tokenizer tokenizer = *load_tokenizer(folder.path());
  const std::string text = *rc::gen::arbitrary<bool>() ? random_bytes() : random_text();
  RC_ASSERT(*tokenizer.decode(tokenizer.encode(text)->ids) == text);
}

RC_GTEST_PROP(Offsets, AreInOrderAndInsideTheText, ()) {
  const std::string text = random_text();
  for (const char* name :
       {"qwen", "pythia", "roberta", "mistral", "old_bpe", "xlm_roberta", "t5"}) {
    const auto encoding = small(name).encode(text, {.add_special = false});
    RC_ASSERT(encoding->ids.size() == encoding->offsets.size());
    std::uint32_t begin = 0;
    for (const ByteRange range : encoding->offsets) {
      RC_ASSERT(begin <= range.begin);
      RC_ASSERT(range.begin <= range.end);
      RC_ASSERT(range.end <= text.size());
      begin = range.begin;
    }
  }
}

// Byte-level BPE without a normalizer drops nothing, so its ranges are the text.
RC_GTEST_PROP(Offsets, CoverWhatIsNotDropped, ()) {
  const std::string text = random_text();
  const auto encoding = small("llama3").encode(text, {.add_special = false});
  std::uint32_t end = 0;
  for (const ByteRange range : encoding->offsets) {
    RC_ASSERT(range.begin == end);
    end = range.end;
  }
  RC_ASSERT(end == text.size());
}

RC_GTEST_PROP(OtherTokenizers, ReadBrokenBytesAsReplacementCharacters, ()) {
  const std::string part = "wall \xe2\x82 lean \xff\xff",
                    replaced = "wall \ufffd lean \ufffd\ufffd";
  for (const char* name : {"mistral", "old_bpe", "xlm_roberta", "t5"}) {
    RC_ASSERT(small(name).encode(part)->ids == small(name).encode(replaced)->ids);
  }
}

}  // namespace
}  // namespace plumb
