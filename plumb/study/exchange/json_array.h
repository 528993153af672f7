// The objects of a JSON file one by one, each with the line where it starts: of a list of objects,
// or of JSON lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "plumb/base/json.h"
#include "plumb/base/result.h"

namespace plumb::study {

// where: "file:line". kBadInput, with file and line: no JSON object, a list that does not end,
// bytes that are no UTF-8; or what `each` returns.
Result<void> for_each_object(
    const std::string& name, std::string_view text,
    const std::function<Result<void>(const std::string& where, const Json& object)>& each);

}  // namespace plumb::study
