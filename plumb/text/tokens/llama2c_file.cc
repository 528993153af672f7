#include "plumb/text/tokens/llama2c_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "plumb/base/json.h"
#include "plumb/text/lines.h"
#include "plumb/text/tokenizer_export.h"
#include "plumb/text/tokens/bpe_vocabulary.h"

namespace plumb::tokens {
namespace {

constexpr std::size_t kFirstByteToken = 3, kByteTokens = 256;
constexpr const char* kSpecial[kFirstByteToken] = {"<unk>", "<s>", "</s>"};
constexpr std::string_view kBlank = "\xe2\x96\x81";  // what stands for a blank in tokenizer.json

tl::unexpected<Error> bad(const std::string& file, std::string_view where, std::string_view what) {
  return fail(ErrorKind::kBadInput, fmt::format("{}{}: {}", file, where, what));
}

// Reads little-endian numbers from the front.
struct Bytes {
  std::string_view rest;

  std::optional<std::uint32_t> u32() {
    if (rest.size() < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = (value << 8) | static_cast<unsigned char>(rest[i]);
    rest.remove_prefix(4);
    return value;
  }
  std::optional<std::string_view> take(std::size_t count) {
    if (rest.size() < count) return std::nullopt;
    const std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }
};

struct ScoredTokens {
  Vocabulary vocabulary;
  std::vector<float> scores;  // by id
};

Result<ScoredTokens> read_scored_tokens(std::string_view bytes, const std::string& file) {
  Bytes reader{bytes};
  const auto longest = reader.u32();
  if (!longest) return bad(file, "", "is shorter than its header");
  ScoredTokens tokens;
  while (!reader.rest.empty()) {
    const auto where = fmt::format(": token {} at byte {}", tokens.scores.size(),
                                   bytes.size() - reader.rest.size());
    const auto score = reader.u32(), length = reader.u32();
    if (!score || !length) return bad(file, where, "is cut short");
    if (*length > *longest)
      return bad(file, where, fmt::format("has {} bytes, the header allows {}", *length, *longest));
    const auto text = reader.take(*length);
    if (!text) return bad(file, where, "is cut short");
    const auto value = std::bit_cast<float>(*score);
    if (!std::isfinite(value)) return bad(file, where, "has a score that is no finite number");
    if (auto added = tokens.vocabulary.add(*text, static_cast<std::int64_t>(tokens.scores.size()));
        !added) {
      return bad(file, where, added.error().message);
    }
    tokens.scores.push_back(value);
  }
  if (tokens.scores.size() < kFirstByteToken + kByteTokens) {
    return bad(file, "",
               fmt::format("has {} tokens; a tokenizer.bin has at least {}", tokens.scores.size(),
                           kFirstByteToken + kByteTokens));
  }
  return tokens;
}

// Every way to cut a token into two tokens is a merge; equal scores have equal rank, so that the
// leftmost of them wins.
std::vector<Merge> merges_of(const ScoredTokens& tokens) {
  std::vector<float> order(tokens.scores);
  std::ranges::sort(order, std::greater{});
  order.erase(std::unique(order.begin(), order.end()), order.end());
  std::vector<Merge> merges;
  for (std::size_t i = 0; i < tokens.scores.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const std::string_view text = tokens.vocabulary.text(id);
    const auto rank =
        std::ranges::lower_bound(order, tokens.scores[i], std::greater{}) - order.begin();
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const auto left = tokens.vocabulary.find(text.substr(0, cut)),
                 right = tokens.vocabulary.find(text.substr(cut));
      if (left && right) merges.push_back({*left, *right, id, static_cast<std::uint32_t>(rank)});
    }
  }
  return merges;
}

std::string with_blanks(std::string_view text) {
  std::string spelt;
  for (const char c : text) {
    if (c == ' ') {
      spelt += kBlank;
    } else {
      spelt += c;
    }
  }
  return spelt;
}

// How tokenizer.json spells a token.
std::string spelling(const ScoredTokens& tokens, std::size_t id) {
  if (id < kFirstByteToken) return kSpecial[id];
  if (id < kFirstByteToken + kByteTokens) return fmt::format("<0x{:02X}>", id - kFirstByteToken);
  return with_blanks(tokens.vocabulary.text(static_cast<TokenId>(id)));
}

Result<Json> vocabulary_json(const ScoredTokens& tokens, const std::string& file) {
  Json vocabulary = Json::object();
  for (std::size_t id = 0; id < tokens.scores.size(); ++id) {
    const std::string text = spelling(tokens, id);
    if (first_bad_utf8(text)) {
      return bad(file, fmt::format(": token {}", id), "is no UTF-8, which JSON cannot hold");
    }
    if (const auto other = vocabulary.find(text); other != vocabulary.end()) {
      return bad(file, fmt::format(": token {}", id),
                 fmt::format("would be spelt as token {} is", other->get<std::size_t>()));
    }
    vocabulary[text] = id;
  }
  return vocabulary;
}

// In tokenizer.json every pair has a rank of its own, so that two tokens of one score could not
// take turns as they stand in the text.
Result<Json> merges_json(const ScoredTokens& tokens, const std::string& file) {
  std::vector<Merge> merges = merges_of(tokens);
  std::erase_if(merges, [](const Merge& merge) {
    constexpr auto kFirst = static_cast<TokenId>(kFirstByteToken);
    return merge.left < kFirst || merge.right < kFirst ||
           merge.merged < kFirst + TokenId{kByteTokens};
  });
  std::ranges::stable_sort(merges, {}, &Merge::rank);
  Json list = Json::array();
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const Merge& merge = merges[i];
    if (i > 0 && merge.rank == merges[i - 1].rank && merge.merged != merges[i - 1].merged) {
      return bad(file, fmt::format(": tokens {} and {}", merges[i - 1].merged, merge.merged),
                 "have one score, which tokenizer.json cannot express");
    }
    list.push_back(spelling(tokens, static_cast<std::size_t>(merge.left)) + " " +
                   spelling(tokens, static_cast<std::size_t>(merge.right)));
  }
  return list;
}

Json special_tokens_json() {
  Json list = Json::array();
  for (std::size_t id = 0; id < kFirstByteToken; ++id) {
    list.push_back({{"id", id},
                    {"content", kSpecial[id]},
                    {"single_word", false},
                    {"lstrip", false},
                    {"rstrip", false},
                    {"normalized", false},
                    {"special", true}});
  }
  return list;
}

// <s> before each text.
Json template_json() {
  const Json begin = {{"SpecialToken", {{"id", kSpecial[1]}, {"type_id", 0}}}};
  const Json first = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
             second = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  return {{"type", "TemplateProcessing"},
          {"single", {begin, first}},
          {"pair", {begin, first, begin, second}},
          {"special_tokens",
           {{kSpecial[1], {{"id", kSpecial[1]}, {"ids", {1}}, {"tokens", {kSpecial[1]}}}}}}};
}

}  // namespace

