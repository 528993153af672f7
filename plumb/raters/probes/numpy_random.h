// numpy.random.RandomState, as far as the protocols that must be equal to the last bit draw from
// it. Everything else in plumb draws from a Stream (base/random.h).
//
//   NumpyRandom random(42);
//   random.shuffle(std::span(order));     // RandomState(42).shuffle(order)
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>

namespace plumb::raters {

class NumpyRandom {
 public:
  explicit NumpyRandom(std::uint32_t seed) : generator_(seed) {}

  // Leaves out so many of the generator's 32-bit words.
  void discard(std::uint64_t words) { generator_.discard(words); }

  // randint(0, bound): words masked to the bits of bound - 1, until one is below.
  // REQUIRES: 0 < bound <= 2^32.
  std::size_t below(std::size_t bound) {
    if (bound == 1) return 0;
    const std::size_t mask = std::bit_ceil(bound) - 1;
    std::size_t value = generator_() & mask;
    while (value >= bound) value = generator_() & mask;
    return value;
  }

  // random_sample(), on [0, 1).
  double uniform() {
    const auto high = static_cast<double>(generator_() >> 5);
    const auto low = static_cast<double>(generator_() >> 6);
    return (high * 67108864 + low) / 9007199254740992;
  }

  // shuffle(values); permutation(n) is that of 0 .. n - 1, and choice(n, m, replace=False) the
  // first m of it.
  template <typename T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::mt19937 generator_;
};

}  // namespace plumb::raters
