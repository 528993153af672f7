// SentencePiece's compiled normalisation: a double-array trie (darts-clone) from byte strings to
// their replacements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"

namespace plumb::tokens {

class Charsmap {
 public:
  // `encoded` is base64 of: u32 size of the trie in bytes, the trie's u32 units, replacements that
  // each end in a zero byte; little endian. kBadInput: what is wrong, without a place.
  static Result<Charsmap> decode(std::string_view encoded);

  // The replacement of the shortest key that `text` starts with. That the shortest is taken, and
  // for all of `text`, is how Hugging Face reads the table, and what models are run with.
  std::optional<std::string_view> replacement(std::string_view text) const;

 private:
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

// RFC 4648, padding optional; nothing if it is none.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace plumb::tokens
