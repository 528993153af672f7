// What makes text of tokens.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plumb/text/tokens/pattern.h"

namespace plumb::tokens {

// Rewrites the list of tokens' texts. `continues`: other text stands before it, so that its start
// is no start of a text.
using Decoder = std::function<Result<void>(std::vector<std::string>& tokens, bool continues)>;

Decoder byte_level_decoder();  // the alphabet of byte-level BPE back to bytes, all in one
Decoder word_piece_decoder(std::string prefix, bool cleanup);
Decoder metaspace_decoder(std::string replacement, bool prepended);
Decoder byte_fallback_decoder();  // runs of "<0x0A>" to their character, or to U+FFFD for each that
                                  // is part of none
Decoder raw_bytes_decoder();      // each "<0x0A>" to its byte
Decoder fuse_decoder();
Decoder strip_decoder(std::string character, std::size_t start, std::size_t stop);
Decoder replace_decoder(Pattern pattern, std::string content);
Decoder bpe_decoder(std::string suffix);
Decoder join_decoder();  // a blank between tokens: what no decoder at all means

// The alphabet of byte-level BPE: each byte as a printable character (GPT-2's bytes_to_unicode).
const std::string& byte_character(unsigned char byte);
// The bytes that the text spells in that alphabet; false if it holds another character.
bool spelled_bytes(std::string_view text, std::string& bytes);

// The byte of "<0x0A>"; -1 if it is another token.
int fallback_byte(std::string_view token);

}  // namespace plumb::tokens
