#include "plumb/text/tokens/bpe_vocabulary.h"

#include <fmt/format.h>

#include "plumb/text/tokens/decoders.h"

namespace plumb::tokens {
namespace {

// The tokens spelled in bytes. One with a character that stands for no byte can't occur in a text.
Result<Vocabulary> in_bytes(const Vocabulary& vocabulary) {
  Vocabulary raw;
  std::string bytes;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    bytes.clear();
    if (!vocabulary.has(id) || !spelled_bytes(vocabulary.text(id), bytes)) continue;
    if (auto added = raw.add(bytes, id); !added) return tl::unexpected(added.error());
  }
  return raw;
}

Result<void> respell(std::string& text) {
  std::string bytes;
  if (!spelled_bytes(text, bytes)) {
    return fail(ErrorKind::kBadInput,
                fmt::format("'{}' is not spelled in the alphabet of ByteLevel", text));
  }
  text = bytes;
  return {};
}

bool has_every_byte(const Vocabulary& raw) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (!raw.find(std::string_view(&c, 1))) return false;
  }
  return true;
}

}  // namespace

Result<Merge> make_merge(const Vocabulary& vocabulary,
                         std::pair<std::string_view, std::string_view> pair,
                         std::string_view prefix, std::uint32_t rank) {
  const auto left = vocabulary.find(pair.first), right = vocabulary.find(pair.second);
  for (const auto& [id, text] : {std::pair{left, pair.first}, std::pair{right, pair.second}}) {
    if (!id)
      return fail(ErrorKind::kBadInput, fmt::format("token '{}' is not in the vocabulary", text));
  }
  if (!pair.second.starts_with(prefix)) {
    return fail(ErrorKind::kBadInput,
                fmt::format("token '{}' lacks the prefix '{}'", pair.second, prefix));
  }
  const std::string merged = std::string(pair.first).append(pair.second.substr(prefix.size()));
  const auto id = vocabulary.find(merged);
  if (!id)
    return fail(ErrorKind::kBadInput,
                fmt::format("the merged token '{}' is not in the vocabulary", merged));
  return Merge{*left, *right, *id, rank};
}

Result<std::unique_ptr<Model>> bpe_of(const Vocabulary& vocabulary,
                                      const std::vector<Merge>& merges, BpeOptions options) {
  for (int byte = 0; byte < 256; ++byte) {
    options.byte_tokens[static_cast<std::size_t>(byte)] =
        vocabulary.find(fmt::format("<0x{:02X}>", byte)).value_or(-1);
  }
  if (!options.bytes) return make_bpe(vocabulary, merges, std::move(options));
  PLUMB_TRY(raw, in_bytes(vocabulary));
  for (std::string* affix : {&options.prefix, &options.suffix}) {
    if (auto done = respell(*affix); !done) return tl::unexpected(done.error());
  }
  if (options.byte_fallback && !has_every_byte(raw)) {
    return fail(ErrorKind::kBadInput, "byte_fallback with ByteLevel needs a token for every byte");
  }
  return make_bpe(std::move(raw), merges, std::move(options));
}

}  // namespace plumb::tokens
