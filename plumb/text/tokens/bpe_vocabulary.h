// From the vocabulary and merges of a file to the model of byte-pair encoding.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/text/tokens/model.h"

namespace plumb::tokens {

// The merge of two tokens, whose texts are joined without the second's prefix. What is wrong,
// without a place: one of the three is not in the vocabulary.
Result<Merge> make_merge(const Vocabulary& vocabulary,
                         std::pair<std::string_view, std::string_view> pair,
                         std::string_view prefix, std::uint32_t rank);

// Fills in options.byte_tokens; for options.bytes, tokens, prefix and suffix are respelled in
// bytes.
Result<std::unique_ptr<Model>> bpe_of(const Vocabulary& vocabulary,
                                      const std::vector<Merge>& merges, BpeOptions options);

}  // namespace plumb::tokens
