#include "plumb/mismatch/links/inputs/fields.h"

#include <cmath>

#include "plumb/base/number.h"

namespace plumb::mismatch {

std::optional<double> number_in(const Json& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  const auto number = number_of(*found);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<std::string> text_in(const Json& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number() || found->is_boolean()) return to_text(*found);
  return std::nullopt;
}

}  // namespace plumb::mismatch
