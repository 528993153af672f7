// Whether comparisons of pairs fit one order: circular triads, A before B, B before C and C before
// A, and Kendall's coefficient of consistence.
//
//   // [n, n], 1 where the row was preferred to the column
//   const std::vector<std::uint8_t> wins = {0, 1, 0,  0, 0, 1,  1, 0, 0};
//   count_triads(3, wins).cyclic;    // 1
//   consistence(3, wins);            // 0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "plumb/stats/score.h"

namespace plumb::stats {

// Triads all three pairs of which were decided, and how many of them are circular: a quarter of
// them where each pair is the toss of a coin. REQUIRES: wins.size() == n * n; of a pair at most one
// direction is 1 (neither: not compared, or a tie).
struct Triads {
  std::size_t decided = 0, cyclic = 0;
};
inline constexpr double kChanceCyclic = 0.25;
Triads count_triads(std::size_t n, std::span<const std::uint8_t> wins);

// zeta = 1 - d / max d of d circular triads, max d = (n^3 - n) / 24 for odd n and (n^3 - 4 n) / 24
// for even n: 1 where the comparisons are one order, 0 where they are as circular as they can be
// (Kendall and Babington Smith 1940). Undefined: fewer than three; a pair that was not decided.
Score consistence(std::size_t n, std::span<const std::uint8_t> wins);

// Its expectation where each pair is the toss of a coin. REQUIRES: n >= 3.
double chance_consistence(std::size_t n);

}  // namespace plumb::stats
