// The known word that a mistyped one was probably meant to be.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plumb {

// The candidate with the least edit distance (Levenshtein) to `word`, the first of equals; nothing
// if even that differs in more than a third of the word, rounded up.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace plumb
