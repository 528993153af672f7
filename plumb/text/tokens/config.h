// The files beside a tokenizer that say what its tokens are for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "plumb/text/tokens/pipeline.h"

namespace plumb::tokens {

// tokenizer_config.json and special_tokens_map.json.
struct Config {
  std::optional<std::string> bos, eos, unk, pad, cls, sep, mask;
  std::optional<std::size_t> model_max_tokens;
  bool lowercase = true, chinese_characters = true;  // of vocab.txt
  std::optional<bool> strip_accents;
  bool add_prefix_space = false;  // of vocab.json
};

// What is not there is left as it is by default. kBadInput: a file is no JSON object, or a field
// has another type.
Result<Config> read_config(const std::filesystem::path& folder);

// Gives the roles to the tokens of that text. kBadInput: a named token is not in the vocabulary.
Result<void> apply_config(const Config& config, const std::string& file, Tokenizer::State& state);

}  // namespace plumb::tokens
