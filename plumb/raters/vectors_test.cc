#include "plumb/raters/vectors.h"

#include <gtest/gtest.h>

namespace plumb::raters {
namespace {

// One matrix both ways: [[1, 0, 2], [0, 0, 0], [0, -3, 4]].
Vectors as_dense() { return Vectors::dense(3, {1, 0, 2, 0, 0, 0, 0, -3, 4}); }
Vectors as_sparse() { return Vectors::sparse(3, {{0, 1}, {2, 2}, {1, -3}, {2, 4}}, {0, 2, 2, 4}); }

TEST(Vectors, GiveTheSameNumbersDenseAndSparse) {
  const std::vector<double> weights = {0.5, 2, -1};
  for (const Vectors& vectors : {as_dense(), as_sparse()}) {
    EXPECT_EQ(vectors.rows(), 3U);
    EXPECT_EQ(vectors.dimension(), 3U);
    EXPECT_EQ(vectors.dot(0, weights), -1.5);
    EXPECT_EQ(vectors.dot(1, weights), 0);
    EXPECT_EQ(vectors.dot(2, weights), -10);
    EXPECT_EQ(vectors.squared_norm(2), 25);
    EXPECT_EQ(dot(vectors, 0, vectors, 2), 8);
    EXPECT_EQ(squared_distance(vectors, 0, vectors, 2), 14);
    EXPECT_EQ(squared_distance(vectors, 1, vectors, 2), 25);
    std::vector<double> sum = {1, 1, 1};
    vectors.add_to(2, 2, sum);
    EXPECT_EQ(sum, (std::vector<double>{1, -5, 9}));
    const Vectors picked = vectors.select(std::vector<std::size_t>{2, 2, 0});
    EXPECT_EQ(picked.rows(), 3U);
    EXPECT_EQ(dot(picked, 0, vectors, 2), 25);
    EXPECT_EQ(picked.squared_norm(2), 5);
  }
}

TEST(Vectors, SumLongRowsCompletely) {
  std::vector<float> values(19);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  EXPECT_EQ(Vectors::dense(19, values).squared_norm(0), 2109);  // 18 * 19 * 37 / 6
}

}  // namespace
}  // namespace plumb::raters
