#include "plumb/mismatch/links/inputs/style.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "plumb/text/refusal.h"

namespace plumb::mismatch {
namespace {

constexpr std::array<std::string_view, kStyles> kNames = {"length", "refusal", "hedging", "lists",
                                                          "repetition"};
constexpr std::array<std::string_view, kStyles> kUnits = {"character", "refusal", "hedge",
                                                          "list line", "repeated share"};

constexpr std::string_view kHedges[] = {
    "however",     "it is important to", "it's important to", "as an ai",
    "please note", "it depends",         "in general",        "generally",
    "may vary",    "keep in mind",       "i'm not sure",      "i am not sure",
    "it is worth", "it's worth",         "might be",          "could be",
    "perhaps",     "possibly",           "not necessarily"};

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_letter(char c) { return 'a' <= c && c <= 'z'; }

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

float characters(std::string_view text) {
  return static_cast<float>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// Between letters a phrase is part of another word.
float hedges(std::string_view lower) {
  std::size_t count = 0;
  for (const std::string_view phrase : kHedges) {
    for (std::size_t at = lower.find(phrase); at != std::string_view::npos;
         at = lower.find(phrase, at + phrase.size())) {
      const std::size_t end = at + phrase.size();
      const bool inside =
          (at > 0 && is_letter(lower[at - 1])) || (end < lower.size() && is_letter(lower[end]));
      count += inside ? 0 : 1;
    }
  }
  return static_cast<float>(count);
}

bool is_list_line(std::string_view line) {
  const auto start = std::ranges::find_if_not(line, is_blank);
  line.remove_prefix(static_cast<std::size_t>(start - line.begin()));
  const auto rest = std::ranges::find_if_not(line, is_digit);
  const bool numbered = rest != line.begin();
  const std::string_view mark(rest, line.end());
  if (mark.size() < 2 || mark[1] != ' ') return mark.starts_with("\u2022") && !numbered;
  return numbered ? mark[0] == '.' || mark[0] == ')' : mark[0] == '-' || mark[0] == '*';
}

float list_lines(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    count += is_list_line(text.substr(0, end)) ? 1 : 0;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return static_cast<float>(count);
}

float repetition(std::string_view lower) {
  std::vector<std::size_t> words;
  for (std::size_t at = 0; at < lower.size();) {
    const auto is_word = [&](std::size_t i) { return i < lower.size() && !is_blank(lower[i]); };
    std::size_t end = at;
    while (is_word(end)) ++end;
    if (end > at) words.push_back(std::hash<std::string_view>{}(lower.substr(at, end - at)));
    at = end + 1;
  }
  if (words.size() < 4) return 0;
  constexpr std::size_t kMix = 0x9E3779B97F4A7C15ULL;
  std::vector<std::size_t> runs;
  for (std::size_t i = 2; i < words.size(); ++i) {
    runs.push_back(((words[i - 2] * kMix + words[i - 1]) * kMix + words[i]) * kMix);
  }
  std::ranges::sort(runs);
  const auto repeated = static_cast<float>(runs.end() - std::unique(runs.begin(), runs.end()));
  return repeated / static_cast<float>(words.size() - 2);
}

}  // namespace

std::string_view style_name(Style style) { return kNames[static_cast<std::size_t>(style)]; }
std::string_view style_unit(Style style) { return kUnits[static_cast<std::size_t>(style)]; }

void describe_style(const rlhf::Sample& sample, std::span<float> numbers) {
  const std::string lower = lower_ascii(sample.completion);
  const auto set = [&](Style style, float value) {
    numbers[static_cast<std::size_t>(style)] = value;
  };
  set(Style::kLength, characters(sample.completion));
  set(Style::kRefusal, opens_like_refusal(sample.completion, Apostrophes::kFolded) ? 1.0F : 0.0F);
  set(Style::kHedging, hedges(lower));
  set(Style::kLists, list_lines(sample.completion));
  set(Style::kRepetition, repetition(lower));
}

}  // namespace plumb::mismatch
