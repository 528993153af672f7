// Unicode as tokenizers need it: classes, case, normal forms, clusters. ICU stands behind this file
// alone.
//
// The original of Hugging Face has tables of several ages, and ids depend on them. Its punctuation,
// controls and nonspacing marks are those of Unicode 8, its marks and decompositions those of
// Unicode 9: characters that came later have none of these. All else is Unicode 15 here (ICU 72;
// patterns: Unicode 14, PCRE2 10.42) and 16 there; a character that came in between has no class
// here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plumb::tokens {

// The character at text[at], which is moved behind it. REQUIRES: at < text.size(), valid UTF-8.
char32_t next_character(std::string_view text, std::size_t& at);
void append_utf8(std::string& text, char32_t character);
std::size_t utf8_length(char lead);  // 1 to 4, of the character that starts with this byte

// The length of the well-formed character at text[at]; 0 where there is none.
std::size_t valid_length(std::string_view text, std::size_t at);
// The length of the maximal subpart of an ill-formed one (Unicode 3.9, U+FFFD substitution): at
// least 1.
std::size_t invalid_length(std::string_view text, std::size_t at);

bool is_whitespace(char32_t c);       // White_Space
bool is_number(char32_t c);           // Nd, Nl, No
bool is_punctuation(char32_t c);      // P*, and ASCII's symbols
bool is_control(char32_t c);          // Cc, Cf, Co, but not tab, line feed, carriage return
bool is_mark(char32_t c);             // M*
bool is_nonspacing_mark(char32_t c);  // Mn
bool is_word_character(char32_t c);   // \w of UTS 18: Alphabetic, M, Nd, Pc, Join_Control

void append_lower(std::string& text, char32_t c);

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

// Whether text before and behind this point normalises on its own.
bool is_normal_boundary(char32_t c, NormalForm form);
// Text with a character that Unicode 9 does not know stays as it is. REQUIRES: valid UTF-8.
std::string normalized(std::string_view text, NormalForm form);

// The length of the extended grapheme cluster at the start of text (UAX 29). REQUIRES: not empty.
std::size_t cluster_length(std::string_view text);

}  // namespace plumb::tokens
