// The tokens of a vocabulary by id and by text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/text/tokenizer.h"

namespace plumb::tokens {

// Ids above this are refused: a table of that many tokens is no table of a real model.
inline constexpr std::int64_t kLargestId = (1 << 22) - 1;

class Vocabulary {
 public:
  // What is wrong, without a place: the id is out of range, the id or the text is there already.
  Result<void> add(std::string_view text, std::int64_t id);

  std::optional<TokenId> find(std::string_view text) const;
  std::string_view text(TokenId id) const;  // empty where there is none
  bool has(TokenId id) const;
  std::size_t size() const { return entries_.size(); }  // largest id + 1
  std::size_t count() const { return count_; }

 private:
  struct Entry {
    std::uint32_t begin = 0, length = kAbsent;
  };
  static constexpr std::uint32_t kAbsent = 0xffffffff;

  void grow();
  std::size_t slot_of(std::string_view text) const;

  std::string texts_;
  std::vector<Entry> entries_;        // by id
  std::vector<std::uint32_t> slots_;  // id + 1, 0 where empty; a power of two, at most half full
  std::size_t count_ = 0;
};

// Finds the tokens that begin at a place of a text.
class Trie {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0, kNone = 0xffffffff;

  Trie();
  void add(std::string_view text, TokenId id);
  Node child(Node node, char byte) const;
  Node walk(Node node, std::string_view text) const;        // kNone where it leads nowhere
  TokenId token(Node node) const { return tokens_[node]; }  // -1: none ends here

 private:
  struct Edge {
    std::uint64_t key = 0;  // (node + 1) << 8 | byte
    Node target = kNone;
  };
  std::size_t slot_of(std::uint64_t key) const;
  void grow();

  std::vector<TokenId> tokens_;  // by node
  std::vector<Edge> edges_;      // a hash table, at most half full
  std::vector<Node> first_;      // [256], children of the root
};

}  // namespace plumb::tokens
