#include "plumb/raters/probes/minibatch_kmeans.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plumb/raters/testing.h"

namespace plumb::raters {
namespace {

using testing::all_rows;

TEST(MiniBatchKMeans, EqualsScikitLearnToTheLastBit) {
  for (const auto& c : testing::golden("probe_clustering.json", "cases")) {
    const Vectors vectors = testing::vectors_in_tenths(c);
    const auto result = minibatch_kmeans(vectors, all_rows(vectors), {.groups = c["groups"]});
    EXPECT_EQ(result.steps, c["steps"]);
    EXPECT_EQ(result.labels, c["answers"].get<std::vector<int>>());
    EXPECT_EQ(result.centres, c["centres"].get<std::vector<float>>());
    EXPECT_EQ(result.inertia, c["inertia"].get<float>());
  }
}

TEST(MiniBatchKMeans, GivesTheSameBitsSparseAndWithAnyNumberOfThreads) {
  Stream stream(1, "minibatch test", 0);
  const Vectors dense = testing::clouds(testing::random_labels(700, 5, stream), 23, stream);
  const auto rows = all_rows(dense);
  const auto one = minibatch_kmeans(dense, rows, {.groups = 5, .threads = 1});
  const auto two = minibatch_kmeans(dense, rows, {.groups = 5, .threads = 2});
  const auto sparse = minibatch_kmeans(testing::as_sparse(dense), rows, {.groups = 5});
  EXPECT_EQ(one.centres, two.centres);
  EXPECT_EQ(one.labels, two.labels);
  EXPECT_EQ(one.centres, sparse.centres);
  EXPECT_EQ(one.labels, sparse.labels);
}

TEST(MiniBatchKMeans, PutsEqualRowsTogether) {
  const Vectors zeros = Vectors::dense(3, std::vector<float>(30, 0));
  const auto result = minibatch_kmeans(zeros, all_rows(zeros), {.groups = 4});
  EXPECT_EQ(result.labels, std::vector<int>(10, result.labels[0]));
  EXPECT_EQ(result.inertia, 0);
}

TEST(MiniBatchKMeans, CanGiveEachRowItsOwnGroup) {
  const Vectors line = Vectors::dense(1, {0, 10, 20, 30});
  auto labels = minibatch_kmeans(line, all_rows(line), {.groups = 4}).labels;
  std::sort(labels.begin(), labels.end());
  EXPECT_EQ(labels, (std::vector<int>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace plumb::raters
