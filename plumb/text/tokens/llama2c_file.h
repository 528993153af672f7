// llama2.c's tokenizer.bin: SentencePiece's tokens with their scores.
//
// u32 length of the longest token, then for each token f32 score, u32 length, bytes; little endian,
// to the end of the file. Two neighbours merge where their joined text is a token, the one with the
// highest score first. Tokens 0, 1, 2 are unknown, begin and end, 3 to 258 the bytes.
#pragma once

#include <string>
#include <string_view>

#include "plumb/text/tokens/other_files.h"

namespace plumb::tokens {

// kBadInput, with the token and its place: a file that is cut short or holds what no tokenizer
// does.
StateResult read_llama2c(std::string_view bytes, const std::string& file);

// Whether the bytes are laid out as those of a tokenizer.bin.
bool looks_like_llama2c(std::string_view bytes);

}  // namespace plumb::tokens
