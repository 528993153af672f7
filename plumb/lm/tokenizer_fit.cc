#include "plumb/lm/tokenizer_fit.h"

#include <fmt/format.h>

namespace plumb::lm {

Result<void> check_fit(const ModelFiles& files, const nn::TransformerConfig& config,
                       const Tokenizer& tokenizer, const TextFrame& frame) {
  const std::size_t own = config.vocabulary, read = tokenizer.vocabulary_size();
  if (read > own || 2 * read < own) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: the tokenizer has {} tokens, the model {} has {}; do they belong "
                            "together? --tokenizer names another",
                            tokenizer_path(files).string(), read, files.model.string(), own));
  }
  for (const auto& token : {frame.begin, frame.end}) {
    if (token && (*token < 0 || static_cast<std::size_t>(*token) >= own)) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: the begin or end token {} is none of its {}",
                              files.model.string(), *token, own));
    }
  }
  return {};
}

}  // namespace plumb::lm
