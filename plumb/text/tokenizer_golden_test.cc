// Every tokenizer against the original on every text of tests/golden/tokenizer_texts.jsonl (see
// tests/golden/tokenizers.py).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "plumb/base/files.h"
#include "plumb/base/json.h"
#include "plumb/text/lines.h"
#include "plumb/text/tokenizer.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
const fs::path kGolden = "tests/golden", kShared = "../shared/data";

std::string folded_fnv(std::string_view bytes) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char byte : bytes) value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  value ^= value >> 16 ^ value >> 32 ^ value >> 48;
  return fmt::format("{:04x}", static_cast<std::uint16_t>(value));
}

std::string le_bytes(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string hash_of(const std::vector<TokenId>& ids) {
  std::string bytes;
  for (const TokenId id : ids) bytes += le_bytes(static_cast<std::uint32_t>(id));
  return folded_fnv(bytes);
}

std::string hash_of(const std::vector<ByteRange>& offsets) {
  std::string bytes;
  for (const ByteRange range : offsets) bytes += le_bytes(range.begin) + le_bytes(range.end);
  return folded_fnv(bytes);
}

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

const std::vector<std::string>& texts() {
  static const auto read = [] {
    std::vector<std::string> found;
    auto reader = *LineReader::open(kGolden / "tokenizer_texts.jsonl");
    while (const auto line = *reader.next()) {
      const Json text = Json::parse(*line);
      found.push_back(text.is_string() ? text.get<std::string>() : bytes_of_hex(text["hex"]));
    }
    return found;
  }();
  return read;
}

const Json& golden() {
  static const Json read = Json::parse(*read_file(kGolden / "tokenizers.json"));
  return read;
}

std::vector<std::string> hashes(const std::string& name, const std::string& kind) {
  std::vector<std::string> found;
  const std::string all = golden().at(name).value(kind, "");
  for (std::size_t at = 0; at < all.size(); at += 4) found.push_back(all.substr(at, 4));
  return found;
}

// What the original thinks of bytes that are no UTF-8 is not asked: it never sees them.
bool is_utf8(const std::string& text) { return !first_bad_utf8(text); }

struct Expected {
  std::string name;
  bool all_bytes = false;  // the origin encodes bytes that are no UTF-8 too
};

// The original knows characters alone: a token that is part of one has all of it. Where an empty
// range lies is of no account.
std::vector<ByteRange> whole_characters(const std::string& text, std::vector<ByteRange> offsets) {
  const auto inside = [&](std::uint32_t at) {
    return at < text.size() && (text[at] & 0xc0) == 0x80;
  };
  for (ByteRange& range : offsets) {
    while (inside(range.begin)) --range.begin;
    while (inside(range.end)) ++range.end;
    if (range.begin == range.end) range = {};
  }
  return offsets;
}

void expect_golden_ids(const Tokenizer& tokenizer, const Expected& expected) {
  const auto ids = hashes(expected.name, "ids"), offsets = hashes(expected.name, "offsets"),
             decoded = hashes(expected.name, "decoded");
  ASSERT_EQ(ids.size(), texts().size());
  ASSERT_GE(ids.size(), 500U);
  for (std::size_t i = 0; i < texts().size(); ++i) {
    const std::string& text = texts()[i];
    if (!expected.all_bytes && !is_utf8(text)) continue;
    const auto encoding = tokenizer.encode(text, {.max_tokens = kNoLimit});
    ASSERT_TRUE(encoding) << encoding.error().message;
    EXPECT_EQ(hash_of(encoding->ids), ids[i]) << i << " " << text << "\n"
                                              << fmt::format("{}", fmt::join(encoding->ids, " "));
    if (!offsets.empty()) {
      EXPECT_EQ(hash_of(whole_characters(text, encoding->offsets)), offsets[i]) << i << " " << text;
    }
    if (!decoded.empty()) {
      const auto back = tokenizer.decode(encoding->ids);
      EXPECT_EQ(folded_fnv(*back), decoded[i]) << i << " " << text << "\n" << *back;
    }
  }
}

class SmallTokenizer : public testing::TestWithParam<const char*> {};

TEST_P(SmallTokenizer, GivesTheIdsOfTheOriginal) {
  const auto tokenizer =
      load_tokenizer(kGolden / "tokenizers" / fmt::format("{}.json", GetParam()));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  expect_golden_ids(*tokenizer, {GetParam()});
}

INSTANTIATE_TEST_SUITE_P(All, SmallTokenizer,
                         testing::Values("llama3", "mistral", "old_bpe", "pythia", "qwen",
                                         "roberta", "t5", "xlm_roberta"));

struct SharedCase {
  const char* name;
  const char* path;
  bool all_bytes = false;
};

void PrintTo(const SharedCase& shared, std::ostream* out) { *out << shared.path; }

class SharedTokenizer : public testing::TestWithParam<SharedCase> {};

TEST_P(SharedTokenizer, GivesTheIdsOfTheOriginal) {
  const fs::path path = kShared / GetParam().path;
  if (!fs::exists(path)) GTEST_SKIP() << "../shared/data is absent";
  const auto tokenizer = load_tokenizer(path);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  expect_golden_ids(*tokenizer, {GetParam().name, GetParam().all_bytes});
}

INSTANTIATE_TEST_SUITE_P(
    All, SharedTokenizer,
    testing::Values(SharedCase{"tokenizers/bert-uncased", "tokenizers/bert-uncased"},
                    SharedCase{"tokenizers/bert-uncased", "tokenizers/bert-uncased/vocab.txt"},
                    SharedCase{"tokenizers/gpt2", "tokenizers/gpt2"},
                    SharedCase{"models/tinystories-656k", "models/tinystories-656k"},
                    SharedCase{"models/stories260k/tok512.bin", "models/stories260k", true}));

std::string document(const std::string& normalizer, const std::string& pre_tokenizer,
                     const std::string& model) {
  return fmt::format(
      R"({{"version":"1.0","normalizer":{},"pre_tokenizer":{},"model":{},"decoder":{{"type":"ByteLevel"}}}})",
      normalizer, pre_tokenizer, model);
}

// A tokenizer that shows what a normalizer makes of a text: the ids are the bytes.
std::string with_bytes(const Json& normalizer) {
  Json alphabet = Json::parse(*read_file(kGolden / "tokenizers" / "qwen.json"))["model"]["vocab"];
  Json bytes = Json::object();
  for (const auto& [token, id] : alphabet.items()) {
    if (id < 256) bytes[token] = id;
  }
  return document(normalizer.dump(),
                  R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})",
                  Json({{"type", "BPE"}, {"vocab", bytes}, {"merges", Json::array()}}).dump());
}

