#include "plumb/text/json_line.h"

#include <fmt/format.h>

#include "plumb/base/json.h"

namespace plumb {
namespace {

constexpr std::string_view kAdvice =
    "which JSON does not have; write null where there is no figure, or leave the record out";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The word that a field of this name has: "NaN", "Infinity", "-Infinity"; "" for other values.
std::string_view word_of(std::string_view text, const std::string& name) {
  const std::string quoted = Json(name).dump();
  for (std::size_t at = text.find(quoted); at != std::string_view::npos;
       at = text.find(quoted, at + 1)) {
    std::string_view rest = text.substr(at + quoted.size());
    const auto skip = [&] {
      while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    };
    skip();
    if (!rest.starts_with(':')) continue;
    rest.remove_prefix(1);
    skip();
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
      if (rest.starts_with(word)) return word;
    }
  }
  return "";
}

}  // namespace

std::string nonfinite_trouble(std::string_view text) {
  const StrictText strict = without_nonfinite_words(text);
  if (strict.replaced == 0) return "";
  const Json fields = Json::parse(strict.text, nullptr, false);
  if (fields.is_discarded()) return "";
  if (fields.is_object()) {
    for (const auto& [name, value] : fields.items()) {
      const std::string_view word = value.is_null() ? word_of(text, name) : "";
      if (!word.empty()) return fmt::format("\"{}\" is {}, {}", name, word, kAdvice);
    }
  }
  return fmt::format("it holds NaN or Infinity, {}", kAdvice);
}

bool begins_array(std::string_view text) {
  const auto skip = [&] {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  };
  skip();
  if (!text.starts_with('[')) return false;
  text.remove_prefix(1);
  skip();
  return text.empty() || text[0] == '{' || text[0] == '[' || text[0] == '"';
}

std::string why_no_object(std::string_view text) {
  const std::string trouble = nonfinite_trouble(text);
  if (!trouble.empty()) return trouble;
  if (begins_array(text)) {
    return "a JSON array, where each line should be an object; jq -c '.[]' FILE writes it so";
  }
  const bool row = text.find_first_of("{}[]") == std::string_view::npos &&
                   text.find_first_of(",\t") != std::string_view::npos;
  return std::string("the line is not a JSON object") +
         (row ? "; a table is known by the end of its name, .csv or .tsv, or by --format where a "
                "verb has that"
              : "");
}

}  // namespace plumb
