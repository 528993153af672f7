// What a name is: of a study, an account, a token.
//
//   if (!is_one_line(name, 100)) return fail(ErrorKind::kUsage, "a name is one line of ...");
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "plumb/text/lines.h"

namespace plumb::study {

// 1 to `longest` bytes of UTF-8 without a control character.
inline bool is_one_line(std::string_view text, std::size_t longest) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= longest && !first_bad_utf8(text) &&
         std::ranges::none_of(text, is_control);
}

}  // namespace plumb::study
