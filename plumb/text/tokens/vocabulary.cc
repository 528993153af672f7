#include "plumb/text/tokens/vocabulary.h"

#include <fmt/format.h>

#include <functional>

namespace plumb::tokens {

Result<void> Vocabulary::add(std::string_view text, std::int64_t id) {
  if (id < 0 || id > kLargestId) {
    return fail(ErrorKind::kBadInput, fmt::format("id {} is not between 0 and {}", id, kLargestId));
  }
  const auto index = static_cast<std::size_t>(id);
  if (const auto other = find(text)) {
    return fail(ErrorKind::kBadInput,
                fmt::format("token '{}' has two ids, {} and {}", text, *other, id));
  }
  if (has(static_cast<TokenId>(id))) {
    return fail(ErrorKind::kBadInput, fmt::format("id {} has two tokens, '{}' and '{}'", id,
                                                  this->text(static_cast<TokenId>(id)), text));
  }
  if (texts_.size() + text.size() >= kAbsent)
    return fail(ErrorKind::kBadInput, "the tokens take over 4 GiB");
  if (index >= entries_.size()) entries_.resize(index + 1);
  entries_[index] = {static_cast<std::uint32_t>(texts_.size()),
                     static_cast<std::uint32_t>(text.size())};
  texts_ += text;
  ++count_;
  if (2 * count_ > slots_.size()) {
    grow();
  } else {
    slots_[slot_of(text)] = static_cast<std::uint32_t>(id) + 1;
  }
  return {};
}

void Vocabulary::grow() {
  slots_.assign(std::max<std::size_t>(64, 4 * slots_.size()), 0);
  for (std::size_t id = 0; id < entries_.size(); ++id) {
    if (entries_[id].length != kAbsent) {
      slots_[slot_of(text(static_cast<TokenId>(id)))] = static_cast<std::uint32_t>(id) + 1;
    }
  }
}

// Where `text` stands, or the empty slot where it would.
std::size_t Vocabulary::slot_of(std::string_view text) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = std::hash<std::string_view>{}(text)&mask;
  while (slots_[slot] != 0 && this->text(static_cast<TokenId>(slots_[slot] - 1)) != text) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

std::optional<TokenId> Vocabulary::find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t found = slots_[slot_of(text)];
  if (found == 0) return std::nullopt;
  return static_cast<TokenId>(found - 1);
}

std::string_view Vocabulary::text(TokenId id) const {
  if (!has(id)) return {};
  const Entry& entry = entries_[static_cast<std::size_t>(id)];
  return std::string_view(texts_).substr(entry.begin, entry.length);
}

bool Vocabulary::has(TokenId id) const {
  return id >= 0 && static_cast<std::size_t>(id) < entries_.size() &&
         entries_[static_cast<std::size_t>(id)].length != kAbsent;
}

Trie::Trie() : tokens_(1, -1), edges_(1024), first_(256, kNone) {}

std::size_t Trie::slot_of(std::uint64_t key) const {
  const std::size_t mask = edges_.size() - 1;
  std::size_t slot = ((key * 0x9e3779b97f4a7c15ULL) >> 32) & mask;
  while (edges_[slot].key != 0 && edges_[slot].key != key) slot = (slot + 1) & mask;
  return slot;
}

void Trie::grow() {
  std::vector<Edge> old(4 * edges_.size());
  old.swap(edges_);
  for (const Edge& edge : old) {
    if (edge.key != 0) edges_[slot_of(edge.key)] = edge;
  }
}

Trie::Node Trie::child(Node node, char byte) const {
  const auto value = static_cast<unsigned char>(byte);
  if (node == kRoot) return first_[value];
  return edges_[slot_of((std::uint64_t{node} + 1) << 8 | value)].target;
}

Trie::Node Trie::walk(Node node, std::string_view text) const {
  for (std::size_t i = 0; i < text.size() && node != kNone; ++i) node = child(node, text[i]);
  return node;
}

void Trie::add(std::string_view text, TokenId id) {
  Node node = kRoot;
  for (const char byte : text) {
    Node next = child(node, byte);
    if (next == kNone) {
      next = static_cast<Node>(tokens_.size());
      tokens_.push_back(-1);
      if (2 * tokens_.size() > edges_.size()) grow();
      const auto value = static_cast<unsigned char>(byte);
      if (node == kRoot) {
        first_[value] = next;
      } else {
        const std::uint64_t key = (std::uint64_t{node} + 1) << 8 | value;
        edges_[slot_of(key)] = {key, next};
      }
    }
    node = next;
  }
  tokens_[node] = id;
}

}  // namespace plumb::tokens
