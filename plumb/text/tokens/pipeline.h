// A tokenizer taken apart: what its files say, ready to run.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "plumb/text/tokenizer.h"
#include "plumb/text/tokens/added_tokens.h"
#include "plumb/text/tokens/decoders.h"
#include "plumb/text/tokens/model.h"
#include "plumb/text/tokens/normalizers.h"
#include "plumb/text/tokens/pre_tokenizers.h"
#include "plumb/text/tokens/vocabulary.h"

namespace plumb {

namespace tokens {

// What becomes of bytes that are no UTF-8: U+FFFD; pieces that only the model sees; or a part of
// the text like any other.
enum class InvalidBytes { kReplaced, kApart, kKept };

}  // namespace tokens

struct Tokenizer::State {
  tokens::Vocabulary vocabulary;  // with the added tokens
  std::vector<tokens::AddedToken> added_list;
  tokens::AddedTokens added;

  std::vector<tokens::Normalizer> normalizers;
  std::vector<tokens::PreTokenizer> pre_tokenizers;
  std::unique_ptr<tokens::Model> model;
  std::vector<tokens::Decoder> decoders;
  tokens::InvalidBytes invalid_bytes = tokens::InvalidBytes::kReplaced;

  std::vector<TokenId> before, behind;  // the template
  bool trims_offsets = false;           // the whitespace of a token is no part of its range
  bool blank_is_added = false;          // but the first blank is no part of the text

  std::size_t max_tokens = kNoLimit;
  bool cuts_left = false;

  TokenId padding = 0;
  PaddingSide padding_side = PaddingSide::kRight;
  std::size_t padding_multiple = 1;

  SpecialTokens special;
  std::optional<std::size_t> model_max_tokens;

  // Enters the added tokens into `added`, spelled as the normalizers make them. Call it last.
  Result<void> enter_added_tokens();
};

namespace tokens {

Result<void> normalize(const Tokenizer::State& state, AlignedText& text);

}  // namespace tokens
}  // namespace plumb
