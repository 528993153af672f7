#include "plumb/base/json.h"

#include <algorithm>

namespace plumb {
namespace {

constexpr std::string_view kWords[] = {"NaN", "-Infinity", "Infinity"};

// Appends `text`, which holds no string, with every word as null.
void append_outside_strings(std::string_view text, StrictText& strict) {
  while (!text.empty()) {
    std::size_t at = std::string_view::npos;
    std::size_t length = 0;
    for (const std::string_view word : kWords) {
      const std::size_t found = text.find(word);
      if (found < at) {
        at = found;
        length = word.size();
      }
    }
    strict.text += text.substr(0, at);
    if (at == std::string_view::npos) return;
    strict.text += "null";
    ++strict.replaced;
    text.remove_prefix(at + length);
  }
}

// The length of the string that starts at the quote text[0], with both quotes; all of an unclosed
// one.
std::size_t string_length(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

}  // namespace

std::string to_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

StrictText without_nonfinite_words(std::string_view text) {
  StrictText strict;
  strict.text.reserve(text.size() + 1024);
  while (!text.empty()) {
    const std::size_t quote = std::min(text.find('"'), text.size());
    append_outside_strings(text.substr(0, quote), strict);
    text.remove_prefix(quote);
    if (text.empty()) break;
    const std::size_t length = string_length(text);
    strict.text += text.substr(0, length);
    text.remove_prefix(length);
  }
  return strict;
}

}  // namespace plumb
