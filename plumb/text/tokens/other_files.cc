#include "plumb/text/tokens/other_files.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "plumb/text/tokens/bpe_vocabulary.h"

namespace plumb::tokens {
namespace {

namespace dom = simdjson::dom;

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

}  // namespace plumb::tokens
