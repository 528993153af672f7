// How often words occur in texts and in how many of them: what TF-IDF, BM25 and smooth inverse
// frequency learn from the texts of a task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/text/words.h"

namespace plumb::raters {

// The words of each text, lower-cased, [texts]. Any number of threads give the same.
std::vector<std::vector<std::string>> lower_words(std::span<const std::string_view> texts,
                                                  WordRule rule, int threads);

struct WordCount {
  std::uint32_t column = 0;  // the word's place among all words, sorted by their bytes
  std::uint64_t occurrences = 0;
  std::uint64_t texts = 0;  // in which the word occurs
};

struct WordCounts {
  std::map<std::string, WordCount, std::less<>> words = {};
  std::uint64_t texts = 0;
  std::uint64_t occurrences = 0;  // of all words
};

WordCounts count_words(std::span<const std::string_view> texts, WordRule rule, int threads);

}  // namespace plumb::raters
