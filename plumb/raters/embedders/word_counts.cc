#include "plumb/raters/embedders/word_counts.h"

#include <algorithm>

#include "plumb/base/parallel.h"

namespace plumb::raters {
namespace {

constexpr std::size_t kBlock = 4096, kGrain = 64;

}  // namespace

std::vector<std::vector<std::string>> lower_words(std::span<const std::string_view> texts,
                                                  WordRule rule, int threads) {
  std::vector<std::vector<std::string>> result(texts.size());
  parallel_for(texts.size(), kGrain, threads, [&](std::size_t begin, std::size_t end) {
    WordSplitter splitter(rule);
    for (std::size_t i = begin; i < end; ++i) {
      for (const std::string_view word : splitter.split(texts[i])) {
        result[i].push_back(lower_case(word));
      }
    }
  });
  return result;
}

WordCounts count_words(std::span<const std::string_view> texts, WordRule rule, int threads) {
  WordCounts counts;
  counts.texts = texts.size();
  for (std::size_t start = 0; start < texts.size(); start += kBlock) {
    const auto block = texts.subspan(start, std::min(kBlock, texts.size() - start));
    for (auto& words : lower_words(block, rule, threads)) {
      counts.occurrences += words.size();
      std::sort(words.begin(), words.end());
      for (std::size_t i = 0; i < words.size(); ++i) {
        WordCount& count = counts.words[words[i]];
        ++count.occurrences;
        if (i == 0 || words[i] != words[i - 1]) ++count.texts;
      }
    }
  }
  std::uint32_t column = 0;
  for (auto& [word, count] : counts.words) count.column = column++;
  return counts;
}

}  // namespace plumb::raters
