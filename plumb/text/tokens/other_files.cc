#include "plumb/text/tokens/other_files.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "plumb/text/tokens/bpe_vocabulary.h"

namespace plumb::tokens {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kFirstByteToken = 3, kByteTokens = 256;

tl::unexpected<Error> bad(const std::string& file, std::string_view where, std::string_view what) {
  return fail(ErrorKind::kBadInput, fmt::format("{}{}: {}", file, where, what));
}

// Calls visit(line, number from 1) for each line.
template <typename Visit>
Result<void> each_line(std::string_view text, const Visit& visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (Result<void> done = visit(line, number); !done) return done;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

void add_special(Tokenizer::State& state, std::string_view token, std::optional<TokenId>& role) {
  const auto id = state.vocabulary.find(token);
  if (!id) return;
  role = id;
  state.added_list.push_back({.id = *id, .content = std::string(token), .special = true});
}

Result<TokenId> require(const Tokenizer::State& state, std::string_view token,
                        const std::string& file) {
  const auto id = state.vocabulary.find(token);
  if (!id) return bad(file, "", fmt::format("the token '{}' is missing", token));
  return *id;
}

Result<void> read_tokens_json(std::string_view json, const std::string& file,
                              Vocabulary& vocabulary) {
  dom::parser parser;
  dom::element root;
  dom::object object;
  if (const auto error = parser.parse(json.data(), json.size()).get(root);
      error != simdjson::SUCCESS) {
    return bad(file, "", fmt::format("is no JSON: {}", simdjson::error_message(error)));
  }
  if (root.get(object) != simdjson::SUCCESS)
    return bad(file, "", "must be an object of tokens and ids");
  for (const auto field : object) {
    std::int64_t id = -1;
    if (field.value.get(id) != simdjson::SUCCESS)
      return bad(file, "", fmt::format("the id of '{}' is no whole number", field.key));
    if (auto added = vocabulary.add(field.key, id); !added)
      return bad(file, "", added.error().message);
  }
  if (vocabulary.count() == 0) return bad(file, "", "is empty");
  return {};
}

Result<std::vector<Merge>> read_merges_txt(std::string_view text, const std::string& file,
                                           const Vocabulary& vocabulary) {
  std::vector<Merge> merges;
  auto done = each_line(text, [&](std::string_view line, std::size_t number) -> Result<void> {
    if (line.empty() || (number == 1 && line.starts_with("#version"))) return {};
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos)
      return bad(file, fmt::format(":{}", number), "must be two tokens");
    auto merge = make_merge(vocabulary, {line.substr(0, blank), line.substr(blank + 1)}, "",
                            static_cast<std::uint32_t>(merges.size()));
    if (!merge) return bad(file, fmt::format(":{}", number), merge.error().message);
    merges.push_back(*merge);
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return merges;
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

}  // namespace

StateResult read_vocab_txt(std::string_view bytes, const std::string& file, const Config& config) {
  auto state = std::make_shared<Tokenizer::State>();
  auto done = each_line(bytes, [&](std::string_view line, std::size_t number) -> Result<void> {
    if (auto added = state->vocabulary.add(line, static_cast<std::int64_t>(number) - 1); !added) {
      return bad(file, fmt::format(":{}", number), added.error().message);
    }
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  PLUMB_TRY(unknown, require(*state, config.unk.value_or("[UNK]"), file));
  PLUMB_TRY(cls, require(*state, config.cls.value_or("[CLS]"), file));
  PLUMB_TRY(sep, require(*state, config.sep.value_or("[SEP]"), file));
  add_special(*state, config.unk.value_or("[UNK]"), state->special.unk);
  add_special(*state, config.cls.value_or("[CLS]"), state->special.cls);
  add_special(*state, config.sep.value_or("[SEP]"), state->special.sep);
  add_special(*state, config.pad.value_or("[PAD]"), state->special.pad);
  add_special(*state, config.mask.value_or("[MASK]"), state->special.mask);
  state->padding = state->special.pad.value_or(0);
  state->normalizers.push_back(
      bert_normalizer({.chinese_characters = config.chinese_characters,
                       .strip_accents = config.strip_accents.value_or(config.lowercase),
                       .lowercase = config.lowercase}));
  state->pre_tokenizers.push_back(bert_pre_tokenizer());
  state->model = make_word_piece(state->vocabulary, {.unknown = unknown});
  state->decoders.push_back(word_piece_decoder("##", true));
  state->before = {cls};
  state->behind = {sep};
  if (done = state->enter_added_tokens(); !done) return tl::unexpected(done.error());
  return state;
}

StateResult read_vocab_and_merges(std::string_view vocabulary, const std::string& vocabulary_file,
                                  std::string_view merges, const std::string& merges_file,
                                  const Config& config) {
  auto state = std::make_shared<Tokenizer::State>();
  if (auto done = read_tokens_json(vocabulary, vocabulary_file, state->vocabulary); !done)
    return tl::unexpected(done.error());
  PLUMB_TRY(pairs, read_merges_txt(merges, merges_file, state->vocabulary));
  auto model = bpe_of(state->vocabulary, pairs, {.bytes = true});
  if (!model) return bad(merges_file, "", model.error().message);
  state->model = std::move(*model);
  state->invalid_bytes = InvalidBytes::kApart;
  PLUMB_TRY(cutter, byte_level(config.add_prefix_space, true));
  state->pre_tokenizers.push_back(std::move(cutter));
  state->decoders.push_back(byte_level_decoder());
  std::optional<TokenId> end;
  add_special(*state, "<|endoftext|>", end);
  state->special.bos = state->special.eos = state->special.unk = end;
  if (auto done = state->enter_added_tokens(); !done) return tl::unexpected(done.error());
  return state;
}

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
