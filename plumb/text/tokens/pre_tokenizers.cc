#include "plumb/text/tokens/pre_tokenizers.h"

#include <algorithm>

#include "plumb/text/tokens/unicode.h"

namespace plumb::tokens {
namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct Part {
  ByteRange range;
  bool match;
};

// The text as a row of parts: those found and those between.
void fill_parts(std::uint32_t size, const std::vector<ByteRange>& found, bool invert,
                std::vector<Part>& parts) {
  parts.clear();
  std::uint32_t at = 0;
  for (const ByteRange range : found) {
    if (at < range.begin) parts.push_back({{at, range.begin}, invert});
    parts.push_back({range, !invert});
    at = range.end;
  }
  if (at < size) parts.push_back({{at, size}, invert});
}

// A match joins the part before it, unless that part ends in a match.
void merge_with_previous(std::vector<Part>& parts) {
  std::vector<Part> merged;
  bool after_match = false;
  for (const Part& part : parts) {
    if (part.match && !after_match && !merged.empty()) {
      merged.back().range.end = part.range.end;
    } else {
      merged.push_back({part.range, false});
    }
    after_match = part.match;
  }
  parts = std::move(merged);
}

void merge_with_next(std::vector<Part>& parts) {
  std::vector<Part> merged;
  bool before_match = false;
  for (std::size_t i = parts.size(); i-- > 0;) {
    const Part& part = parts[i];
    if (part.match && !before_match && !merged.empty()) {
      merged.back().range.begin = part.range.begin;
    } else {
      merged.push_back({part.range, false});
    }
    before_match = part.match;
  }
  std::ranges::reverse(merged);
  parts = std::move(merged);
}

void merge_alike(std::vector<Part>& parts) {
  std::vector<Part> merged;
  for (const Part& part : parts) {
    if (!merged.empty() && merged.back().match == part.match) {
      merged.back().range.end = part.range.end;
    } else {
      merged.push_back(part);
    }
  }
  parts = std::move(merged);
}

void apply(SplitBehaviour behaviour, std::vector<Part>& parts) {
  switch (behaviour) {
    case SplitBehaviour::kRemoved:
      std::erase_if(parts, [](const Part& part) { return part.match; });
      return;
    case SplitBehaviour::kMergedWithPrevious:
      return merge_with_previous(parts);
    case SplitBehaviour::kMergedWithNext:
      return merge_with_next(parts);
    case SplitBehaviour::kContiguous:
      return merge_alike(parts);
    case SplitBehaviour::kIsolated:
      return;
  }
}

// `find` appends the matches in a text: Result<void>(std::string_view, std::vector<ByteRange>&).
template <typename Find>
Result<void> split_pieces(Pieces& pieces, const Find& find, SplitBehaviour behaviour, bool invert) {
  std::vector<Piece> cut;
  cut.reserve(pieces.list.size() + pieces.text.size() / 4);
  std::vector<ByteRange> found;
  std::vector<Part> parts;
  for (const Piece& piece : pieces.list) {
    if (!piece.is_open()) {
      cut.push_back(piece);
      continue;
    }
    found.clear();
    if (Result<void> done = find(pieces.text.view(piece.range), found); !done) return done;
    fill_parts(piece.range.end - piece.range.begin, found, invert, parts);
    apply(behaviour, parts);
    for (const auto& [range, match] : parts) {
      if (range.begin == range.end) continue;
      cut.push_back({{piece.range.begin + range.begin, piece.range.begin + range.end},
                     -1,
                     false,
                     piece.starts_text && range.begin == 0});
    }
  }
  pieces.list = std::move(cut);
  return {};
}

// Every character of a class is a match of its own.
template <typename Predicate>
auto characters(Predicate predicate) {
  return [predicate](std::string_view text, std::vector<ByteRange>& found) -> Result<void> {
    for (std::size_t at = 0; at < text.size();) {
      const auto begin = static_cast<std::uint32_t>(at);
      if (predicate(next_character(text, at)))
        found.push_back({begin, static_cast<std::uint32_t>(at)});
    }
    return {};
  };
}

template <typename Predicate>
PreTokenizer split_characters(Predicate predicate, SplitBehaviour behaviour) {
  return [find = characters(predicate), behaviour](Pieces& pieces) {
    return split_pieces(pieces, find, behaviour, false);
  };
}

enum class WordClass { kSpace, kWord, kOther };

WordClass word_class(char32_t c) {
  if (is_word_character(c)) return WordClass::kWord;
  return is_whitespace(c) ? WordClass::kSpace : WordClass::kOther;
}

Result<void> find_words(std::string_view text, std::vector<ByteRange>& found) {
  WordClass last = WordClass::kSpace;
  for (std::size_t at = 0; at < text.size();) {
    const auto begin = static_cast<std::uint32_t>(at);
    const WordClass kind = word_class(next_character(text, at));
    const auto end = static_cast<std::uint32_t>(at);
    if (kind != WordClass::kSpace && kind == last) {
      found.back().end = end;
    } else if (kind != WordClass::kSpace) {
      found.push_back({begin, end});
    }
    last = kind;
  }
  return {};
}

// Rebuilds the text: edit(piece, text) appends what the piece becomes.
template <typename Edit>
void rewrite_pieces(Pieces& pieces, const Edit& edit) {
  AlignedText text;
  text.reserve(pieces.text.size() + pieces.list.size());
  for (Piece& piece : pieces.list) {
    const std::uint32_t begin = text.size();
    if (piece.is_open()) {
      edit(piece, text);
    } else {
      text.append(pieces.text, piece.range);
    }
    piece.range = {begin, text.size()};
  }
  pieces.text = std::move(text);
}

void add_blank(Pieces& pieces) {
  rewrite_pieces(pieces, [&pieces](const Piece& piece, AlignedText& text) {
    const std::uint32_t begin = pieces.text.origin(piece.range).begin;
    if (!pieces.text.view(piece.range).starts_with(' ')) text.append(" ", {begin, begin});
    text.append(pieces.text, piece.range);
  });
}

}  // namespace

