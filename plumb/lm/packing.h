// Documents as one stream of tokens, in blocks, in an order that each epoch shuffles anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/nn/pass.h"

namespace plumb::lm {

// The tokens of a block and what follows each of them; a sequence a document.
struct Block {
  std::vector<std::int32_t> tokens, targets;
  std::vector<std::uint32_t> starts;  // as nn::Batch takes them

  void append(const Block& other);
};

class PackedTexts {
 public:
  // kBadInput: what the tokenizer refuses; fewer tokens than one block of `length`.
  static Result<PackedTexts> make(const Tokenizer& tokenizer, const TextFrame& frame,
                                  std::span<const std::string> documents, std::size_t length);

  std::size_t blocks() const { return (stream_.size() - 1) / length_; }
  std::size_t tokens() const { return stream_.size(); }

  // Block number `draw` of an endless sequence of epochs, each with every block once, in an order
  // of Stream(seed, "epoch", epoch).
  Block draw(std::uint64_t seed, std::size_t draw);

 private:
  std::vector<TokenId> stream_;
  std::vector<bool> begins_;  // a document begins at this token
  std::vector<bool> ends_;    // its end token stands here: nothing is predicted from it
  std::size_t length_ = 0;
  std::vector<std::uint32_t> order_;  // of the epoch that was last drawn from
  std::size_t epoch_ = ~std::size_t{0};
};

}  // namespace plumb::lm
