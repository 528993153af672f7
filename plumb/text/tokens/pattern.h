// What a Split or Replace looks for: a text or a regular expression.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "plumb/text/tokens/regex.h"

namespace plumb::tokens {

class Pattern {
 public:
  explicit Pattern(std::string literal) : what_(std::move(literal)) {}
  explicit Pattern(Regex regex) : what_(std::move(regex)) {}

  // As Regex::find_all; a literal is never empty.
  Result<void> find_all(std::string_view text, std::vector<ByteRange>& found) const {
    if (const auto* regex = std::get_if<Regex>(&what_)) return regex->find_all(text, found);
    const auto& literal = std::get<std::string>(what_);
    for (std::size_t at = text.find(literal); at != std::string_view::npos;
         at = text.find(literal, at + literal.size())) {
      found.push_back(
          {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + literal.size())});
    }
    return {};
  }

 private:
  std::variant<std::string, Regex> what_;
};

}  // namespace plumb::tokens