PreTokenizer bert_pre_tokenizer() {
  return [](Pieces& pieces) -> Result<void> {
    if (auto done =
            split_pieces(pieces, characters(is_whitespace), SplitBehaviour::kRemoved, false);
        !done)
      return done;
    return split_pieces(pieces, characters(is_punctuation), SplitBehaviour::kIsolated, false);
  };
}

PreTokenizer whitespace_words() {
  return [](Pieces& pieces) {
    return split_pieces(pieces, find_words, SplitBehaviour::kRemoved, true);
  };
}

PreTokenizer whitespace_split() {
  return split_characters(is_whitespace, SplitBehaviour::kRemoved);
}

PreTokenizer punctuation(SplitBehaviour behaviour) {
  return split_characters(is_punctuation, behaviour);
}

PreTokenizer digits(bool individual) {
  return split_characters(is_number,
                          individual ? SplitBehaviour::kIsolated : SplitBehaviour::kContiguous);
}

PreTokenizer split(Pattern pattern, SplitBehaviour behaviour, bool invert) {
  return [pattern = std::move(pattern), behaviour, invert](Pieces& pieces) {
    const auto find = [&pattern](std::string_view text, std::vector<ByteRange>& found) {
      return pattern.find_all(text, found);
    };
    return split_pieces(pieces, find, behaviour, invert);
  };
}

Result<PreTokenizer> byte_level(bool add_prefix_space, bool use_pattern) {
  PLUMB_TRY(pattern, Regex::compile(kGpt2Pattern));
  return [add_prefix_space, use_pattern,
          pattern = std::move(pattern)](Pieces& pieces) -> Result<void> {
    if (add_prefix_space) add_blank(pieces);
    if (!use_pattern) return {};
    const auto find = [&pattern](std::string_view text, std::vector<ByteRange>& found) {
      return pattern.find_all(text, found);
    };
    return split_pieces(pieces, find, SplitBehaviour::kIsolated, false);
  };
}

PreTokenizer blank_before_text() {
  return [](Pieces& pieces) -> Result<void> {
    rewrite_pieces(pieces, [&pieces](const Piece& piece, AlignedText& text) {
      if (piece.starts_text) text.append(" ", {});
      text.append(pieces.text, piece.range);
    });
    return {};
  };
}

PreTokenizer metaspace(std::string replacement, PrependScheme scheme, bool cut) {
  const auto replaced = [replacement, scheme](Pieces& pieces) {
    rewrite_pieces(pieces, [&](const Piece& piece, AlignedText& text) {
      const std::string_view all = pieces.text.view(piece.range);
      const bool wanted = scheme == PrependScheme::kAlways ||
                          (scheme == PrependScheme::kFirst && piece.starts_text);
      const std::uint32_t begin = pieces.text.origin(piece.range).begin;
      if (wanted && !all.starts_with(' ') && !all.starts_with(replacement))
        text.append(replacement, {begin, begin});
      for (std::uint32_t at = 0; at < all.size();) {
        const auto blank = static_cast<std::uint32_t>(std::min(all.find(' ', at), all.size()));
        text.append(pieces.text, {piece.range.begin + at, piece.range.begin + blank});
        at = blank;
        if (at == all.size()) break;
        text.append(replacement,
                    pieces.text.origin({piece.range.begin + at, piece.range.begin + at + 1}));
        ++at;
      }
    });
  };
  if (!cut) {
    return [replaced](Pieces& pieces) -> Result<void> {
      replaced(pieces);
      return {};
    };
  }
  return [replaced, cutting = split(Pattern(replacement), SplitBehaviour::kMergedWithNext, false)](
             Pieces& pieces) {
    replaced(pieces);
    return cutting(pieces);
  };
}

}  // namespace plumb::tokens
