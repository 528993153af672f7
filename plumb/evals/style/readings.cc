#include "plumb/evals/style/readings.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "plumb/evals/style/phrases.h"
#include "plumb/text/trimmed.h"
#include "plumb/text/words.h"

namespace plumb::evals {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }

std::size_t count_phrase(std::string_view plain, std::string_view phrase) {
  std::size_t count = 0;
  for (std::size_t at = plain.find(phrase); at != std::string_view::npos;
       at = plain.find(phrase, at + phrase.size())) {
    const std::size_t end = at + phrase.size();
    const bool inside_before = at > 0 && is_letter(phrase.front()) && is_letter(plain[at - 1]);
    const bool inside_after =
        end < plain.size() && is_letter(phrase.back()) && is_letter(plain[end]);
    count += inside_before || inside_after ? 0 : 1;
  }
  return count;
}

bool is_list_item(std::string_view line) {
  line = trimmed(line);
  const std::size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  if (digits > 0 && digits <= 3 && digits + 1 < line.size()) {
    return (line[digits] == '.' || line[digits] == ')') && line[digits + 1] == ' ';
  }
  return line.starts_with("- ") || line.starts_with("* ") || line.starts_with("\u2022");
}

// Numbers for words, and then for runs that are one word longer: equal where the texts are.
class Numbers {
 public:
  std::uint64_t of(std::uint64_t before, std::uint64_t next) {
    return known_.emplace(before << 32U | next, known_.size()).first->second;
  }

 private:
  std::unordered_map<std::uint64_t, std::uint64_t> known_;
};

std::vector<std::uint64_t> numbered(std::span<const std::string_view> words) {
  std::unordered_map<std::string_view, std::uint64_t> known;
  std::vector<std::uint64_t> numbers;
  numbers.reserve(words.size());
  for (const std::string_view word : words) {
    numbers.push_back(known.emplace(word, known.size()).first->second);
  }
  return numbers;
}

}  // namespace

std::string folded(std::string_view text) {
  std::string lower = lower_case(text);
  for (const std::string_view mark : {"\u2019", "\u2018"}) {
    for (std::size_t at = lower.find(mark); at != std::string::npos; at = lower.find(mark, at)) {
      lower.replace(at, mark.size(), "'");
    }
  }
  return lower;
}

std::size_t count_phrases(std::string_view plain, std::span<const std::string_view> phrases) {
  std::size_t count = 0;
  for (const std::string_view phrase : phrases) count += count_phrase(plain, phrase);
  return count;
}

std::size_t count_hedges(std::string_view plain) { return count_phrases(plain, kHedges); }

std::size_t count_list_items(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    count += is_list_item(text.substr(0, end)) ? 1 : 0;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return count;
}

double repetition(std::span<const std::string_view> words, std::size_t n) {
  if (words.size() < n + 1) return 0;
  const std::vector<std::uint64_t> first = numbered(words);
  std::vector<std::uint64_t> runs = first;
  for (std::size_t length = 2; length <= n; ++length) {
    Numbers longer;
    for (std::size_t i = 0; i + length <= first.size(); ++i) {
      runs[i] = longer.of(runs[i], first[i + length - 1]);
    }
  }
  runs.resize(words.size() - n + 1);
  const auto all = static_cast<double>(runs.size());
  std::ranges::sort(runs);
  const auto distinct = std::unique(runs.begin(), runs.end()) - runs.begin();
  return 1 - static_cast<double>(distinct) / all;
}

}  // namespace plumb::evals
