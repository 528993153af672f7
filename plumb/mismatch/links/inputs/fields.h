// Fields of a record (text/records.h), whose cells are texts in tables.
#pragma once

#include <optional>
#include <string>

#include "plumb/base/json.h"

namespace plumb::mismatch {

// Nothing: missing, null, an empty cell, no finite number.
std::optional<double> number_in(const Json& fields, const std::string& name);

// Also of a number, as it is written. Nothing: missing, null, another type.
std::optional<std::string> text_in(const Json& fields, const std::string& name);

}  // namespace plumb::mismatch
