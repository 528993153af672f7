// What can be said of UTF-8 without tables.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace plumb {

// Characters (code points) of a text: its bytes but the continuations. REQUIRES: UTF-8.
inline std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; }));
}

}  // namespace plumb
