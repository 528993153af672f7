// Content hashes. Every result names its inputs by one.
#pragma once

#include <string>
#include <string_view>

namespace plumb {

// SHA-256 (FIPS 180-4) as 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);

}  // namespace plumb
