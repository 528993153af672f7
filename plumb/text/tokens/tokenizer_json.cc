#include "plumb/text/tokens/tokenizer_json.h"

#include <fmt/format.h>

#include "plumb/text/tokens/json_steps.h"

namespace plumb::tokens {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;
constexpr std::size_t kDeepestJson = 64;

// A token is where the model has it, or gets the id that the file gives it.
Result<void> enter(const JsonNode& node, const AddedToken& token, Vocabulary& vocabulary) {
  const auto known = vocabulary.find(token.content);
  if (known && *known == token.id) return {};
  if (known) {
    return node.bad(fmt::format("'{}' has id {} here and {} in the vocabulary", token.content,
                                token.id, *known));
  }
  if (auto added = vocabulary.add(token.content, token.id); !added)
    return node.bad(added.error().message);
  return {};
}

Result<AddedToken> read_added_token(const JsonNode& node) {
  if (auto done =
          node.only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
      !done) {
    return tl::unexpected(done.error());
  }
  PLUMB_TRY(id_node, node.at("id"));
  PLUMB_TRY(id, id_node.whole(0, kLargestId));
  PLUMB_TRY(content, node.text_at("content"));
  if (content.empty()) return node.bad("content is empty");
  PLUMB_TRY(special, node.flag_or("special", false));
  PLUMB_TRY(normalized, node.flag_or("normalized", !special));
  PLUMB_TRY(single_word, node.flag_or("single_word", false));
  PLUMB_TRY(left, node.flag_or("lstrip", false));
  PLUMB_TRY(right, node.flag_or("rstrip", false));
  return AddedToken{static_cast<TokenId>(id),
                    std::string(content),
                    special,
                    normalized,
                    single_word,
                    left,
                    right};
}

Result<void> read_added_tokens(const JsonNode& root, Tokenizer::State& state) {
  PLUMB_TRY(list, root.find("added_tokens"));
  if (!list) return {};
  PLUMB_TRY(items, list->items());
  for (const JsonNode& item : items) {
    PLUMB_TRY(token, read_added_token(item));
    for (const AddedToken& other : state.added_list) {
      if (other.id == token.id) return item.bad(fmt::format("id {} is added twice", token.id));
    }
    if (auto done = enter(item, token, state.vocabulary); !done) return done;
    state.added_list.push_back(std::move(token));
  }
  return {};
}

// One of two words.
Result<bool> read_side(const JsonNode& node, std::string_view key) {
  PLUMB_TRY(side, node.text_or(key, "Right"));
  if (side == "Left") return true;
  if (side == "Right") return false;
  return node.bad(fmt::format("{} '{}' is not supported; it is Left or Right", key, side));
}

Result<void> read_truncation(const JsonNode& root, Tokenizer::State& state) {
  PLUMB_TRY(node, root.find("truncation"));
  if (!node) return {};
  if (auto done = node->only({"direction", "max_length", "strategy", "stride"}); !done) return done;
  PLUMB_TRY(length_node, node->at("max_length"));
  PLUMB_TRY(length, length_node.whole(1, kMostTokens));
  PLUMB_TRY(left, read_side(*node, "direction"));
  PLUMB_TRY(strategy, node->text_or("strategy", "LongestFirst"));
  if (strategy != "LongestFirst" && strategy != "OnlyFirst") {
    return node->bad(fmt::format("strategy '{}' for a single text is not supported", strategy));
  }
  PLUMB_TRY(stride, node->whole_or("stride", 0, 0, kMostTokens));
  if (stride != 0)
    return node->bad(fmt::format("stride {} is not supported: a text is cut, not wrapped", stride));
  state.max_tokens = static_cast<std::size_t>(length);
  state.cuts_left = left;
  return {};
}

// "BatchLongest", or {"Fixed": 128}, whose length is not applied.
Result<void> read_padding_strategy(const JsonNode& node) {
  PLUMB_TRY(strategy, node.at("strategy"));
  if (strategy.value().is_object()) {
    if (auto done = strategy.only({"Fixed"}); !done) return done;
    PLUMB_TRY(fixed, strategy.whole_or("Fixed", 0, 0, kMostTokens));
    (void)fixed;
    return {};
  }
  PLUMB_TRY(name, strategy.text());
  if (name != "BatchLongest") return strategy.bad(fmt::format("'{}' is not supported", name));
  return {};
}

Result<void> read_padding(const JsonNode& root, Tokenizer::State& state) {
  PLUMB_TRY(node, root.find("padding"));
  if (!node) return {};
  if (auto done = node->only(
          {"strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token"});
      !done) {
    return done;
  }
  if (auto done = read_padding_strategy(*node); !done) return done;
  PLUMB_TRY(left, read_side(*node, "direction"));
  PLUMB_TRY(multiple, node->whole_or("pad_to_multiple_of", 1, 1, 1 << 20));
  PLUMB_TRY(id, node->whole_or("pad_id", 0, 0, kLargestId));
  PLUMB_TRY(token, node->text_or("pad_token", ""));
  const auto pad = static_cast<TokenId>(id);
  if (!token.empty() && state.vocabulary.text(pad) != token) {
    return node->bad(fmt::format("pad_id {} is not the token '{}'", id, token));
  }
  state.padding = pad;
  state.padding_side = left ? PaddingSide::kLeft : PaddingSide::kRight;
  state.padding_multiple = static_cast<std::size_t>(multiple);
  state.special.pad = pad;
  return {};
}

Result<void> read_decoders(const JsonNode& root, Tokenizer::State& state) {
  PLUMB_TRY(node, root.find("decoder"));
  if (node) return read_decoder(*node, state.decoders);
  state.decoders.push_back(join_decoder());
  return {};
}

Result<void> read_document(const JsonNode& root, Tokenizer::State& state) {
  if (auto done = root.only({"version", "truncation", "padding", "added_tokens", "normalizer",
                             "pre_tokenizer", "post_processor", "decoder", "model"});
      !done) {
    return done;
  }
  PLUMB_TRY(version, root.text_or("version", "1.0"));
  if (version != "1.0")
    return root.bad(fmt::format("version '{}' is not supported; it is 1.0", version));
  PLUMB_TRY(normalizer, root.find("normalizer"));
  if (normalizer) {
    if (auto done = read_normalizer(*normalizer, state.normalizers); !done) return done;
  }
  PreTokenizers pre_tokenizers;
  PLUMB_TRY(pre_tokenizer, root.find("pre_tokenizer"));
  if (pre_tokenizer) {
    if (auto done = read_pre_tokenizer(*pre_tokenizer, pre_tokenizers); !done) return done;
  }
  state.pre_tokenizers = std::move(pre_tokenizers.steps);
  PLUMB_TRY(model, root.at("model"));
  if (auto done = read_model(model, pre_tokenizers.bytes, state); !done) return done;
  if (auto done = read_added_tokens(root, state); !done) return done;
  PLUMB_TRY(post_processor, root.find("post_processor"));
  if (post_processor) {
    if (auto done = read_post_processor(*post_processor, state); !done) return done;
  }
  if (auto done = read_decoders(root, state); !done) return done;
  if (auto done = read_truncation(root, state); !done) return done;
  if (auto done = read_padding(root, state); !done) return done;
  return state.enter_added_tokens();
}

}  // namespace

Result<std::shared_ptr<Tokenizer::State>> read_tokenizer_json(std::string_view json,
                                                              const std::string& file) {
  dom::parser parser;
  if (parser.allocate(std::max<std::size_t>(json.size(), 64), kDeepestJson) != simdjson::SUCCESS) {
    return fail(ErrorKind::kExhausted,
                fmt::format("{}: {} bytes are too many to parse", file, json.size()));
  }
  dom::element root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root);
      error != simdjson::SUCCESS) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: is no JSON: {}", file, simdjson::error_message(error)));
  }
  auto state = std::make_shared<Tokenizer::State>();
  if (auto done = read_document(JsonNode(root, file, ""), *state); !done)
    return tl::unexpected(done.error());
  return state;
}

}  // namespace plumb::tokens
