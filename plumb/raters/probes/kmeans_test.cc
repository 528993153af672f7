#include "plumb/raters/probes/kmeans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "plumb/raters/testing.h"

namespace plumb::raters {
namespace {

using testing::all_rows;

// Either stops at the best of many local minima, 100 starts each.
TEST(KMeans, FindsMinimaAsDeepAsScikitLearn) {
  double sum = 0, expected_sum = 0;
  for (const auto& c : testing::golden("probe_clustering.json", "cases")) {
    if (!c.contains("full_inertia")) continue;
    const Vectors vectors = testing::vectors_in_tenths(c);
    Stream stream(1, "k-means test", 0);
    const auto result = kmeans(vectors, all_rows(vectors), c["groups"], 100, stream);
    const double expected = c["full_inertia"];
    EXPECT_LT(result.inertia, 1.01 * expected + 1e-6);
    sum += result.inertia;
    expected_sum += expected;
  }
  EXPECT_GT(expected_sum, 0);
  EXPECT_LT(sum, 1.001 * expected_sum);
}

// What Lloyd's iterations end at: every row is nearest to the mean of its own group.
TEST(KMeans, LeavesEveryRowNearestToItsOwnMean) {
  Stream stream(2, "k-means test", 0);
  const Vectors vectors = testing::clouds(testing::random_labels(200, 6, stream), 5, stream);
  const auto rows = all_rows(vectors);
  const auto result = kmeans(vectors, rows, 6, 1, stream);
  std::vector<double> means(6 * 5), counts(6);
  for (const std::size_t row : rows) {
    const auto label = static_cast<std::size_t>(result.labels[row]);
    vectors.add_to(row, 1, std::span(means).subspan(label * 5, 5));
    ++counts[label];
  }
  const auto distance = [&](std::size_t row, std::size_t group) {
    double sum = 0;
    for (std::size_t d = 0; d < 5; ++d) {
      const double difference =
          static_cast<double>(vectors.dense_row(row)[d]) - means[group * 5 + d] / counts[group];
      sum += difference * difference;
    }
    return sum;
  };
  double inertia = 0;
  for (const std::size_t row : rows) {
    const double own = distance(row, static_cast<std::size_t>(result.labels[row]));
    for (std::size_t group = 0; group < 6; ++group) EXPECT_LE(own, distance(row, group) + 1e-5);
    inertia += own;
  }
  EXPECT_NEAR(result.inertia, inertia, 1e-3);
}

TEST(KMeans, LeavesNoGroupEmptyWhileRowsDiffer) {
  Stream stream(3, "k-means test", 0);
  std::vector<float> values(40, 1);
  for (std::size_t i = 0; i < 5; ++i) values[i] = static_cast<float>(10 * i);
  const Vectors vectors = Vectors::dense(1, std::move(values));
  for (int run = 0; run < 20; ++run) {
    const auto result = kmeans(vectors, all_rows(vectors), 6, 1, stream);
    EXPECT_EQ(std::set<int>(result.labels.begin(), result.labels.end()).size(), 6U);
    EXPECT_EQ(result.inertia, 0);
  }
}

TEST(KMeans, GivesEqualRowsOneGroup) {
  Stream stream(4, "k-means test", 0);
  const Vectors zeros = Vectors::dense(2, std::vector<float>(20, 0));
  const auto result = kmeans(zeros, all_rows(zeros), 3, 2, stream);
  EXPECT_EQ(result.labels, std::vector<int>(10, result.labels[0]));
}

TEST(Silhouette, AgreesWithScikitLearn) {
  for (const auto& c : testing::golden("probe_clustering.json", "cases")) {
    if (!c.contains("silhouette")) continue;
    const Vectors vectors = testing::vectors_in_tenths(c);
    for (const Vectors& either : {vectors, testing::as_sparse(vectors)}) {
      const auto distances = all_distances(either, all_rows(either), 0);
      EXPECT_NEAR(mean_silhouette(distances, c["labels"].get<std::vector<int>>(), c["groups"]),
                  c["silhouette"].get<double>(), 1e-6);
    }
  }
}

TEST(Silhouette, IsNoneForAnItemAlone) {
  const std::vector<float> distances = {0, 1, 5, 1, 0, 5, 5, 5, 0};
  EXPECT_NEAR(mean_silhouette(distances, std::vector<int>{0, 0, 1}, 2), (0.8 + 0.8 + 0) / 3, 1e-9);
}

}  // namespace
}  // namespace plumb::raters
