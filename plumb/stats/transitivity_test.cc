#include "plumb/stats/transitivity.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

using Wins = std::vector<std::uint8_t>;

Wins coin_tosses(std::size_t n, std::uint64_t index) {
  Stream stream(7, "transitivity test", index);
  Wins wins(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool first = stream.below(2) == 0;
      wins[first ? i * n + j : j * n + i] = 1;
    }
  }
  return wins;
}

// tests/golden/perturbations.py
TEST(Transitivity, CountsCircularTriads) {
  std::ifstream file("tests/golden/perturbations.json");
  ASSERT_TRUE(file) << "run from the repository root";
  const auto golden = nlohmann::json::parse(file);
  ASSERT_FALSE(golden["triads"].empty());
  for (const auto& known : golden["triads"]) {
    const auto n = known["n"].get<std::size_t>();
    const auto wins = known["wins"].get<Wins>();
    EXPECT_EQ(count_triads(n, wins).decided, known["triads"]);
    EXPECT_EQ(count_triads(n, wins).cyclic, known["cyclic"]);
    EXPECT_NEAR(*consistence(n, wins), known["zeta"].get<double>(), 1e-12);
    EXPECT_NEAR(chance_consistence(n), known["chance"].get<double>(), 1e-12);
  }
}

TEST(Transitivity, OfPairsThatNobodyDecidedIsUndefined) {
  Wins wins = {0, 1, 1, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(count_triads(3, wins).decided, 0U);
  EXPECT_EQ(consistence(3, wins).error().reason, "not every pair was decided");
  EXPECT_EQ(consistence(2, Wins(4, 0)).error().reason, "fewer than three were compared");
}

// d = n (n - 1) (2 n - 1) / 12 - sum of squared wins / 2 (Kendall and Babington Smith 1940).
TEST(Transitivity, FollowsFromTheNumbersOfWins) {
  rc::check([](std::uint32_t seed) {
    const auto n = *rc::gen::inRange<std::size_t>(3, 12);
    const Wins wins = coin_tosses(n, seed);
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double own = 0;
      for (std::size_t j = 0; j < n; ++j) own += wins[i * n + j];
      squares += own * own;
    }
    const auto size = static_cast<double>(n);
    const double d = size * (size - 1) * (2 * size - 1) / 12 - squares / 2;
    RC_ASSERT(static_cast<double>(count_triads(n, wins).cyclic) == d);
    RC_ASSERT(*consistence(n, wins) >= -1e-12 && *consistence(n, wins) <= 1);
  });
}

TEST(Transitivity, OfCoinsIsOnAverageItsChanceLevel) {
  for (const std::size_t n : {5U, 6U}) {
    double sum = 0;
    constexpr std::size_t kDraws = 4000;
    for (std::size_t i = 0; i < kDraws; ++i) sum += *consistence(n, coin_tosses(n, i));
    EXPECT_NEAR(sum / kDraws, chance_consistence(n), 0.01);
  }
}

}  // namespace
}  // namespace plumb::stats
