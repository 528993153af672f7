// Passwords and tokens: how they are made, hashed and checked (libsodium).
#pragma once

#include <string>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb::server {

// What a password's hash costs an attacker, and us once a login: Argon2id.
struct PasswordCost {
  unsigned long long passes = 3;
  std::size_t memory_bytes = std::size_t{64} << 20;
};

inline constexpr std::size_t kShortestPassword = 10, kLongestPassword = 1000;

// kUsage: too short or too long. kExhausted: no memory.
Result<std::string> hash_password(std::string_view password, const PasswordCost& cost);

// In the same time whether `hash` is a hash or "", which no password has.
bool verify_password(std::string_view password, const std::string& hash, const PasswordCost& cost);

// Whether the hash was made at another cost.
bool needs_rehash(const std::string& hash, const PasswordCost& cost);

// 256 random bits, 43 characters that a link can hold. kExhausted: the system gives none.
Result<std::string> random_token();
std::string token_hash(std::string_view token);

// A password for a person to copy: 20 characters, 100 bits. kExhausted as above.
Result<std::string> random_password();

}  // namespace plumb::server
