// Words of a text, as all that counts or looks up words sees them.
//
//   WordSplitter splitter(WordRule::kUnicode);
//   splitter.split("Don't look!");   // {"Don't", "look"}
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

enum class WordRule {
  // The segments between word boundaries (Unicode UAX #29, with ICU's dictionaries for scripts that
  // write no spaces) that hold a letter, a digit or an ideograph: punctuation and symbols are none.
  kUnicode,
  // What stands between blanks: for texts that were split before.
  kBlanks,
};

// "unicode", "blanks"
std::string_view word_rule_name(WordRule rule);
std::optional<WordRule> parse_word_rule(std::string_view name);

// Lower case of the root locale. Bytes that are no UTF-8 become U+FFFD.
std::string lower_case(std::string_view text);

// Not for several threads at once: give each its own.
class WordSplitter {
 public:
  explicit WordSplitter(WordRule rule);
  WordSplitter(WordSplitter&&) noexcept;
  WordSplitter& operator=(WordSplitter&&) noexcept;
  ~WordSplitter();

  // In their order, as they are written. Views into `text`.
  std::vector<std::string_view> split(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plumb
