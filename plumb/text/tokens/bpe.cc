// Byte-pair encoding (Sennrich et al. 2016): the piece's symbols are merged pair by pair, the pair
// of the lowest rank first.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "plumb/text/tokens/model.h"
#include "plumb/text/tokens/unicode.h"

namespace plumb::tokens {
namespace {

constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kShortPiece = 48;  // symbols up to which a scan beats a queue

// A hash table from pairs of ids.
class MergeTable {
 public:
  struct Found {
    std::uint32_t rank = kNoRank;
    TokenId merged = -1;
  };

  explicit MergeTable(std::size_t merges) {
    std::size_t slots = 64;
    while (slots < 2 * merges) slots *= 2;
    slots_.resize(slots);
  }

  // False if the pair is there already.
  bool add(const Merge& merge) {
    Slot& slot = slots_[slot_of(key_of(merge.left, merge.right))];
    if (slot.key != kEmpty) return false;
    slot = {key_of(merge.left, merge.right), {merge.rank, merge.merged}};
    return true;
  }

  Found find(TokenId left, TokenId right) const {
    return slots_[slot_of(key_of(left, right))].found;
  }

 private:
  static constexpr std::uint64_t kEmpty = std::numeric_limits<std::uint64_t>::max();
  struct Slot {
    std::uint64_t key = kEmpty;
    Found found;
  };

  static std::uint64_t key_of(TokenId left, TokenId right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 |
           static_cast<std::uint32_t>(right);
  }
  std::size_t slot_of(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = ((key * 0x9e3779b97f4a7c15ULL) >> 32) & mask;
    while (slots_[slot].key != kEmpty && slots_[slot].key != key) slot = (slot + 1) & mask;
    return slot;
  }

  std::vector<Slot> slots_;
};

class Bpe final : public Model {
 public:
  Bpe(Vocabulary texts, MergeTable merges, BpeOptions options)
      : texts_(std::move(texts)), merges_(std::move(merges)), options_(std::move(options)) {
    for (std::size_t byte = 0; byte < first_.size(); ++byte) {
      const char c = static_cast<char>(byte);
      first_[byte] = texts_.find(std::string_view(&c, 1)).value_or(-1);
    }
  }

  void tokenize(std::string_view piece, Workspace& workspace,
                std::vector<PieceToken>& tokens) const override {
    if (options_.ignore_merges) {
      if (const auto whole = texts_.find(piece)) {
        tokens.push_back({*whole, {0, static_cast<std::uint32_t>(piece.size())}});
        return;
      }
    }
    split(piece, workspace.symbols);
    if (workspace.symbols.size() <= kShortPiece) {
      merge_short(workspace);
    } else {
      merge_long(workspace);
    }
    for (const Workspace::Symbol& symbol : workspace.symbols) {
      if (symbol.id >= 0) tokens.push_back({symbol.id, {symbol.begin, symbol.end}});
    }
  }

 private:
  // The bytes of the symbol at `at`.
  std::size_t symbol_length(std::string_view piece, std::size_t at) const {
    if (options_.bytes) return 1;
    if (!options_.loose_characters) return utf8_length(piece[at]);
    std::size_t length = 1;
    while (length < 4 && at + length < piece.size() && (piece[at + length] & 0xc0) == 0x80)
      ++length;
    return length;
  }

  TokenId lookup(std::string_view symbol, bool first, bool last) const {
    const bool plain =
        (first || options_.prefix.empty()) && (last ? options_.suffix.empty() : true);
    if (plain && symbol.size() == 1) return first_[static_cast<unsigned char>(symbol[0])];
    if (plain) return texts_.find(symbol).value_or(-1);
    std::string text = first ? std::string() : options_.prefix;
    text += symbol;
    if (last) text += options_.suffix;
    return texts_.find(text).value_or(-1);
  }

  bool has_bytes(std::string_view symbol) const {
    return std::ranges::all_of(symbol, [this](char byte) { return byte_token(byte) >= 0; });
  }
  TokenId byte_token(char byte) const {
    return options_.byte_tokens[static_cast<unsigned char>(byte)];
  }

