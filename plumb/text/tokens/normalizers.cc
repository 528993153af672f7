#include "plumb/text/tokens/normalizers.h"

#include <algorithm>

namespace plumb::tokens {
namespace {

// Calls visit(character, range) for each character.
template <typename Visit>
void each_character(std::string_view text, const Visit& visit) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_character(text, at);
    visit(c, ByteRange{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at)});
  }
}

template <typename Predicate>
bool has_character(std::string_view text, const Predicate& predicate) {
  for (std::size_t at = 0; at < text.size();) {
    if (predicate(next_character(text, at))) return true;
  }
  return false;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

template <typename Predicate>
void drop(AlignedText& text, const Predicate& unwanted) {
  if (!has_character(text.text(), unwanted)) return;
  AlignedText kept;
  each_character(text.text(), [&](char32_t c, ByteRange range) {
    if (!unwanted(c)) kept.append(text, range);
  });
  text = std::move(kept);
}

void make_lower(AlignedText& text) {
  AlignedText lower;
  lower.reserve(text.size());
  std::string spelled;
  bool changed = false;
  each_character(text.text(), [&](char32_t c, ByteRange range) {
    spelled.clear();
    append_lower(spelled, c);
    if (spelled == text.view(range)) {
      lower.append(text, range);
    } else {
      changed = true;
      lower.append(spelled, text.origin(range));
    }
  });
  if (changed) text = std::move(lower);
}

// The end of the shortest part from `begin` on that normalises on its own.
std::uint32_t normal_part(std::string_view text, std::uint32_t begin, NormalForm form) {
  std::size_t at = begin;
  next_character(text, at);
  while (at < text.size()) {
    std::size_t behind = at;
    if (is_normal_boundary(next_character(text, behind), form)) break;
    at = behind;
  }
  return static_cast<std::uint32_t>(at);
}

void make_normal(AlignedText& text, NormalForm form) {
  if (is_ascii(text.text())) return;
  AlignedText normal;
  normal.reserve(text.size());
  for (std::uint32_t at = 0; at < text.size();) {
    const ByteRange range{at, normal_part(text.text(), at, form)};
    const std::string_view part = text.view(range);
    const std::string made = part.size() == 1 ? std::string(part) : normalized(part, form);
    if (made == part) {
      normal.append(text, range);
    } else {
      normal.append(made, text.origin(range));
    }
    at = range.end;
  }
  text = std::move(normal);
}

bool is_ideograph(char32_t c) {
  static constexpr std::pair<char32_t, char32_t> kBlocks[] = {
      {0x4e00, 0x9fff},   {0x3400, 0x4dbf},   {0x20000, 0x2a6df}, {0x2a700, 0x2b73f},
      {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0xf900, 0xfaff},   {0x2f800, 0x2fa1f}};
  return std::ranges::any_of(
      kBlocks, [c](const auto& block) { return block.first <= c && c <= block.second; });
}

bool is_dropped(char32_t c) { return c == 0 || c == 0xfffd || is_control(c); }

void clean(AlignedText& text) {
  const auto changes = [](char32_t c) { return is_dropped(c) || (c != ' ' && is_whitespace(c)); };
  if (!has_character(text.text(), changes)) return;
  AlignedText cleaned;
  each_character(text.text(), [&](char32_t c, ByteRange range) {
    if (is_dropped(c)) return;
    if (is_whitespace(c)) {
      cleaned.append(" ", text.origin(range));
    } else {
      cleaned.append(text, range);
    }
  });
  text = std::move(cleaned);
}

void space_ideographs(AlignedText& text) {
  if (!has_character(text.text(), is_ideograph)) return;
  AlignedText spaced;
  each_character(text.text(), [&](char32_t c, ByteRange range) {
    if (!is_ideograph(c)) return spaced.append(text, range);
    const ByteRange origin = text.origin(range);
    spaced.append(" ", {origin.begin, origin.begin});
    spaced.append(text, range);
    spaced.append(" ", {origin.end, origin.end});
  });
  text = std::move(spaced);
}

// All of bert_normalizer in one pass; ASCII has neither ideographs nor accents.
void normalize_ascii(AlignedText& text, const BertOptions& options) {
  AlignedText made;
  made.reserve(text.size());
  for (std::uint32_t at = 0; at < text.size(); ++at) {
    const char c = text.text()[at];
    const auto character = static_cast<unsigned char>(c);
    char spelled = c;
    if (options.clean_text) {
      if (is_dropped(character)) continue;
      if (is_whitespace(character)) spelled = ' ';
    }
    if (options.lowercase && c >= 'A' && c <= 'Z') spelled = static_cast<char>(c - 'A' + 'a');
    made.append(std::string_view(&spelled, 1), text.origin({at, at + 1}));
  }
  text = std::move(made);
}

}  // namespace

