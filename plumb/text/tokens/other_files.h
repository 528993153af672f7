// Tokenizers that are no tokenizer.json.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "plumb/text/tokens/config.h"
#include "plumb/text/tokens/pipeline.h"

namespace plumb::tokens {

using StateResult = Result<std::shared_ptr<Tokenizer::State>>;

// BERT's vocab.txt: a token a line, its id the line's number from 0.
StateResult read_vocab_txt(std::string_view bytes, const std::string& file, const Config& config);

// GPT-2's vocab.json, {"token": id}, and merges.txt, two tokens a line, the first merge first.
StateResult read_vocab_and_merges(std::string_view vocabulary, const std::string& vocabulary_file,
                                  std::string_view merges, const std::string& merges_file,
                                  const Config& config);

// llama2.c's tokenizer.bin: u32 length of the longest token, then for each token f32 score, u32
// length, bytes; little endian, to the end of the file. Two neighbours merge where their joined
// text is a token, the one with the highest score first. Tokens 0, 1, 2 are unknown, begin and end,
// 3 to 258 the bytes.
StateResult read_llama2c(std::string_view bytes, const std::string& file);

// Whether the bytes are laid out as those of a tokenizer.bin.
bool looks_like_llama2c(std::string_view bytes);

}  // namespace plumb::tokens
