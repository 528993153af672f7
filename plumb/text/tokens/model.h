// The models of tokenizers: what cuts a piece into tokens.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/text/tokens/vocabulary.h"

namespace plumb::tokens {

struct PieceToken {
  TokenId id;
  ByteRange range;  // bytes of the piece
};

// What one thread needs while it encodes; its contents mean nothing between calls.
struct Workspace {
  // byte-pair encoding
  struct Symbol {
    TokenId id;
    std::uint32_t begin, end;
    std::int32_t previous, next;
  };
  struct Candidate {
    std::uint32_t rank, symbol;
    TokenId merged;
    bool operator<(const Candidate& other) const {  // std::priority_queue's top is the largest
      return rank != other.rank ? rank > other.rank : symbol > other.symbol;
    }
  };
  std::vector<Symbol> symbols;
  std::vector<Candidate> candidates;
  std::vector<std::uint32_t> ranks;

  // Viterbi
  struct Step {
    double score;
    std::uint32_t begin;
    TokenId id;  // -1: not reached
  };
  std::vector<Step> steps;
  std::vector<PieceToken> backwards;
};

class Model {
 public:
  virtual ~Model() = default;

  // Appends the tokens of the piece, in order. `piece` is valid UTF-8 unless the model keeps bytes.
  virtual void tokenize(std::string_view piece, Workspace& workspace,
                        std::vector<PieceToken>& tokens) const = 0;
};

// Longest match from the left; what follows the first match of a word is looked up behind `prefix`.
// A word of more characters, or with a part that is not in the vocabulary, is the unknown token.
struct WordPieceOptions {
  TokenId unknown;
  std::string prefix = "##";
  std::size_t longest_word = 100;  // characters
};
std::unique_ptr<Model> make_word_piece(const Vocabulary& vocabulary,
                                       const WordPieceOptions& options);

// The piece is a token, or unknown.
std::unique_ptr<Model> make_word_level(Vocabulary vocabulary, TokenId unknown);

// The most probable segmentation (Kudo 2018), a character that no token covers scores 10 below the
// least. Neighbouring unknown characters are one token; with byte_fallback they are the bytes'
// tokens "<0x0A>".
struct UnigramOptions {
  std::vector<double> scores;  // by id
  TokenId unknown;
  bool byte_fallback = false;
};
std::unique_ptr<Model> make_unigram(const Vocabulary& vocabulary, UnigramOptions options);

// Of two merges the one of lower rank comes first, of equal rank the leftmost.
struct Merge {
  TokenId left, right, merged;
  std::uint32_t rank;
};

struct BpeOptions {
  bool bytes =
      false;  // the piece's bytes are the first symbols (byte-level), otherwise its characters
  bool loose_characters =
      false;  // a character is a byte with up to three continuations, as llama2.c reads it
  bool byte_fallback = false;  // an unknown character is its bytes' tokens `byte_tokens`
  bool ignore_merges = false;  // a piece that is a token is that token
  bool fuse_unknown = false;
  std::optional<TokenId> unknown = {};        // without it unknown characters are dropped
  std::string prefix = {}, suffix = {};       // of all symbols but the first; of the last
  std::array<TokenId, 256> byte_tokens = {};  // -1: none
};

// `texts` are the tokens as pieces spell them: for byte-level ones raw bytes.
// What is wrong, without a place: a pair that merges twice.
Result<std::unique_ptr<Model>> make_bpe(Vocabulary texts, const std::vector<Merge>& merges,
                                        BpeOptions options);

}  // namespace plumb::tokens