  // As the original does: an unknown that is not yet written stands behind the bytes that follow
  // it.
  void split(std::string_view piece, std::vector<Workspace::Symbol>& symbols) const {
    symbols.clear();
    ByteRange unknown;  // empty: there is none
    const auto write_unknown = [&] {
      if (unknown.begin == unknown.end) return;
      symbols.push_back({*options_.unknown, unknown.begin, unknown.end, 0, 0});
      unknown = {};
    };
    for (std::uint32_t at = 0; at < piece.size();) {
      const auto end = at + static_cast<std::uint32_t>(symbol_length(piece, at));
      const std::string_view symbol = piece.substr(at, end - at);
      const TokenId id = lookup(symbol, at == 0, end == piece.size());
      if (id >= 0) {
        write_unknown();
        symbols.push_back({id, at, end, 0, 0});
      } else if (options_.byte_fallback && has_bytes(symbol)) {
        for (std::uint32_t i = at; i < end; ++i)
          symbols.push_back({byte_token(piece[i]), i, i + 1, 0, 0});
      } else if (options_.unknown) {
        if (!options_.fuse_unknown) write_unknown();
        unknown = {unknown.begin < unknown.end ? unknown.begin : at, end};
      }
      at = end;
    }
    write_unknown();
  }

  // Scans for the lowest rank, again and again.
  void merge_short(Workspace& workspace) const {
    auto& symbols = workspace.symbols;
    auto& ranks = workspace.ranks;
    if (symbols.size() < 2) return;
    const auto rank_at = [&](std::size_t i) {
      return merges_.find(symbols[i].id, symbols[i + 1].id).rank;
    };
    ranks.resize(symbols.size() - 1);
    for (std::size_t i = 0; i < ranks.size(); ++i) ranks[i] = rank_at(i);
    while (!ranks.empty()) {
      const auto lowest = std::ranges::min_element(ranks);
      if (*lowest == kNoRank) return;
      const auto i = static_cast<std::size_t>(lowest - ranks.begin());
      symbols[i].id = merges_.find(symbols[i].id, symbols[i + 1].id).merged;
      symbols[i].end = symbols[i + 1].end;
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      ranks.erase(lowest);
      if (i < ranks.size()) ranks[i] = rank_at(i);
      if (i > 0) ranks[i - 1] = rank_at(i - 1);
    }
  }

  // A queue of candidates; one whose symbols have changed since is passed over.
  void merge_long(Workspace& workspace) const {
    auto& symbols = workspace.symbols;
    auto& queue = workspace.candidates;
    queue.clear();
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      symbols[i].previous = static_cast<std::int32_t>(i) - 1;
      symbols[i].next = i + 1 < symbols.size() ? static_cast<std::int32_t>(i) + 1 : -1;
    }
    const auto propose = [&](std::int32_t i) {
      if (i < 0) return;
      const auto& symbol = symbols[static_cast<std::size_t>(i)];
      if (symbol.next < 0) return;
      const auto found = merges_.find(symbol.id, symbols[static_cast<std::size_t>(symbol.next)].id);
      if (found.rank != kNoRank)
        queue.push_back({found.rank, static_cast<std::uint32_t>(i), found.merged});
    };
    for (std::size_t i = 0; i < symbols.size(); ++i) propose(static_cast<std::int32_t>(i));
    std::make_heap(queue.begin(), queue.end());
    while (!queue.empty()) {
      std::pop_heap(queue.begin(), queue.end());
      const auto top = queue.back();
      queue.pop_back();
      auto& symbol = symbols[top.symbol];
      if (symbol.id < 0 || symbol.next < 0) continue;
      auto& right = symbols[static_cast<std::size_t>(symbol.next)];
      if (merges_.find(symbol.id, right.id).merged != top.merged) continue;
      symbol.id = top.merged;
      symbol.end = right.end;
      right.id = -1;
      symbol.next = right.next;
      if (symbol.next >= 0)
        symbols[static_cast<std::size_t>(symbol.next)].previous =
            static_cast<std::int32_t>(top.symbol);
      for (const std::int32_t changed : {symbol.previous, static_cast<std::int32_t>(top.symbol)}) {
        const std::size_t before = queue.size();
        propose(changed);
        if (queue.size() > before) std::push_heap(queue.begin(), queue.end());
      }
    }
  }

  Vocabulary texts_;
  MergeTable merges_;
  BpeOptions options_;
  std::array<TokenId, 256> first_ = {};  // tokens of single bytes
};

}  // namespace

Result<std::unique_ptr<Model>> make_bpe(Vocabulary texts, const std::vector<Merge>& merges,
                                        BpeOptions options) {
  MergeTable table(merges.size());
  for (std::size_t i = 0; i < merges.size(); ++i) {
    if (!table.add(merges[i])) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("merge {} repeats the pair '{}' '{}'", i, texts.text(merges[i].left),
                              texts.text(merges[i].right)));
    }
  }
  return std::make_unique<Bpe>(std::move(texts), std::move(table), std::move(options));
}

}  // namespace plumb::tokens
