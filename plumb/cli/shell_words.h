// Command lines that a message gives: what is copied from it does what it says, whatever a path
// holds.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace plumb::cli {

// The word as a POSIX shell reads it back: as it is, or in single quotes.
std::string shell_word(std::string_view word);

// Words separated by blanks.
std::string shell_line(std::span<const std::string> words);

}  // namespace plumb::cli
