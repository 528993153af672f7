#include "plumb/text/tokens/added_tokens.h"

#include <algorithm>

#include "plumb/text/tokens/unicode.h"

namespace plumb::tokens {
namespace {

// Where the character before `at` begins; at - 1 where there is none that is well formed.
std::uint32_t character_before(std::string_view text, std::uint32_t at) {
  std::uint32_t begin = at - 1;
  while (begin > 0 && at - begin < 4 && (text[begin] & 0xc0) == 0x80) --begin;
  return valid_length(text, begin) == at - begin ? begin : at - 1;
}

template <typename Predicate>
bool holds(std::string_view text, std::uint32_t at, const Predicate& predicate) {
  if (valid_length(text, at) == 0) return false;
  std::size_t behind = at;
  return predicate(next_character(text, behind));
}

bool inside_word(std::string_view text, ByteRange range) {
  return (range.begin > 0 && holds(text, character_before(text, range.begin), is_word_character)) ||
         (range.end < text.size() && holds(text, range.end, is_word_character));
}

ByteRange with_whitespace(std::string_view text, ByteRange range, const AddedToken& token,
                          std::uint32_t floor) {
  while (token.strip_left && range.begin > floor) {
    const std::uint32_t before = character_before(text, range.begin);
    if (!holds(text, before, is_whitespace)) break;
    range.begin = before;
  }
  while (token.strip_right && range.end < text.size() && holds(text, range.end, is_whitespace)) {
    range.end += static_cast<std::uint32_t>(utf8_length(text[range.end]));
  }
  return range;
}

// The longest token at `at`; an empty range where there is none.
Section longest_at(const Trie& trie, std::string_view text, std::uint32_t at) {
  Section longest{{at, at}, -1};
  Trie::Node node = Trie::kRoot;
  for (std::uint32_t i = at; i < text.size(); ++i) {
    node = trie.child(node, text[i]);
    if (node == Trie::kNone) break;
    if (trie.token(node) >= 0) longest = {{at, i + 1}, trie.token(node)};
  }
  return longest;
}

}  // namespace

void AddedTokens::add(const AddedToken& token, std::string_view spelling) {
  tokens_.emplace(token.id, token);
  Trie& trie = token.normalized ? as_normalized_ : as_written_;
  if (!spelling.empty()) trie.add(spelling, token.id);
}

bool AddedTokens::is_special(TokenId id) const {
  const auto found = tokens_.find(id);
  return found != tokens_.end() && found->second.special;
}

void AddedTokens::find(std::string_view text, bool normalized, bool with_special,
                       std::vector<Section>& sections) const {
  sections.clear();
  const Trie& trie = normalized ? as_normalized_ : as_written_;
  const auto size = static_cast<std::uint32_t>(text.size());
  std::uint32_t written = 0;
  for (std::uint32_t at = 0; at < size;) {
    const Section match = longest_at(trie, text, at);
    if (match.token < 0) {
      ++at;
      continue;
    }
    at = match.range.end;
    const AddedToken& token = tokens_.at(match.token);
    if ((token.special && !with_special) || (token.single_word && inside_word(text, match.range)))
      continue;
    const ByteRange range = with_whitespace(text, match.range, token, written);
    if (written < range.begin) sections.push_back({{written, range.begin}, -1});
    sections.push_back({range, token.id});
    written = range.end;
    at = std::max(at, written);
  }
  if (written < size) sections.push_back({{written, size}, -1});
}

}  // namespace plumb::tokens
