// Content hashes. Every result names its inputs by one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace plumb {

// SHA-256 (FIPS 180-4) as 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);

// The same of bytes that arrive in parts.
class Sha256 {
 public:
  using Digest = std::array<unsigned char, 32>;

  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void add(std::string_view bytes);

  // Of all that was added; nothing may be added afterwards.
  Digest digest();
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Tells damaged bytes from sound ones, much faster than SHA-256: SipHash-2-4 under a key of zeros.
// Anyone can make other bytes of the same checksum; it guards against accidents alone.
std::uint64_t checksum(std::string_view bytes);

}  // namespace plumb