TEST(Normalizers, MakeWhatTheOriginalMakes) {
  const Json parts = Json::parse(*read_file(kGolden / "tokenizer_parts.json"));
  for (const auto& [name, normalizer] : parts["normalizers"].items()) {
    const auto tokenizer = parse_tokenizer_json(with_bytes(normalizer), name);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    const auto expected = hashes("normalizer: " + name, "ids");
    for (std::size_t i = 0; i < texts().size(); ++i) {
      if (!is_utf8(texts()[i])) continue;
      const auto encoding = tokenizer->encode(texts()[i]);
      ASSERT_TRUE(encoding) << encoding.error().message;
      EXPECT_EQ(hash_of(encoding->ids), expected[i])
          << name << ": " << i << " " << texts()[i] << "\n"
          << *tokenizer->decode(encoding->ids);
    }
  }
}

TEST(PreTokenizers, CutWhereTheOriginalCuts) {
  const Json parts = Json::parse(*read_file(kGolden / "tokenizer_parts.json"));
  for (const auto& [name, pre_tokenizer] : parts["pre_tokenizers"].items()) {
    const auto tokenizer =
        parse_tokenizer_json(document("null", pre_tokenizer.dump(),
                                      R"({"type":"WordLevel","vocab":{"?":0},"unk_token":"?"})"),
                             name);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    const auto expected = hashes("pre-tokenizer: " + name, "offsets");
    for (std::size_t i = 0; i < texts().size(); ++i) {
      const std::string& text = texts()[i];
      if (!is_utf8(text)) continue;
      const auto encoding = tokenizer->encode(text);
      ASSERT_TRUE(encoding) << encoding.error().message;
      std::string cut;
      for (const ByteRange range : encoding->offsets)
        cut += text.substr(range.begin, range.end - range.begin) + "¦";
      EXPECT_EQ(hash_of(whole_characters(text, encoding->offsets)), expected[i])
          << name << ": " << i << "\n"
          << cut;
    }
  }
}

}  // namespace
}  // namespace plumb
