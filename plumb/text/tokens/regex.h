// Patterns of tokenizers. They are written for Oniguruma; PCRE2, which stands behind this file
// alone, reads most of them alike. What the two read differently is translated (\s, \h, {,n}, line
// anchors) or refused.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/text/tokenizer.h"

namespace plumb::tokens {

class Regex {
 public:
  // kBadInput: what is wrong with the pattern and where, without the file's name.
  static Result<Regex> compile(std::string_view pattern);

  // Every match from left to right, none overlapping another, empty ones too. Appends to `found`.
  // kBadInput: the match limit is exceeded. REQUIRES: valid UTF-8.
  Result<void> find_all(std::string_view text, std::vector<ByteRange>& found) const;

 private:
  struct Code;
  explicit Regex(std::shared_ptr<const Code> code) : code_(std::move(code)) {}

  std::shared_ptr<const Code> code_;
};

// The pattern as PCRE2 reads it.
Result<std::string> translate_pattern(std::string_view pattern);

}  // namespace plumb::tokens
