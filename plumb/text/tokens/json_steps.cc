#include "plumb/text/tokens/json_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plumb/base/utf8.h"

namespace plumb::tokens {
namespace {

constexpr std::string_view kMetaspace = "\xe2\x96\x81";

Result<void> read_bert_normalizer(const JsonNode& node, std::vector<Normalizer>& steps) {
  if (auto done =
          node.only({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
      !done)
    return done;
  PLUMB_TRY(clean_text, node.flag_or("clean_text", true));
  PLUMB_TRY(chinese, node.flag_or("handle_chinese_chars", true));
  PLUMB_TRY(lowercase, node.flag_or("lowercase", true));
  PLUMB_TRY(accents, node.flag_or("strip_accents", lowercase));
  steps.push_back(bert_normalizer({clean_text, chinese, accents, lowercase}));
  return {};
}

Result<void> read_strip(const JsonNode& node, std::vector<Normalizer>& steps) {
  if (auto done = node.only({"type", "strip_left", "strip_right"}); !done) return done;
  PLUMB_TRY(left, node.flag_or("strip_left", true));
  PLUMB_TRY(right, node.flag_or("strip_right", true));
  steps.push_back(strip(left, right));
  return {};
}

Result<void> read_replace(const JsonNode& node, std::vector<Normalizer>& steps) {
  if (auto done = node.only({"type", "pattern", "content"}); !done) return done;
  PLUMB_TRY(pattern_node, node.at("pattern"));
  PLUMB_TRY(pattern, read_pattern(pattern_node));
  PLUMB_TRY(content, node.text_at("content"));
  steps.push_back(replace(std::move(pattern), std::string(content)));
  return {};
}

Result<void> read_prepend(const JsonNode& node, std::vector<Normalizer>& steps) {
  if (auto done = node.only({"type", "prepend"}); !done) return done;
  PLUMB_TRY(text, node.text_at("prepend"));
  steps.push_back(prepend(std::string(text)));
  return {};
}

Result<void> read_precompiled(const JsonNode& node, std::vector<Normalizer>& steps) {
  if (auto done = node.only({"type", "precompiled_charsmap"}); !done) return done;
  PLUMB_TRY(map_node, node.at("precompiled_charsmap"));
  PLUMB_TRY(text, map_node.text());
  auto map = Charsmap::decode(text);
  if (!map) return map_node.bad(map.error().message);
  steps.push_back(precompiled(std::move(*map)));
  return {};
}

Result<void> read_plain(const JsonNode& node, Normalizer made, std::vector<Normalizer>& steps) {
  if (auto done = node.only({"type"}); !done) return done;
  steps.push_back(std::move(made));
  return {};
}

Result<SplitBehaviour> read_behaviour(const JsonNode& node, std::string_view otherwise) {
  static constexpr std::pair<std::string_view, SplitBehaviour> kNames[] = {
      {"Removed", SplitBehaviour::kRemoved},
      {"Isolated", SplitBehaviour::kIsolated},
      {"MergedWithPrevious", SplitBehaviour::kMergedWithPrevious},
      {"MergedWithNext", SplitBehaviour::kMergedWithNext},
      {"Contiguous", SplitBehaviour::kContiguous}};
  PLUMB_TRY(name,
            otherwise.empty() ? node.text_at("behavior") : node.text_or("behavior", otherwise));
  for (const auto& [known, behaviour] : kNames) {
    if (known == name) return behaviour;
  }
  return node.bad(
      fmt::format("behavior '{}' is not supported; it is Removed, Isolated, MergedWithPrevious, "
                  "MergedWithNext or Contiguous",
                  name));
}

Result<void> read_byte_level(const JsonNode& node, PreTokenizers& made) {
  if (auto done = node.only({"type", "add_prefix_space", "trim_offsets", "use_regex"}); !done)
    return done;
  PLUMB_TRY(add_prefix_space, node.flag_or("add_prefix_space", true));
  PLUMB_TRY(trim_offsets, node.flag_or("trim_offsets", true));
  (void)trim_offsets;  // the post-processor's, not this one's, is what counts
  PLUMB_TRY(use_regex, node.flag_or("use_regex", true));
  PLUMB_TRY(step, byte_level(add_prefix_space, use_regex));
  made.steps.push_back(std::move(step));
  made.bytes = true;
  return {};
}

Result<void> read_split(const JsonNode& node, PreTokenizers& made) {
  if (auto done = node.only({"type", "pattern", "behavior", "invert"}); !done) return done;
  PLUMB_TRY(pattern_node, node.at("pattern"));
  PLUMB_TRY(pattern, read_pattern(pattern_node));
  PLUMB_TRY(behaviour, read_behaviour(node, ""));
  PLUMB_TRY(invert, node.flag_or("invert", false));
  made.steps.push_back(split(std::move(pattern), behaviour, invert));
  return {};
}

struct MetaspaceFields {
  std::string replacement;
  PrependScheme scheme;
  bool cut;
};

// Old files say add_prefix_space, new ones prepend_scheme and split.
Result<MetaspaceFields> read_metaspace_fields(const JsonNode& node) {
  if (auto done = node.only(
          {"type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"});
      !done) {
    return tl::unexpected(done.error());
  }
  PLUMB_TRY(replacement, read_character(node, "replacement", kMetaspace));
  PLUMB_TRY(add_prefix_space, node.flag_or("add_prefix_space", true));
  PLUMB_TRY(scheme_name, node.text_or("prepend_scheme", add_prefix_space ? "always" : "never"));
  PLUMB_TRY(cut, node.flag_or("split", true));
  if (!add_prefix_space && scheme_name != "never")
    return node.bad("add_prefix_space is false, yet prepend_scheme is not 'never'");
  if (scheme_name == "always")
    return MetaspaceFields{std::string(replacement), PrependScheme::kAlways, cut};
  if (scheme_name == "first")
    return MetaspaceFields{std::string(replacement), PrependScheme::kFirst, cut};
  if (scheme_name == "never")
    return MetaspaceFields{std::string(replacement), PrependScheme::kNever, cut};
  return node.bad(fmt::format("prepend_scheme '{}' is not supported; it is always, first or never",
                              scheme_name));
}

Result<void> read_metaspace(const JsonNode& node, PreTokenizers& made) {
  PLUMB_TRY(fields, read_metaspace_fields(node));
  made.steps.push_back(metaspace(fields.replacement, fields.scheme, fields.cut));
  return {};
}

Result<void> read_punctuation(const JsonNode& node, PreTokenizers& made) {
  if (auto done = node.only({"type", "behavior"}); !done) return done;
  PLUMB_TRY(behaviour, read_behaviour(node, "Isolated"));
  made.steps.push_back(punctuation(behaviour));
  return {};
}

Result<void> read_digits(const JsonNode& node, PreTokenizers& made) {
  if (auto done = node.only({"type", "individual_digits"}); !done) return done;
  PLUMB_TRY(individual, node.flag_or("individual_digits", false));
  made.steps.push_back(digits(individual));
  return {};
}

Result<void> read_plain(const JsonNode& node, PreTokenizer step, PreTokenizers& made) {
  if (auto done = node.only({"type"}); !done) return done;
  made.steps.push_back(std::move(step));
  return {};
}

Result<void> read_plain(const JsonNode& node, Decoder step, std::vector<Decoder>& steps) {
  if (auto done = node.only({"type"}); !done) return done;
  steps.push_back(std::move(step));
  return {};
}

Result<void> read_word_piece_decoder(const JsonNode& node, std::vector<Decoder>& steps) {
  if (auto done = node.only({"type", "prefix", "cleanup"}); !done) return done;
  PLUMB_TRY(prefix, node.text_or("prefix", "##"));
  PLUMB_TRY(cleanup, node.flag_or("cleanup", true));
  steps.push_back(word_piece_decoder(std::string(prefix), cleanup));
  return {};
}

Result<void> read_byte_level_decoder(const JsonNode& node, std::vector<Decoder>& steps) {
  if (auto done = node.only({"type", "add_prefix_space", "trim_offsets", "use_regex"}); !done)
    return done;
  steps.push_back(byte_level_decoder());
  return {};
}

Result<void> read_strip_decoder(const JsonNode& node, std::vector<Decoder>& steps) {
  if (auto done = node.only({"type", "content", "start", "stop"}); !done) return done;
  PLUMB_TRY(content, read_character(node, "content", ""));
  PLUMB_TRY(start, node.whole_or("start", 0, 0, 1 << 20));
  PLUMB_TRY(stop, node.whole_or("stop", 0, 0, 1 << 20));
  steps.push_back(strip_decoder(std::string(content), static_cast<std::size_t>(start),
                                static_cast<std::size_t>(stop)));
  return {};
}

Result<void> read_replace_decoder(const JsonNode& node, std::vector<Decoder>& steps) {
  if (auto done = node.only({"type", "pattern", "content"}); !done) return done;
  PLUMB_TRY(pattern_node, node.at("pattern"));
  PLUMB_TRY(pattern, read_pattern(pattern_node));
  PLUMB_TRY(content, node.text_at("content"));
  steps.push_back(replace_decoder(std::move(pattern), std::string(content)));
  return {};
}

Result<void> read_bpe_decoder(const JsonNode& node, std::vector<Decoder>& steps) {
  if (auto done = node.only({"type", "suffix"}); !done) return done;
  PLUMB_TRY(suffix, node.text_or("suffix", "</w>"));
  if (suffix.empty()) return node.bad("suffix is empty");
  steps.push_back(bpe_decoder(std::string(suffix)));
  return {};
}

// ["[SEP]", 102]
Result<TokenId> read_token_pair(const JsonNode& node, std::string_view key,
                                const Vocabulary& vocabulary) {
  PLUMB_TRY(pair, node.at(key));
  PLUMB_TRY(items, pair.items());
  if (items.size() != 2) return pair.bad("must be a token and its id");
  PLUMB_TRY(text, items[0].text());
  PLUMB_TRY(id, items[1].whole(0, kLargestId));
  if (!vocabulary.has(static_cast<TokenId>(id)) ||
      vocabulary.text(static_cast<TokenId>(id)) != text) {
    return pair.bad(fmt::format("id {} is not the token '{}'", id, text));
  }
  return static_cast<TokenId>(id);
}

void surround(Tokenizer::State& state, std::vector<TokenId> before,
              const std::vector<TokenId>& behind) {
  before.insert(before.end(), state.before.begin(), state.before.end());
  state.before = std::move(before);
  state.behind.insert(state.behind.end(), behind.begin(), behind.end());
}

Result<void> read_cls_and_sep(const JsonNode& node, Tokenizer::State& state) {
  PLUMB_TRY(sep, read_token_pair(node, "sep", state.vocabulary));
  PLUMB_TRY(cls, read_token_pair(node, "cls", state.vocabulary));
  surround(state, {cls}, {sep});
  if (!state.special.cls) state.special.cls = cls;
  if (!state.special.sep) state.special.sep = sep;
  return {};
}

Result<void> read_roberta(const JsonNode& node, Tokenizer::State& state) {
  if (auto done = node.only({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}); !done)
    return done;
  PLUMB_TRY(trim, node.flag_or("trim_offsets", true));
  PLUMB_TRY(prefix, node.flag_or("add_prefix_space", true));
  state.trims_offsets = state.trims_offsets || trim;
  state.blank_is_added = prefix;
  return read_cls_and_sep(node, state);
}

Result<void> read_byte_level_processor(const JsonNode& node, Tokenizer::State& state) {
  if (auto done = node.only({"type", "add_prefix_space", "trim_offsets", "use_regex"}); !done)
    return done;
  PLUMB_TRY(trim, node.flag_or("trim_offsets", true));
  PLUMB_TRY(prefix, node.flag_or("add_prefix_space", true));
  state.trims_offsets = state.trims_offsets || trim;
  state.blank_is_added = prefix;
  return {};
}

// The ids that a template's special token stands for.
Result<std::vector<TokenId>> read_template_ids(const JsonNode& node, std::string_view name,
                                               const Vocabulary& vocabulary) {
  PLUMB_TRY(all, node.at("special_tokens"));
  PLUMB_TRY(entry, all.at(name));
  PLUMB_TRY(ids_node, entry.at("ids"));
  PLUMB_TRY(items, ids_node.items());
  std::vector<TokenId> ids;
  for (const JsonNode& item : items) {
    PLUMB_TRY(id, item.whole(0, kLargestId));
    if (!vocabulary.has(static_cast<TokenId>(id)))
      return item.bad(fmt::format("id {} names no token", id));
    ids.push_back(static_cast<TokenId>(id));
  }
  return ids;
}

Result<void> read_type_id(const JsonNode& node) {
  PLUMB_TRY(type, node.whole_or("type_id", 0, 0, 1 << 20));
  if (type != 0)
    return node.bad(fmt::format("type_id {} for a single text is not supported", type));
  return {};
}

Result<void> read_template(const JsonNode& node, Tokenizer::State& state) {
  if (auto done = node.only({"type", "single", "pair", "special_tokens"}); !done) return done;
  PLUMB_TRY(single, node.at("single"));
  PLUMB_TRY(items, single.items());
  std::vector<TokenId> before, behind;
  bool met_text = false;
  for (const JsonNode& item : items) {
    if (auto done = item.only({"SpecialToken", "Sequence"}); !done) return done;
    PLUMB_TRY(sequence, item.find("Sequence"));
    PLUMB_TRY(special, item.find("SpecialToken"));
    if (sequence.has_value() == special.has_value())
      return item.bad("must be one of SpecialToken and Sequence");
    const JsonNode& inner = sequence ? *sequence : *special;
    PLUMB_TRY(id, inner.text_at("id"));
    if (auto done = read_type_id(inner); !done) return done;
    if (sequence) {
      if (id != "A" || met_text) return item.bad("must be the text A, once");
      met_text = true;
      continue;
    }
    PLUMB_TRY(ids, read_template_ids(node, id, state.vocabulary));
    auto& side = met_text ? behind : before;
    side.insert(side.end(), ids.begin(), ids.end());
  }
  if (!met_text) return single.bad("the text A is missing");
  surround(state, std::move(before), behind);
  return {};
}

}  // namespace

Result<std::string_view> read_type(const JsonNode& node) { return node.text_at("type"); }

tl::unexpected<Error> unsupported(const JsonNode& node, std::string_view type,
                                  std::string_view known) {
  return node.bad(fmt::format("type '{}' is not supported; supported are {}", type, known));
}

Result<Pattern> read_pattern(const JsonNode& node) {
  if (auto done = node.only({"String", "Regex"}); !done) return tl::unexpected(done.error());
  PLUMB_TRY(literal, node.find("String"));
  PLUMB_TRY(regex, node.find("Regex"));
  if (literal.has_value() == regex.has_value()) return node.bad("must be one of String and Regex");
  if (literal) {
    PLUMB_TRY(text, literal->text());
    if (text.empty()) return literal->bad("is empty");
    return Pattern(std::string(text));
  }
  PLUMB_TRY(text, regex->text());
  auto compiled = Regex::compile(text);
  if (!compiled) return regex->bad(compiled.error().message);
  return Pattern(std::move(*compiled));
}

Result<std::string_view> read_character(const JsonNode& node, std::string_view key,
                                        std::string_view otherwise) {
  PLUMB_TRY(text, node.text_or(key, otherwise));
  if (count_characters(text) != 1) return node.bad(fmt::format("{} must be one character", key));
  return text;
}

Result<void> read_normalizer(const JsonNode& node, std::vector<Normalizer>& steps) {
  PLUMB_TRY(type, read_type(node));
  if (type == "Sequence") {
    return read_sequence(node, "normalizers",
                         [&](const JsonNode& item) { return read_normalizer(item, steps); });
  }
  if (type == "BertNormalizer") return read_bert_normalizer(node, steps);
  if (type == "NFC") return read_plain(node, unicode_normalizer(NormalForm::kNfc), steps);
  if (type == "NFD") return read_plain(node, unicode_normalizer(NormalForm::kNfd), steps);
  if (type == "NFKC") return read_plain(node, unicode_normalizer(NormalForm::kNfkc), steps);
  if (type == "NFKD") return read_plain(node, unicode_normalizer(NormalForm::kNfkd), steps);
  if (type == "Lowercase") return read_plain(node, lowercase(), steps);
  if (type == "StripAccents") return read_plain(node, strip_accents(), steps);
  if (type == "Strip") return read_strip(node, steps);
  if (type == "Replace") return read_replace(node, steps);
  if (type == "Prepend") return read_prepend(node, steps);
  if (type == "Precompiled") return read_precompiled(node, steps);
  return unsupported(node, type,
                     "BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, Precompiled, Prepend, "
                     "Replace, Sequence, Strip, StripAccents");
}

Result<void> read_pre_tokenizer(const JsonNode& node, PreTokenizers& made) {
  PLUMB_TRY(type, read_type(node));
  if (type == "Sequence") {
    return read_sequence(node, "pretokenizers",
                         [&](const JsonNode& item) { return read_pre_tokenizer(item, made); });
  }
  if (made.bytes) return node.bad(fmt::format("'{}' behind ByteLevel is not supported", type));
  if (type == "ByteLevel") return read_byte_level(node, made);
  if (type == "BertPreTokenizer") return read_plain(node, bert_pre_tokenizer(), made);
  if (type == "Whitespace") return read_plain(node, whitespace_words(), made);
  if (type == "WhitespaceSplit") return read_plain(node, whitespace_split(), made);
  if (type == "Punctuation") return read_punctuation(node, made);
  if (type == "Digits") return read_digits(node, made);
  if (type == "Metaspace") return read_metaspace(node, made);
  if (type == "Split") return read_split(node, made);
  return unsupported(node, type,
                     "BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, Sequence, "
                     "Split, Whitespace, WhitespaceSplit");
}

Result<void> read_post_processor(const JsonNode& node, Tokenizer::State& state) {
  PLUMB_TRY(type, read_type(node));
  if (type == "Sequence") {
    return read_sequence(node, "processors",
                         [&](const JsonNode& item) { return read_post_processor(item, state); });
  }
  if (type == "TemplateProcessing") return read_template(node, state);
  if (type == "RobertaProcessing") return read_roberta(node, state);
  if (type == "ByteLevel") return read_byte_level_processor(node, state);
  if (type == "BertProcessing") {
    if (auto done = node.only({"type", "sep", "cls"}); !done) return done;
    return read_cls_and_sep(node, state);
  }
  return unsupported(node, type,
                     "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing");
}

Result<void> read_decoder(const JsonNode& node, std::vector<Decoder>& steps) {
  PLUMB_TRY(type, read_type(node));
  if (type == "Sequence") {
    return read_sequence(node, "decoders",
                         [&](const JsonNode& item) { return read_decoder(item, steps); });
  }
  if (type == "ByteLevel") return read_byte_level_decoder(node, steps);
  if (type == "WordPiece") return read_word_piece_decoder(node, steps);
  if (type == "ByteFallback") return read_plain(node, byte_fallback_decoder(), steps);
  if (type == "Fuse") return read_plain(node, fuse_decoder(), steps);
  if (type == "Strip") return read_strip_decoder(node, steps);
  if (type == "Replace") return read_replace_decoder(node, steps);
  if (type == "BPEDecoder") return read_bpe_decoder(node, steps);
  if (type == "Metaspace") {
    PLUMB_TRY(fields, read_metaspace_fields(node));
    steps.push_back(metaspace_decoder(fields.replacement, fields.scheme != PrependScheme::kNever));
    return {};
  }
  return unsupported(
      node, type,
      "BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece");
}

}  // namespace plumb::tokens
