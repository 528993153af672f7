// Numbers as files of others write them: bare, or as a text where the format has only texts.
//
//   std::optional<double> score = number_of(row["score"]);   // 0.5 and "0.5" alike
#pragma once

#include <optional>
#include <string_view>

#include "plumb/base/json.h"

namespace plumb {

// The whole of a text as a number, without blanks around it. Nothing: it is none.
std::optional<double> parse_number(std::string_view text);

// A number, or a text that is one. Nothing: the value is neither.
std::optional<double> number_of(const Json& value);

}  // namespace plumb
