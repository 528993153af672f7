#include "plumb/base/hash.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sodium.h>

#include <cstring>

namespace plumb {
namespace {

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

struct Sha256::State {
  crypto_hash_sha256_state sodium;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { crypto_hash_sha256_init(&state_->sodium); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  crypto_hash_sha256_update(&state_->sodium, octets(bytes), bytes.size());
}

Sha256::Digest Sha256::digest() {
  Digest digest{};
  static_assert(sizeof(digest) == crypto_hash_sha256_BYTES);
  crypto_hash_sha256_final(&state_->sodium, digest.data());
  return digest;
}

std::string Sha256::hex() { return fmt::format("{:02x}", fmt::join(digest(), "")); }

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

std::uint64_t checksum(std::string_view bytes) {
  constexpr unsigned char kKey[crypto_shorthash_KEYBYTES] = {};
  unsigned char out[crypto_shorthash_BYTES];
  crypto_shorthash(out, octets(bytes), bytes.size(), kKey);
  std::uint64_t result = 0;
  static_assert(sizeof(out) == sizeof(result));
  std::memcpy(&result, out, sizeof(result));
  return result;
}

}  // namespace plumb
