#include "plumb/stats/transitivity.h"

namespace plumb::stats {
namespace {

double triads_of(double n) { return n * (n - 1) * (n - 2) / 6; }

double most_cyclic(std::size_t n) {
  const auto size = static_cast<double>(n);
  return size * (size * size - (n % 2 == 1 ? 1 : 4)) / 24;
}

}  // namespace

Triads count_triads(std::size_t n, std::span<const std::uint8_t> wins) {
  const auto beats = [&](std::size_t a, std::size_t b) { return wins[a * n + b] != 0; };
  const auto decided = [&](std::size_t a, std::size_t b) { return beats(a, b) || beats(b, a); };
  Triads triads;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!decided(i, j)) continue;
      for (std::size_t k = 0; k < j; ++k) {
        if (!decided(i, k) || !decided(j, k)) continue;
        triads.decided += 1;
        triads.cyclic += beats(i, j) == beats(j, k) && beats(j, k) == beats(k, i) ? 1 : 0;
      }
    }
  }
  return triads;
}

Score consistence(std::size_t n, std::span<const std::uint8_t> wins) {
  if (n < 3) return undefined("fewer than three were compared");
  const Triads triads = count_triads(n, wins);
  if (static_cast<double>(triads.decided) < triads_of(static_cast<double>(n))) {
    return undefined("not every pair was decided");
  }
  return 1 - static_cast<double>(triads.cyclic) / most_cyclic(n);
}

double chance_consistence(std::size_t n) {
  return 1 - kChanceCyclic * triads_of(static_cast<double>(n)) / most_cyclic(n);
}

}  // namespace plumb::stats
