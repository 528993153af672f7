#include "plumb/stats/normal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace plumb::stats {
namespace {

// SciPy 1.10.1: norm.cdf, within 4 standard errors of a share of 100,000 draws.
TEST(NormalDraw, LiesBelowEachPlaceAsOftenAsTheDistributionSays) {
  Stream stream(1, "normal", 0);
  std::vector<double> draws(100000);
  for (double& draw : draws) draw = normal_draw(stream);
  for (const auto& [place, share] :
       {std::pair(-2.5, 0.006209665), std::pair(-1.0, 0.158655254), std::pair(0.0, 0.5),
        std::pair(0.3, 0.617911422), std::pair(2.0, 0.977249868)}) {
    const auto below = [place = place](double draw) { return draw < place; };
    const auto found = static_cast<double>(std::ranges::count_if(draws, below)) / 1e5;
    EXPECT_NEAR(found, share, 4 * std::sqrt(share * (1 - share) / 1e5)) << place;
  }
}

// One uniform draw each: a normal draw among others leaves those after it where they were. Its
// distribution function is the complementary error function.
TEST(NormalDraw, IsTheQuantileOfOneUniformDraw) {
  Stream normal(7, "normal", 3), uniform(7, "normal", 3);
  for (int i = 0; i < 1000; ++i) {
    const double z = normal_draw(normal);
    EXPECT_NEAR(std::erfc(-z / std::sqrt(2)) / 2, uniform.uniform(), 1e-14);
  }
}

// 1.96 is 1.959963984540054 in full, 1.6449 is 1.6448536269514722.
TEST(NormalError, IsThatWhoseIntervalIsAsLong) {
  EXPECT_NEAR(normal_error({1 - 1.959963984540054, 1 + 1.959963984540054}, 0.95), 1, 1e-14);
  EXPECT_NEAR(normal_error({0, 2 * 1.6448536269514722 * 0.3}, 0.90), 0.3, 1e-14);
  EXPECT_EQ(normal_error({2, 2}, 0.95), 0);
}

}  // namespace
}  // namespace plumb::stats
