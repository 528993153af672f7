// MurmurHash3 (Austin Appleby 2011), the 32-bit variant for x86, seed 0: what scikit-learn's
// hashing of features uses, so that the columns are the same.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace plumb::raters {

inline std::uint32_t murmur_hash3(std::string_view bytes) {
  constexpr std::uint32_t kFirst = 0xcc9e2d51, kSecond = 0x1b873593;
  const auto mixed = [](std::uint32_t block) { return std::rotl(block * kFirst, 15) * kSecond; };
  std::uint32_t hash = 0;
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t block = 0;
    std::memcpy(&block, bytes.data() + i, 4);
    hash = std::rotl(hash ^ mixed(block), 13) * 5 + 0xe6546b64;
  }
  std::uint32_t tail = 0;
  std::memcpy(&tail, bytes.data() + i, bytes.size() - i);
  if (i < bytes.size()) hash ^= mixed(tail);
  hash ^= static_cast<std::uint32_t>(bytes.size());
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

}  // namespace plumb::raters