bool looks_like_llama2c(std::string_view bytes) {
  Bytes reader{bytes};
  const auto longest = reader.u32();
  while (longest && !reader.rest.empty()) {
    const auto score = reader.u32(), length = reader.u32();
    if (!score || !length || *length > *longest || !reader.take(*length)) return false;
  }
  return longest.has_value() && bytes.size() > 4;
}

StateResult read_llama2c(std::string_view bytes, const std::string& file) {
  PLUMB_TRY(tokens, read_scored_tokens(bytes, file));
  auto state = std::make_shared<Tokenizer::State>();
  BpeOptions options{.loose_characters = true, .byte_fallback = true};
  for (std::size_t byte = 0; byte < kByteTokens; ++byte) {
    options.byte_tokens[byte] = static_cast<TokenId>(kFirstByteToken + byte);
  }
  PLUMB_TRY(model, make_bpe(tokens.vocabulary, merges_of(tokens), options));
  state->vocabulary = std::move(tokens.vocabulary);
  state->model = std::move(model);
  state->invalid_bytes = InvalidBytes::kKept;
  state->pre_tokenizers.push_back(blank_before_text());
  state->decoders = {raw_bytes_decoder(), fuse_decoder(), strip_decoder(" ", 1, 0)};
  state->special.unk = 0;
  state->special.bos = 1;
  state->special.eos = 2;
  state->before = {1};
  for (TokenId id = 0; id < 3; ++id) state->added.add({.id = id, .special = true}, "");
  return state;
}

}  // namespace plumb::tokens

namespace plumb {

Result<std::string> llama2c_as_json(std::string_view bytes, const std::string& file) {
  using namespace tokens;
  PLUMB_TRY(scored, read_scored_tokens(bytes, file));
  PLUMB_TRY(vocabulary, vocabulary_json(scored, file));
  PLUMB_TRY(merges, merges_json(scored, file));
  const Json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kBlank}};
  const Json back = {{"type", "Replace"}, {"pattern", {{"String", kBlank}}}, {"content", " "}};
  const Json strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
  const Json json = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", special_tokens_json()},
      {"normalizer",
       {{"type", "Sequence"},
        {"normalizers", {{{"type", "Prepend"}, {"prepend", kBlank}}, replace}}}},
      {"pre_tokenizer", nullptr},
      {"post_processor", template_json()},
      {"decoder",
       {{"type", "Sequence"},
        {"decoders", {back, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}, strip}}}},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", kSpecial[0]},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", true},
        {"byte_fallback", true},
        {"vocab", std::move(vocabulary)},
        {"merges", std::move(merges)}}}};
  return to_text(json);
}

}  // namespace plumb
