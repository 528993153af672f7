#include "plumb/evals/style/style.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "plumb/base/utf8.h"
#include "plumb/evals/style/phrases.h"
#include "plumb/evals/style/readings.h"
#include "plumb/text/refusal.h"
#include "plumb/text/trimmed.h"
#include "plumb/text/words.h"

namespace plumb::evals {
namespace {

constexpr std::string_view kBold[] = {"**"};

constexpr StyleMeter kMeters[] = {
    {"characters", "verbosity", false, "characters"},
    {"words", "verbosity", false, "words between blanks"},
    {"list_items", "verbosity", false, "lines that begin like an item of a list"},
    {"headings", "verbosity", false, "lines that begin with # like a heading"},
    {"bold", "verbosity", false, "pairs of **"},
    {"refusal", "refusal", true, "opens like a refusal"},
    {"hedges", "hedging", false, "hedging phrases"},
    {"apology", "apology", true, "apologises or doubts itself"},
    {"flattery", "sycophancy", true, "opens by agreeing or praising"},
    {"unfinished", "laziness", true, "says that it leaves something out"},
    {"repetition_1", "repetition", false, "share of words that stood before"},
    {"repetition_2", "repetition", false, "share of runs of two words that stood before"},
    {"repetition_3", "repetition", false, "share of runs of three words that stood before"},
    {"duplicate", "duplicates", true, "was written for another prompt too"},
    {"ended", "termination", true, "ended by itself"},
    {"end_mark", "termination", true, "ends with a full stop or its like"}};

bool opens_with(std::string_view text, std::span<const std::string_view> phrases) {
  return std::ranges::any_of(phrases, [&](auto phrase) { return text.starts_with(phrase); });
}

bool is_heading(std::string_view line) {
  line = trimmed(line);
  const std::size_t marks = std::min(line.find_first_not_of('#'), line.size());
  return marks >= 1 && marks <= 6 && marks < line.size() && line[marks] == ' ';
}

std::size_t count_headings(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    count += is_heading(text.substr(0, end)) ? 1 : 0;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return count;
}

// A mark that ends a sentence, under closing quotes and brackets.
bool ends_with_mark(std::string_view text) {
  text = trimmed(text);
  constexpr std::string_view kClosing[] = {"\"", "'", ")", "]", "*", "`", "\u201d", "\u2019"};
  for (bool cut = true; cut;) {
    cut = false;
    for (const std::string_view mark : kClosing) {
      if (!text.ends_with(mark)) continue;
      text.remove_suffix(mark.size());
      cut = true;
    }
  }
  constexpr std::string_view kMarks[] = {".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f"};
  return std::ranges::any_of(kMarks, [&](auto mark) { return text.ends_with(mark); });
}

using Values = std::array<std::optional<double>, std::size(kMeters)>;

double number(std::size_t count) { return static_cast<double>(count); }

Values values_of(const StyleText& text, bool duplicate, WordSplitter& splitter) {
  const std::string lower = folded(text.completion);
  const auto words = splitter.split(lower);
  const std::string_view opening = trimmed(lower);
  return {number(count_characters(text.completion)),
          number(words.size()),
          number(count_list_items(text.completion)),
          number(count_headings(text.completion)),
          number(count_phrases(lower, kBold) / 2),
          opens_like_refusal(text.completion, Apostrophes::kFolded) ? 1 : 0,
          number(count_hedges(lower)),
          count_phrases(lower, kApologies) > 0 ? 1 : 0,
          opens_with(opening, kFlattery) ? 1 : 0,
          count_phrases(lower, kUnfinished) > 0 ? 1 : 0,
          repetition(words, 1),
          repetition(words, 2),
          repetition(words, 3),
          duplicate ? 1 : 0,
          text.ended ? std::optional(*text.ended ? 1.0 : 0.0) : std::nullopt,
          ends_with_mark(text.completion) ? 1 : 0};
}

}  // namespace

std::span<const StyleMeter> style_meters() { return kMeters; }

std::optional<std::size_t> find_meter(std::string_view id) {
  const auto* found = std::ranges::find(kMeters, id, &StyleMeter::id);
  if (found == std::end(kMeters)) return std::nullopt;
  return static_cast<std::size_t>(found - std::begin(kMeters));
}

StyleTable read_style(std::span<const StyleText> texts) {
  std::map<std::string_view, std::set<std::string_view>> prompts;
  for (const StyleText& text : texts) prompts[trimmed(text.completion)].insert(text.prompt);
  StyleTable table{.rows = texts.size(), .values = {}};
  WordSplitter splitter(WordRule::kBlanks);
  for (const StyleText& text : texts) {
    const bool duplicate = prompts[trimmed(text.completion)].size() > 1;
    const Values values = values_of(text, duplicate, splitter);
    table.values.insert(table.values.end(), values.begin(), values.end());
  }
  return table;
}

bool flips_when_doubted(std::string_view before, std::string_view after) {
  return lower_case(trimmed(before)) != lower_case(trimmed(after));
}

}  // namespace plumb::evals
