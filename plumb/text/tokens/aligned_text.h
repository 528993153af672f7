// Text on its way through a tokenizer, each byte of which knows the bytes of the original text that
// it came from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumb/text/tokenizer.h"

namespace plumb::tokens {

class AlignedText {
 public:
  AlignedText() = default;
  // The bytes of the original from `begin` on, unchanged.
  AlignedText(std::string_view text, std::uint32_t begin);

  const std::string& text() const { return text_; }
  std::string_view view(ByteRange range) const {
    return std::string_view(text_).substr(range.begin, range.end - range.begin);
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(text_.size()); }

  // What bytes begin .. end - 1 came from. An empty range lies at its place.
  ByteRange origin(ByteRange range) const;

  // Appends bytes that came from `origin`; or a part of other text with its origins.
  void append(std::string_view bytes, ByteRange origin);
  void append(const AlignedText& other, ByteRange range);
  void append(AlignedText&& other);
  void clear();
  void reserve(std::size_t bytes);

 private:
  void align();  // writes the identity out

  std::string text_;
  bool identical_ = true;  // byte i is byte shift_ + i of the original, and origins_ is empty
  std::uint32_t shift_ = 0;
  std::vector<ByteRange> origins_;  // [text_.size()]
};

// A part of the text that is tokenized on its own, or that is a token already.
struct Piece {
  ByteRange range = {};
  TokenId token = -1;        // of an added token; -1: none
  bool literal = false;      // bytes that are no UTF-8, which no step but the model looks at
  bool starts_text = false;  // nothing of the original stands before it

  bool is_open() const { return token < 0 && !literal; }
};

struct Pieces {
  AlignedText text;
  std::vector<Piece> list;  // in order; bytes between them were dropped
};

}  // namespace plumb::tokens
