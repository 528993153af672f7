#include "plumb/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace plumb {
namespace {

TEST(Stream, SamePartsGiveTheSameNumbers) {
  Stream a(7, "bootstrap", 3);
  Stream b(7, "bootstrap", 3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Stream, AnyOtherPartGivesOtherNumbers) {
  const std::uint64_t first = Stream(7, "bootstrap", 3).next();
  EXPECT_NE(first, Stream(8, "bootstrap", 3).next());
  EXPECT_NE(first, Stream(7, "bootstrap2", 3).next());
  EXPECT_NE(first, Stream(7, "bootstrap", 4).next());
}

TEST(Stream, BelowIsUniform) {
  Stream stream(1, "test", 0);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts[stream.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);  // more than five standard errors
}

TEST(Stream, UniformHasTheMomentsOfTheUniformDistribution) {
  Stream stream(1, "test", 1);
  double sum = 0, squares = 0;
  const int draws = 100000;
  for (int i = 0; i < draws; ++i) {
    const double u = stream.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / draws, 0.5, 0.005);
  EXPECT_NEAR(squares / draws, 1.0 / 3, 0.005);
}

TEST(Shuffle, KeepsTheValuesAndReachesEveryOrder) {
  std::array<int, 6> counts{};
  for (std::uint64_t i = 0; i < 6000; ++i) {
    std::vector<int> values = {0, 1, 2};
    Stream stream(1, "shuffle", i);
    shuffle(std::span<int>(values), stream);
    ++counts[static_cast<std::size_t>(values[0] * 2 + (values[1] > values[2] ? 1 : 0))];
    std::sort(values.begin(), values.end());
    ASSERT_EQ(values, (std::vector<int>{0, 1, 2}));
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 160);
}

}  // namespace
}  // namespace plumb
