// The version of the program, as `plumb --version` prints it and results carry it.
#pragma once

#include <string_view>

namespace plumb {

inline constexpr std::string_view kVersion = PLUMB_VERSION;

}  // namespace plumb
