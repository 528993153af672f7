#include "plumb/text/tokens/charsmap.h"

#include <fmt/format.h>

#include "plumb/text/lines.h"

namespace plumb::tokens {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;)
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// The fields of a unit of darts-clone.
bool has_leaf(std::uint32_t unit) { return ((unit >> 8) & 1) == 1; }
std::uint32_t value(std::uint32_t unit) { return unit & 0x7fffffff; }
std::uint32_t label(std::uint32_t unit) { return unit & 0x800000ff; }
std::uint32_t offset(std::uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes += static_cast<char>((bits >> have) & 0xff);
  }
  return bytes;
}

Result<Charsmap> Charsmap::decode(std::string_view encoded) {
  const auto bytes = decode_base64(encoded);
  if (!bytes) return fail(ErrorKind::kBadInput, "is not base64");
  if (bytes->size() < 4) return fail(ErrorKind::kBadInput, "is shorter than its header");
  const std::size_t size = read_u32(*bytes, 0);
  if (size == 0 || size % 4 != 0 || size > bytes->size() - 4) {
    return fail(ErrorKind::kBadInput,
                fmt::format("a trie of {} bytes does not fit in {}", size, bytes->size() - 4));
  }
  Charsmap map;
  for (std::size_t at = 4; at < 4 + size; at += 4) map.units_.push_back(read_u32(*bytes, at));
  map.replacements_ = bytes->substr(4 + size);
  if (first_bad_utf8(map.replacements_))
    return fail(ErrorKind::kBadInput, "its replacements are not UTF-8");
  return map;
}

std::optional<std::string_view> Charsmap::replacement(std::string_view text) const {
  std::size_t at = offset(units_[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return std::nullopt;
    at ^= byte;
    if (at >= units_.size() || label(units_[at]) != byte) return std::nullopt;
    const std::uint32_t unit = units_[at];
    at ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (at >= units_.size()) return std::nullopt;
    const std::size_t begin = value(units_[at]);
    if (begin >= replacements_.size() || (replacements_[begin] & 0xc0) == 0x80) return std::nullopt;
    return std::string_view(replacements_).substr(begin, replacements_.find('\0', begin) - begin);
  }
  return std::nullopt;
}

}  // namespace plumb::tokens
