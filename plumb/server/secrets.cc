#include "plumb/server/secrets.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

#include "plumb/base/hash.h"

namespace plumb::server {
namespace {

bool is_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

tl::unexpected<Error> no_randomness() {
  return fail(ErrorKind::kExhausted, "the system gives no random numbers; nothing secret is made");
}

}  // namespace

Result<std::string> hash_password(std::string_view password, const PasswordCost& cost) {
  if (password.size() < kShortestPassword || password.size() > kLongestPassword) {
    return fail(ErrorKind::kUsage,
                fmt::format("a password has {} to {} bytes", kShortestPassword, kLongestPassword));
  }
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (!is_ready() || crypto_pwhash_str(hash.data(), password.data(), password.size(), cost.passes,
                                       cost.memory_bytes) != 0) {
    return fail(ErrorKind::kExhausted, "no memory to hash a password");
  }
  return std::string(hash.data());
}

bool verify_password(std::string_view password, const std::string& hash, const PasswordCost& cost) {
  if (!is_ready() || password.size() > kLongestPassword) return false;
  if (!hash.empty()) {
    return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
  }
  std::array<char, crypto_pwhash_STRBYTES> unused{};
  const int spent = crypto_pwhash_str(unused.data(), password.data(), password.size(), cost.passes,
                                      cost.memory_bytes);
  static_cast<void>(spent);  // only its time matters
  return false;
}

bool needs_rehash(const std::string& hash, const PasswordCost& cost) {
  return is_ready() &&
         crypto_pwhash_str_needs_rehash(hash.c_str(), cost.passes, cost.memory_bytes) != 0;
}

Result<std::string> random_token() {
  if (!is_ready()) return no_randomness();
  std::array<unsigned char, 32> bytes{};
  std::array<char, 64> text{};
  randombytes_buf(bytes.data(), bytes.size());
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  return std::string(text.data());
}

std::string token_hash(std::string_view token) { return sha256(token); }

Result<std::string> random_password() {
  if (!is_ready()) return no_randomness();
  constexpr std::string_view kLetters = "abcdefghjkmnpqrstuvwxyz23456789_";  // 32, none alike
  static_assert(kLetters.size() == 32);
  std::string password;
  for (int i = 0; i < 20; ++i) password += kLetters[randombytes_uniform(32)];
  return password;
}

}  // namespace plumb::server
