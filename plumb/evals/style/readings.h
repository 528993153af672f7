// Numbers that are read off one text, by one rule wherever style is counted: the meters (style.h)
// and what links ask of a reward model's score.
//
//   const std::string plain = folded(text);
//   count_hedges(plain);                                       // "However, it depends.": 2
//   repetition(WordSplitter(WordRule::kBlanks).split(plain), 3);
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace plumb::evals {

// Lower case, with straight apostrophes: the form in which phrases are looked for.
std::string folded(std::string_view text);

// Occurrences of phrases (phrases.h) that begin and end with a word where the phrase does.
std::size_t count_phrases(std::string_view plain, std::span<const std::string_view> phrases);
std::size_t count_hedges(std::string_view plain);

// Lines that begin, after blanks, with "- ", "* ", a bullet, or up to three digits and ". " or
// ") ".
std::size_t count_list_items(std::string_view text);

// The share of runs of n words that stood before; 0 where there are fewer than two runs.
double repetition(std::span<const std::string_view> words, std::size_t n);

}  // namespace plumb::evals
