// What cuts the normalized text into the pieces that the model sees one by one.
#pragma once

#include <functional>
#include <string>

#include "plumb/text/tokens/aligned_text.h"
#include "plumb/text/tokens/pattern.h"

namespace plumb::tokens {

// Cuts the open pieces further. Fails only where a pattern exceeds its limits.
using PreTokenizer = std::function<Result<void>(Pieces&)>;

// What becomes of the parts that match.
enum class SplitBehaviour {
  kRemoved,
  kIsolated,
  kMergedWithPrevious,
  kMergedWithNext,
  kContiguous
};

PreTokenizer bert_pre_tokenizer();  // whitespace removed, punctuation isolated
PreTokenizer
whitespace_words();  // runs of word characters, and runs of neither these nor whitespace
PreTokenizer whitespace_split();
PreTokenizer punctuation(SplitBehaviour behaviour);
PreTokenizer digits(bool individual);
PreTokenizer split(Pattern pattern, SplitBehaviour behaviour, bool invert);

// GPT-2's pattern, where asked. Bytes stay bytes: the model's tokens are spelled in them.
Result<PreTokenizer> byte_level(bool add_prefix_space, bool use_pattern);

// A blank before a text that is not empty.
PreTokenizer blank_before_text();

enum class PrependScheme { kAlways, kFirst, kNever };
// Blanks become `replacement`, one stands before pieces that have none (kFirst: at the start of the
// text alone), and each begins a piece where `cut`.
PreTokenizer metaspace(std::string replacement, PrependScheme scheme, bool cut);

}  // namespace plumb::tokens
