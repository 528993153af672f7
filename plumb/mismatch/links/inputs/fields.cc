#include "plumb/mismatch/links/inputs/fields.h"

#include <charconv>
#include <cmath>

namespace plumb::mismatch {

std::optional<double> number_in(const Json& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  if (found->is_number()) {
    const auto value = found->get<double>();
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
  }
  if (!found->is_string()) return std::nullopt;
  const auto& text = found->get_ref<const std::string&>();
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<std::string> text_in(const Json& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number() || found->is_boolean()) return to_text(*found);
  return std::nullopt;
}

}  // namespace plumb::mismatch
