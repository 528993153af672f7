// Tokens that are found in a text as they are, whatever the model would make of it: "<s>",
// "[MASK]", "<|endoftext|>".
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plumb/text/tokens/vocabulary.h"

namespace plumb::tokens {

struct AddedToken {
  TokenId id = 0;
  std::string content = {};
  bool special = false;      // no text: decode() may skip it
  bool normalized = false;   // looked for behind the normalizer, spelled as that makes it
  bool single_word = false;  // not inside a word
  bool strip_left = false, strip_right = false;  // takes the whitespace beside it
};

struct Section {
  ByteRange range;
  TokenId token = -1;  // -1: ordinary text
};

class AddedTokens {
 public:
  // `spelling` is what is looked for; nothing if it is empty.
  void add(const AddedToken& token, std::string_view spelling);

  // All of the text as sections, in order: leftmost tokens first, of those the longest.
  void find(std::string_view text, bool normalized, bool with_special,
            std::vector<Section>& sections) const;

  bool is_special(TokenId id) const;

 private:
  std::unordered_map<TokenId, AddedToken> tokens_;
  Trie as_written_, as_normalized_;
};

}  // namespace plumb::tokens
