#include "plumb/stats/median.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

std::vector<double> counting(std::size_t n) {
  std::vector<double> values(n);
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

// Ranks by hand from the binomial distribution: P(B(6) < 1) = 1/64 = 0.0156; P(B(10) < 2) = 11/1024
// = 0.0107 and P(B(10) < 3) = 56/1024 = 0.0547; P(B(20) < 6) = 0.0207 and P(B(20) < 7) = 0.0577;
// P(B(100) < 40) = 0.0176 and P(B(100) < 41) = 0.0284.
TEST(Median, HasTheIntervalOfOrderStatistics) {
  const struct {
    std::size_t n;
    double low, high;
  } cases[] = {{6, 1, 6}, {10, 2, 9}, {20, 6, 15}, {100, 40, 61}};
  for (const auto& one : cases) {
    const auto score = median(counting(one.n), 0.95);
    ASSERT_TRUE(score && score->ci) << one.n;
    EXPECT_EQ(score->value, (static_cast<double>(one.n) + 1) / 2);
    EXPECT_EQ(score->ci->low, one.low) << one.n;
    EXPECT_EQ(score->ci->high, one.high) << one.n;
  }
}

TEST(Median, OfFewValuesHasNoInterval) {
  EXPECT_FALSE(median({}, 0.95));
  for (std::size_t n = 1; n < 6; ++n) EXPECT_FALSE(median(counting(n), 0.95)->ci) << n;
  EXPECT_TRUE(median(counting(5), 0.9)->ci);
}

TEST(Median, IntervalCoversAsOftenAsItSays) {
  int covered = 0;
  for (std::uint64_t study = 0; study < 2000; ++study) {
    Stream stream(3, "median", study);
    std::vector<double> values(31);
    for (double& value : values) value = stream.uniform() * stream.uniform();
    std::sort(values.begin(), values.end());
    const Interval ci = *median(values, 0.95)->ci;
    covered += ci.low <= 0.18668 && 0.18668 <= ci.high ? 1 : 0;  // x (1 - ln x) = 1/2
  }
  EXPECT_GE(covered, 1880);
}

}  // namespace
}  // namespace plumb::stats