Result<void> check_growth(std::size_t before, std::size_t after) {
  constexpr std::size_t kTimes = 32, kAnyway = 1024;
  if (after <= kTimes * before + kAnyway) return {};
  return fail(ErrorKind::kBadInput,
              "the normalizer of the tokenizer makes the text over 32 times as long");
}

Normalizer bert_normalizer(const BertOptions& options) {
  return [options](AlignedText& text) -> Result<void> {
    if (is_ascii(text.text())) {
      normalize_ascii(text, options);
      return {};
    }
    if (options.clean_text) clean(text);
    if (options.chinese_characters) space_ideographs(text);
    if (options.strip_accents) {
      make_normal(text, NormalForm::kNfd);
      drop(text, is_nonspacing_mark);
    }
    if (options.lowercase) make_lower(text);
    return {};
  };
}

Normalizer unicode_normalizer(NormalForm form) {
  return [form](AlignedText& text) -> Result<void> {
    make_normal(text, form);
    return {};
  };
}

Normalizer lowercase() {
  return [](AlignedText& text) -> Result<void> {
    make_lower(text);
    return {};
  };
}

Normalizer strip_accents() {
  return [](AlignedText& text) -> Result<void> {
    drop(text, is_mark);
    return {};
  };
}

Normalizer strip(bool left, bool right) {
  return [left, right](AlignedText& text) -> Result<void> {
    std::uint32_t first = text.size(),
                  last = 0;  // the characters from first on and before last are no whitespace
    each_character(text.text(), [&](char32_t c, ByteRange range) {
      if (is_whitespace(c)) return;
      first = std::min(first, range.begin);
      last = range.end;
    });
    const std::uint32_t begin = left ? first : 0;
    const ByteRange kept{begin, std::max(begin, right ? last : text.size())};
    if (kept == ByteRange{0, text.size()}) return {};
    AlignedText stripped;
    stripped.append(text, kept);
    text = std::move(stripped);
    return {};
  };
}

Normalizer prepend(std::string front) {
  return [front = std::move(front)](AlignedText& text) -> Result<void> {
    if (text.size() == 0 || front.empty()) return {};
    const std::uint32_t begin = text.origin({0, 0}).begin;
    AlignedText longer;
    longer.reserve(front.size() + text.size());
    longer.append(front, {begin, begin});
    longer.append(text, {0, text.size()});
    text = std::move(longer);
    return {};
  };
}

Normalizer replace(Pattern pattern, std::string content) {
  return [pattern = std::move(pattern),
          content = std::move(content)](AlignedText& text) -> Result<void> {
    std::vector<ByteRange> found;
    if (auto done = pattern.find_all(text.text(), found); !done) return done;
    if (found.empty()) return {};
    AlignedText replaced;
    std::uint32_t at = 0;
    for (const ByteRange range : found) {
      replaced.append(text, {at, range.begin});
      replaced.append(content, text.origin(range));
      if (auto done = check_growth(text.size(), replaced.size()); !done) return done;
      at = range.end;
    }
    replaced.append(text, {at, text.size()});
    text = std::move(replaced);
    return {};
  };
}

Normalizer precompiled(Charsmap map) {
  return [map = std::move(map)](AlignedText& text) -> Result<void> {
    constexpr std::uint32_t kLongestCluster = 5;  // bytes of a cluster that is looked up whole
    AlignedText made;
    const std::string_view all = text.text();
    for (std::uint32_t at = 0; at < text.size();) {
      const auto end = at + static_cast<std::uint32_t>(cluster_length(all.substr(at)));
      const auto whole =
          end - at <= kLongestCluster ? map.replacement(all.substr(at, end - at)) : std::nullopt;
      if (whole) made.append(*whole, text.origin({at, end}));
      while (!whole && at < end) {
        const ByteRange one{at, at + static_cast<std::uint32_t>(utf8_length(all[at]))};
        if (const auto by = map.replacement(text.view(one))) {
          made.append(*by, text.origin(one));
        } else {
          made.append(text, one);
        }
        at = one.end;
      }
      at = end;
      if (auto done = check_growth(text.size(), made.size()); !done) return done;
    }
    text = std::move(made);
    return {};
  };
}

}  // namespace plumb::tokens
