#include "plumb/raters/probes/numpy_random.h"

#include <gtest/gtest.h>

#include <numeric>

#include "plumb/raters/testing.h"

namespace plumb::raters {
namespace {

TEST(NumpyRandom, DrawsAsRandomState) {
  const auto golden = testing::golden("probe_classification.json", "random");
  NumpyRandom random(42);
  const auto permutation = [&](std::size_t count) {
    std::vector<std::size_t> values(count);
    std::iota(values.begin(), values.end(), std::size_t{0});
    random.shuffle(std::span(values));
    return values;
  };
  EXPECT_EQ(permutation(10), golden["shuffle10"].get<std::vector<std::size_t>>());
  for (const auto& value : golden["randint"]) EXPECT_EQ(random.below(1000), value);
  for (const auto& value : golden["uniform"]) EXPECT_EQ(random.uniform(), value.get<double>());
  auto chosen = permutation(30);
  chosen.resize(5);
  EXPECT_EQ(chosen, golden["choice"].get<std::vector<std::size_t>>());
}

TEST(NumpyRandom, DrawsNothingToChooseFromOne) {
  NumpyRandom one(42), other(42);
  EXPECT_EQ(one.below(1), 0U);
  EXPECT_EQ(one.uniform(), other.uniform());
}

}  // namespace
}  // namespace plumb::raters
