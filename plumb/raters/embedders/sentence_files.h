// How an encoder's folder turns hidden states into one vector a text: the files that
// sentence-transformers writes beside a Hugging Face model.
//
//   modules.json                         which steps follow the transformer
//   1_Pooling/config.json                how tokens are pooled
//   sentence_bert_config.json            the length at which texts are cut
//   config_sentence_transformers.json    prompts before queries and documents
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"

namespace plumb::raters {

enum class Pooling {
  kMean,        // of all tokens
  kFirstToken,  // [CLS]
  kLastToken,
  kWeightedMean,  // token t of n weighs t + 1 (Muennighoff 2022)
};

std::string_view pooling_name(Pooling pooling);

struct SentenceRecipe {
  Pooling pooling = Pooling::kMean;
  bool normalize = false;      // to length 1
  std::size_t max_tokens = 0;  // 0: the folder does not say
  std::map<std::string, std::string> prompts;
  std::string default_prompt;                // its name in `prompts`, or ""
  std::vector<std::filesystem::path> files;  // that were read
};

// A folder without modules.json pools the mean, as sentence-transformers does. kBadInput: a module,
// a pooling or a mixture of poolings that is not supported, by name; a file that is not JSON.
Result<SentenceRecipe> read_sentence_recipe(const std::filesystem::path& folder);

}  // namespace plumb::raters
