#include <fmt/format.h>

#include <algorithm>

#include "plumb/text/tokens/bpe_vocabulary.h"
#include "plumb/text/tokens/json_steps.h"

namespace plumb::tokens {
namespace {

namespace dom = simdjson::dom;

// {"token": id, ...}
Result<void> read_vocabulary(const JsonNode& model, Vocabulary& vocabulary) {
  PLUMB_TRY(node, model.at("vocab"));
  dom::object object;
  if (node.value().get(object) != simdjson::SUCCESS)
    return node.bad(fmt::format("must be an object, it is {}", node.kind()));
  for (const auto field : object) {
    std::int64_t id = -1;
    if (field.value.get(id) != simdjson::SUCCESS) {
      return node.bad(fmt::format("the id of '{}' is no whole number", field.key));
    }
    if (auto added = vocabulary.add(field.key, id); !added) return node.bad(added.error().message);
  }
  if (vocabulary.count() == 0) return node.bad("is empty");
  return {};
}

// A key that names a token of the vocabulary.
Result<std::optional<TokenId>> read_token(const JsonNode& node, std::string_view key,
                                          const Vocabulary& vocabulary) {
  PLUMB_TRY(found, node.find(key));
  if (!found) return std::nullopt;
  PLUMB_TRY(text, found->text());
  const auto id = vocabulary.find(text);
  if (!id) return found->bad(fmt::format("'{}' is not in the vocabulary", text));
  return *id;
}

Result<TokenId> read_unknown(const JsonNode& node, std::string_view otherwise,
                             Tokenizer::State& state) {
  PLUMB_TRY(id, read_token(node, "unk_token", state.vocabulary));
  if (!id) id = state.vocabulary.find(otherwise);
  if (!id)
    return node.bad(fmt::format("the unknown token '{}' is not in the vocabulary", otherwise));
  state.special.unk = *id;
  return *id;
}

Result<void> read_word_piece(const JsonNode& node, Tokenizer::State& state) {
  if (auto done = node.only(
          {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
      !done)
    return done;
  if (auto done = read_vocabulary(node, state.vocabulary); !done) return done;
  PLUMB_TRY(unknown, read_unknown(node, "[UNK]", state));
  PLUMB_TRY(prefix, node.text_or("continuing_subword_prefix", "##"));
  PLUMB_TRY(longest, node.whole_or("max_input_chars_per_word", 100, 1, 1 << 20));
  state.model = make_word_piece(state.vocabulary,
                                {unknown, std::string(prefix), static_cast<std::size_t>(longest)});
  return {};
}

Result<void> read_word_level(const JsonNode& node, Tokenizer::State& state) {
  if (auto done = node.only({"type", "unk_token", "vocab"}); !done) return done;
  if (auto done = read_vocabulary(node, state.vocabulary); !done) return done;
  PLUMB_TRY(unknown, read_unknown(node, "<unk>", state));
  state.model = make_word_level(state.vocabulary, unknown);
  return {};
}

Result<void> read_unigram(const JsonNode& node, Tokenizer::State& state) {
  if (auto done = node.only({"type", "unk_id", "vocab", "byte_fallback"}); !done) return done;
  UnigramOptions options;
  PLUMB_TRY(vocabulary_node, node.at("vocab"));
  PLUMB_TRY(entries, vocabulary_node.items());
  if (entries.empty()) return vocabulary_node.bad("is empty");
  for (const JsonNode& entry : entries) {
    PLUMB_TRY(pair, entry.items());
    double score = 0;
    if (pair.size() != 2 || pair[1].value().get(score) != simdjson::SUCCESS)
      return entry.bad("must be a token and its score");
    PLUMB_TRY(text, pair[0].text());
    if (auto added = state.vocabulary.add(text, static_cast<std::int64_t>(options.scores.size()));
        !added)
      return entry.bad(added.error().message);
    options.scores.push_back(score);
  }
  PLUMB_TRY(unknown_node, node.at("unk_id"));
  PLUMB_TRY(unknown, unknown_node.whole(0, static_cast<std::int64_t>(entries.size()) - 1));
  PLUMB_TRY(byte_fallback, node.flag_or("byte_fallback", false));
  options.unknown = static_cast<TokenId>(unknown);
  options.byte_fallback = byte_fallback;
  state.special.unk = options.unknown;
  state.model = make_unigram(state.vocabulary, std::move(options));
  return {};
}

// "a b", or ["a", "b"].
Result<std::pair<std::string_view, std::string_view>> read_pair(const JsonNode& list,
                                                                dom::element merge,
                                                                std::size_t index) {
  dom::array array;
  std::string_view left, right;
  if (merge.get(array) == simdjson::SUCCESS) {
    if (array.size() == 2 && array.at(0).get(left) == simdjson::SUCCESS &&
        array.at(1).get(right) == simdjson::SUCCESS) {
      return std::pair{left, right};
    }
  } else if (merge.get(left) == simdjson::SUCCESS) {
    const std::size_t blank = left.find(' ');
    if (blank != std::string_view::npos && left.find(' ', blank + 1) == std::string_view::npos) {
      return std::pair{left.substr(0, blank), left.substr(blank + 1)};
    }
  }
  return list.child(merge, index).bad("must be two tokens");
}

Result<std::vector<Merge>> read_merges(const JsonNode& node, const Vocabulary& vocabulary,
                                       std::string_view prefix) {
  PLUMB_TRY(list, node.at("merges"));
  dom::array array;
  if (list.value().get(array) != simdjson::SUCCESS)
    return list.bad(fmt::format("must be a list, it is {}", list.kind()));
  std::vector<Merge> merges;
  for (const dom::element element : array) {
    const std::size_t index = merges.size();
    PLUMB_TRY(pair, read_pair(list, element, index));
    auto merge = make_merge(vocabulary, pair, prefix, static_cast<std::uint32_t>(index));
    if (!merge) return list.child(element, index).bad(merge.error().message);
    merges.push_back(*merge);
  }
  return merges;
}

Result<void> refuse_dropout(const JsonNode& node) {
  PLUMB_TRY(dropout, node.find("dropout"));
  double share = 0;
  if (dropout && (dropout->value().get(share) != simdjson::SUCCESS || share != 0)) {
    return dropout->bad("dropout makes ids random and is not supported; set it to null");
  }
  return {};
}

// GPT-2's own file says "": every byte is a token, none is unknown.
Result<std::optional<TokenId>> read_bpe_unknown(const JsonNode& node, bool bytes,
                                                const Vocabulary& vocabulary) {
  PLUMB_TRY(text, node.text_or("unk_token", ""));
  if (text.empty() && bytes) return std::nullopt;
  return read_token(node, "unk_token", vocabulary);
}

Result<void> read_bpe(const JsonNode& node, bool bytes, Tokenizer::State& state) {
  if (auto done = node.only({"type", "dropout", "unk_token", "continuing_subword_prefix",
                             "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges",
                             "vocab", "merges"});
      !done) {
    return done;
  }
  if (auto done = refuse_dropout(node); !done) return done;
  if (auto done = read_vocabulary(node, state.vocabulary); !done) return done;
  PLUMB_TRY(unknown, read_bpe_unknown(node, bytes, state.vocabulary));
  PLUMB_TRY(prefix, node.text_or("continuing_subword_prefix", ""));
  PLUMB_TRY(suffix, node.text_or("end_of_word_suffix", ""));
  PLUMB_TRY(fuse, node.flag_or("fuse_unk", false));
  PLUMB_TRY(fallback, node.flag_or("byte_fallback", false));
  PLUMB_TRY(ignore, node.flag_or("ignore_merges", false));
  PLUMB_TRY(merges, read_merges(node, state.vocabulary, prefix));
  state.special.unk = unknown;
  auto model = bpe_of(state.vocabulary, merges,
                      {.bytes = bytes,
                       .byte_fallback = fallback,
                       .ignore_merges = ignore,
                       .fuse_unknown = fuse,
                       .unknown = unknown,
                       .prefix = std::string(prefix),
                       .suffix = std::string(suffix)});
  if (!model) return node.bad(model.error().message);
  state.model = std::move(*model);
  if (bytes) state.invalid_bytes = InvalidBytes::kApart;
  return {};
}

// Old files give no type; they are known by what they hold.
Result<std::string_view> model_type(const JsonNode& node) {
  PLUMB_TRY(type, node.text_or("type", ""));
  if (!type.empty()) return type;
  PLUMB_TRY(merges, node.find("merges"));
  PLUMB_TRY(longest, node.find("max_input_chars_per_word"));
  PLUMB_TRY(unknown, node.find("unk_id"));
  return merges ? "BPE" : longest ? "WordPiece" : unknown ? "Unigram" : "WordLevel";
}

}  // namespace

Result<void> read_model(const JsonNode& node, bool bytes, Tokenizer::State& state) {
  PLUMB_TRY(type, model_type(node));
  if (type == "BPE") return read_bpe(node, bytes, state);
  if (bytes)
    return node.bad(fmt::format("ByteLevel with a model of type '{}' is not supported", type));
  if (type == "WordPiece") return read_word_piece(node, state);
  if (type == "Unigram") return read_unigram(node, state);
  if (type == "WordLevel") return read_word_level(node, state);
  return unsupported(node, type, "BPE, Unigram, WordLevel, WordPiece");
}

}  // namespace plumb::tokens
