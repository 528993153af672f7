#include "plumb/text/tokens/unicode.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace plumb::tokens {
namespace {

UChar32 code(char32_t c) { return static_cast<UChar32>(c); }

bool in_categories(char32_t c, std::uint32_t mask) { return (U_GET_GC_MASK(code(c)) & mask) != 0; }

// Whether the character was assigned in this version of Unicode.
bool known_in(char32_t c, std::uint8_t version) {
  UVersionInfo age;
  u_charAge(code(c), age);
  return age[0] <= version;
}

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// How many bytes of the character at `at` are well formed, and how many it should have.
struct Form {
  std::size_t formed, wanted;
};

Form examine(std::string_view text, std::size_t at) {
  const unsigned char lead = byte_at(text, at);
  if (lead < 0x80) return {1, 1};
  if (lead < 0xc2 || lead > 0xf4) return {0, 1};
  const std::size_t wanted = utf8_length(text[at]);
  unsigned char low = 0x80, high = 0xbf;  // of the second byte: no long forms, no surrogates
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  std::size_t formed = 1;
  while (formed < wanted && at + formed < text.size()) {
    const unsigned char byte = byte_at(text, at + formed);
    if (byte < low || byte > high) break;
    low = 0x80;
    high = 0xbf;
    ++formed;
  }
  return {formed, wanted};
}

const icu::Normalizer2* normalizer(NormalForm form) {
  UErrorCode error = U_ZERO_ERROR;
  switch (form) {
    case NormalForm::kNfc:
      return icu::Normalizer2::getNFCInstance(error);
    case NormalForm::kNfd:
      return icu::Normalizer2::getNFDInstance(error);
    case NormalForm::kNfkc:
      return icu::Normalizer2::getNFKCInstance(error);
    case NormalForm::kNfkd:
      return icu::Normalizer2::getNFKDInstance(error);
  }
  return nullptr;
}

UGraphemeClusterBreak break_class(char32_t c) {
  return static_cast<UGraphemeClusterBreak>(
      u_getIntPropertyValue(code(c), UCHAR_GRAPHEME_CLUSTER_BREAK));
}

bool is_break_control(UGraphemeClusterBreak kind) {
  return kind == U_GCB_CONTROL || kind == U_GCB_CR || kind == U_GCB_LF;
}

// What stands before the point where a cluster may end.
struct ClusterState {
  UGraphemeClusterBreak last;
  bool pictograph;  // a pictograph and then only Extend
  bool joined;      // and then ZWJ
  std::size_t flags;
};

// UAX 29, GB3 to GB13.
bool continues_cluster(const ClusterState& state, char32_t c, UGraphemeClusterBreak kind) {
  const auto last = state.last;
  if (last == U_GCB_CR && kind == U_GCB_LF) return true;
  if (is_break_control(last) || is_break_control(kind)) return false;
  if (last == U_GCB_L &&
      (kind == U_GCB_L || kind == U_GCB_V || kind == U_GCB_LV || kind == U_GCB_LVT))
    return true;
  if ((last == U_GCB_LV || last == U_GCB_V) && (kind == U_GCB_V || kind == U_GCB_T)) return true;
  if ((last == U_GCB_LVT || last == U_GCB_T) && kind == U_GCB_T) return true;
  if (kind == U_GCB_EXTEND || kind == U_GCB_ZWJ || kind == U_GCB_SPACING_MARK ||
      last == U_GCB_PREPEND)
    return true;
  if (state.joined && u_hasBinaryProperty(code(c), UCHAR_EXTENDED_PICTOGRAPHIC)) return true;
  return last == U_GCB_REGIONAL_INDICATOR && kind == U_GCB_REGIONAL_INDICATOR &&
         state.flags % 2 == 1;
}

ClusterState advance(const ClusterState& state, char32_t c, UGraphemeClusterBreak kind) {
  const bool begins = u_hasBinaryProperty(code(c), UCHAR_EXTENDED_PICTOGRAPHIC);
  return {kind, begins || (state.pictograph && kind == U_GCB_EXTEND),
          state.pictograph && kind == U_GCB_ZWJ,
          kind == U_GCB_REGIONAL_INDICATOR ? state.flags + 1 : 0};
}

}  // namespace

std::size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

char32_t next_character(std::string_view text, std::size_t& at) {
  const auto lead = byte_at(text, at++);
  if (lead < 0x80) return lead;
  const std::size_t more = utf8_length(static_cast<char>(lead)) - 1;
  char32_t c = lead & (0x3fU >> more);
  for (std::size_t i = 0; i < more; ++i) c = (c << 6) | (byte_at(text, at++) & 0x3fU);
  return c;
}

void append_utf8(std::string& text, char32_t c) {
  const auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

std::size_t valid_length(std::string_view text, std::size_t at) {
  const Form form = examine(text, at);
  return form.formed == form.wanted ? form.formed : 0;
}

std::size_t invalid_length(std::string_view text, std::size_t at) {
  return std::max<std::size_t>(1, examine(text, at).formed);
}

bool is_whitespace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0d);
  return u_isUWhiteSpace(code(c));
}

bool is_number(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return in_categories(c, U_GC_N_MASK);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
           (c >= 123 && c <= 126);
  if (c == 0x166d || c == 0x111c9) return true;  // symbols since
  return in_categories(c, U_GC_P_MASK) && known_in(c, 8);
}

bool is_control(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c < 0x80) return c < 0x20 || c == 0x7f;
  return in_categories(c, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK) && known_in(c, 8);
}

bool is_mark(char32_t c) { return c >= 0x300 && in_categories(c, U_GC_M_MASK) && known_in(c, 9); }

bool is_nonspacing_mark(char32_t c) {
  if (c == 0x1734) return true;  // a spacing mark since
  const bool later = c == 0x1885 || c == 0x1886 || c == 0xa9bd || c == 0x111c9;
  return c >= 0x300 && !later && in_categories(c, U_GC_MN_MASK) && known_in(c, 8);
}

bool is_word_character(char32_t c) {
  if (c < 0x80)
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  return u_isUAlphabetic(code(c)) || in_categories(c, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK) ||
         u_hasBinaryProperty(code(c), UCHAR_JOIN_CONTROL);
}

void append_lower(std::string& text, char32_t c) {
  if (c == 0x130) {  // the only character whose lower case is two
    text += "i\xcc\x87";
  } else {
    append_utf8(text, static_cast<char32_t>(u_tolower(code(c))));
  }
}

bool is_normal_boundary(char32_t c, NormalForm form) {
  return normalizer(form)->hasBoundaryBefore(code(c));
}

std::string normalized(std::string_view text, NormalForm form) {
  for (std::size_t at = 0; at < text.size();) {
    if (!known_in(next_character(text, at), 9)) return std::string(text);
  }
  const auto source =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int>(text.size())));
  UErrorCode error = U_ZERO_ERROR;
  std::string result;
  normalizer(form)->normalize(source, error).toUTF8String(result);
  return result;
}

std::size_t cluster_length(std::string_view text) {
  std::size_t at = 0;
  char32_t c = next_character(text, at);
  if (at < text.size() && c < 0x80 && c != '\r' && byte_at(text, at) < 0x80) return at;
  ClusterState state = advance({U_GCB_OTHER, false, false, 0}, c, break_class(c));
  while (at < text.size()) {
    std::size_t behind = at;
    c = next_character(text, behind);
    const auto kind = break_class(c);
    if (!continues_cluster(state, c, kind)) break;
    state = advance(state, c, kind);
    at = behind;
  }
  return at;
}

}  // namespace plumb::tokens
