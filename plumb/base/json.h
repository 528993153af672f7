// JSON as plumb writes and reads it. Written JSON is strict: a number that is not finite becomes
// null, bytes that are not UTF-8 become U+FFFD, and keys stay in the order in which they were set.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace plumb {

using Json = nlohmann::ordered_json;

// One line where `indent` is negative.
std::string to_text(const Json& value, int indent = -1);

// Python's json module writes NaN, Infinity and -Infinity as bare words. The text with each of
// them, outside strings, as null; `replaced` counts them.
struct StrictText {
  std::string text;
  std::size_t replaced = 0;
};
StrictText without_nonfinite_words(std::string_view text);

}  // namespace plumb
