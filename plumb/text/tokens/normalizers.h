// What a tokenizer does to the text before it looks for tokens.
#pragma once

#include <functional>
#include <string>

#include "plumb/text/tokens/aligned_text.h"
#include "plumb/text/tokens/charsmap.h"
#include "plumb/text/tokens/pattern.h"
#include "plumb/text/tokens/unicode.h"

namespace plumb::tokens {

// The text is valid UTF-8, before and after. Fails only where a pattern exceeds its limits or the
// text grows beyond reason.
using Normalizer = std::function<Result<void>(AlignedText&)>;

// Unicode's own normal forms make a text at most 18 times as long; a file that asks for more means
// harm.
Result<void> check_growth(std::size_t before, std::size_t after);

// Drops controls and U+FFFD and makes whitespace a blank; blanks around ideographs; canonical
// decomposition without nonspacing marks; lower case. In this order.
struct BertOptions {
  bool clean_text = true, chinese_characters = true, strip_accents = true, lowercase = true;
};
Normalizer bert_normalizer(const BertOptions& options);

Normalizer unicode_normalizer(NormalForm form);
Normalizer lowercase();
Normalizer strip_accents();  // drops every mark, without decomposing first
Normalizer strip(bool left, bool right);
Normalizer prepend(std::string text);  // to a text that is not empty
Normalizer replace(Pattern pattern, std::string content);
Normalizer precompiled(Charsmap map);

}  // namespace plumb::tokens
