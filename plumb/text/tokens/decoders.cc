#include "plumb/text/tokens/decoders.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "plumb/text/lines.h"
#include "plumb/text/tokens/unicode.h"

namespace plumb::tokens {
namespace {

struct ByteAlphabet {
  std::array<std::string, 256> characters;
  std::array<int, 0x180> bytes;  // by character; -1: none

  ByteAlphabet() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (char32_t byte = 0; byte < 256; ++byte) {
      const bool printable =
          (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
      const char32_t c = printable ? byte : next++;
      append_utf8(characters[byte], c);
      bytes[c] = static_cast<int>(byte);
    }
  }
};

const ByteAlphabet& byte_alphabet() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

// English as BERT's authors wrote it down.
void clean_up(std::string& text) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [what, by] : kRules) replace_all(text, what, by);
}

void fuse(std::vector<std::string>& tokens) {
  std::string all;
  for (const std::string& token : tokens) all += token;
  tokens.resize(1);
  tokens[0] = std::move(all);
}

void flush(std::string& bytes, std::vector<std::string>& decoded) {
  if (bytes.empty()) return;
  if (!first_bad_utf8(bytes)) {
    decoded.push_back(bytes);
  } else {
    decoded.insert(decoded.end(), bytes.size(), "\xef\xbf\xbd");
  }
  bytes.clear();
}

}  // namespace

const std::string& byte_character(unsigned char byte) { return byte_alphabet().characters[byte]; }

bool spelled_bytes(std::string_view text, std::string& bytes) {
  const auto& known = byte_alphabet().bytes;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (c >= known.size() || known[c] < 0) return false;
    bytes += static_cast<char>(known[c]);
  }
  return true;
}

int fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return -1;
  int byte = -1;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  return error == std::errc() && end == token.data() + 5 && byte >= 0 ? byte : -1;
}

Decoder byte_level_decoder() {
  return [](std::vector<std::string>& tokens, bool) -> Result<void> {
    std::string all;
    for (const std::string& token : tokens) {
      const std::size_t before = all.size();
      if (spelled_bytes(token, all)) continue;
      all.resize(before);
      all += token;
    }
    tokens.resize(1);
    tokens[0] = std::move(all);
    return {};
  };
}

Decoder word_piece_decoder(std::string prefix, bool cleanup) {
  return [prefix = std::move(prefix), cleanup](std::vector<std::string>& tokens,
                                               bool continues) -> Result<void> {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0 || continues) {
        if (token.starts_with(prefix)) {
          token.erase(0, prefix.size());
        } else {
          token.insert(0, " ");
        }
      }
      if (cleanup) clean_up(token);
    }
    return {};
  };
}

Decoder metaspace_decoder(std::string replacement, bool prepended) {
  return [replacement = std::move(replacement), prepended](std::vector<std::string>& tokens,
                                                           bool continues) -> Result<void> {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], replacement, i == 0 && prepended && !continues ? "" : " ");
    }
    return {};
  };
}

Decoder byte_fallback_decoder() {
  return [](std::vector<std::string>& tokens, bool) -> Result<void> {
    std::vector<std::string> decoded;
    std::string bytes;
    for (std::string& token : tokens) {
      const int byte = fallback_byte(token);
      if (byte >= 0) {
        bytes += static_cast<char>(byte);
      } else {
        flush(bytes, decoded);
        decoded.push_back(std::move(token));
      }
    }
    flush(bytes, decoded);
    tokens = std::move(decoded);
    return {};
  };
}

Decoder raw_bytes_decoder() {
  return [](std::vector<std::string>& tokens, bool) -> Result<void> {
    for (std::string& token : tokens) {
      if (const int byte = fallback_byte(token); byte >= 0)
        token.assign(1, static_cast<char>(byte));
    }
    return {};
  };
}

Decoder fuse_decoder() {
  return [](std::vector<std::string>& tokens, bool) -> Result<void> {
    fuse(tokens);
    return {};
  };
}

Decoder strip_decoder(std::string character, std::size_t start, std::size_t stop) {
  return [character = std::move(character), start, stop](std::vector<std::string>& tokens,
                                                         bool continues) -> Result<void> {
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      std::string& token = tokens[t];
      const bool at_start = t > 0 || !continues;
      for (std::size_t i = 0; at_start && i < start && token.starts_with(character); ++i)
        token.erase(0, character.size());
      for (std::size_t i = 0; i < stop && token.ends_with(character); ++i)
        token.resize(token.size() - character.size());
    }
    return {};
  };
}

Decoder replace_decoder(Pattern pattern, std::string content) {
  return [pattern = std::move(pattern), content = std::move(content)](
             std::vector<std::string>& tokens, bool) -> Result<void> {
    std::vector<ByteRange> found;
    for (std::string& token : tokens) {
      found.clear();
      if (auto done = pattern.find_all(token, found); !done) return done;
      if (found.empty()) continue;
      std::string replaced;
      std::size_t at = 0;
      for (const ByteRange range : found) {
        replaced.append(token, at, range.begin - at).append(content);
        at = range.end;
      }
      token = replaced.append(token, at);
    }
    return {};
  };
}

Decoder bpe_decoder(std::string suffix) {
  return [suffix = std::move(suffix)](std::vector<std::string>& tokens, bool) -> Result<void> {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      replace_all(tokens[i], suffix, i + 1 < tokens.size() ? " " : "");
    return {};
  };
}

Decoder join_decoder() {
  return [](std::vector<std::string>& tokens, bool) -> Result<void> {
    for (std::size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(0, " ");
    return {};
  };
}

}  // namespace plumb::tokens
