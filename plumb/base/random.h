// Streams of random numbers. Every draw in plumb takes an explicit Stream that is derived from
// (seed, purpose, index), so that the same command with the same seed gives the same bytes whatever
// the number of threads: give every resample, every sample, every shuffle a stream of its own.
//
//   Stream stream(seed, "bootstrap", resample);
//   std::size_t item = stream.below(items);
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace plumb {

// xoshiro256++ (Blackman and Vigna 2021), its state filled by splitmix64 from a hash of the three
// parts. Not for cryptography. A Stream is small; copy it freely, but never share it between
// threads.
class Stream {
 public:
  Stream(std::uint64_t seed, std::string_view purpose, std::uint64_t index);

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  // Uniform on [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // Uniform on 0 .. bound - 1, without bias (Lemire 2019). REQUIRES: 0 < bound <= 2^32.
  std::uint32_t below(std::uint64_t bound) {
    std::uint64_t product = (next() >> 32) * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const auto threshold = static_cast<std::uint32_t>((std::uint64_t{1} << 32) % bound);
      while (static_cast<std::uint32_t>(product) < threshold) product = (next() >> 32) * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

  std::uint64_t state_[4];
};

// Fisher-Yates. Every order is equally likely.
template <typename T>
void shuffle(std::span<T> values, Stream& stream) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[stream.below(i)]);
}

}  // namespace plumb
