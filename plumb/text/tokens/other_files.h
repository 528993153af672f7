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

}  // namespace plumb::tokens
