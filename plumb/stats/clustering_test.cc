#include "plumb/stats/clustering.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "plumb/base/random.h"

namespace plumb::stats {
namespace {

using Labels = std::vector<int>;
using Sizes = std::vector<std::int64_t>;

Labels groups(int classes, int size) {
  Labels labels;
  for (int i = 0; i < classes * size; ++i) labels.push_back(i / size);
  return labels;
}

Labels one_to(std::size_t n) {
  Labels labels(n);
  std::iota(labels.begin(), labels.end(), 0);
  return labels;
}

TEST(Clustering, AgreesWithScikitLearn) {
  std::ifstream file("tests/golden/labels.json");
  ASSERT_TRUE(file) << "run from the repository root";
  const auto golden = nlohmann::json::parse(file);
  for (const auto& c : golden["cases"]) {
    const auto table = contingency(c["gold"].get<Labels>(), c["answers"].get<Labels>());
    ASSERT_TRUE(table);
    EXPECT_NEAR(homogeneity(*table), c["hcv"][0], 1e-12) << c;
    EXPECT_NEAR(completeness(*table), c["hcv"][1], 1e-12) << c;
    EXPECT_NEAR(v_measure(*table), c["hcv"][2], 1e-12) << c;
    EXPECT_NEAR(normalized_mutual_information(*table), c["nmi"], 1e-12) << c;
    EXPECT_NEAR(adjusted_rand_index(*table), c["ari"], 1e-12) << c;
    EXPECT_NEAR(adjusted_mutual_information(*table), c["ami"], 1e-11) << c;
  }
}

// Origin: V = 2 H(C) / (H(C) + log n) by hand: 2 log 6 / (log 6 + log 30), 2 log 5 / ....
TEST(VMeasure, RewardsSingletonsWithoutAnyKnowledge) {
  EXPECT_NEAR(v_measure(*contingency(groups(6, 5), one_to(30))), 0.690, 5e-4);
  EXPECT_NEAR(v_measure(*contingency(groups(5, 6), one_to(30))), 0.642, 5e-4);
}

TEST(VMeasure, OfRandomLabelsIsFarAboveZero) {
  const Labels gold = groups(6, 5);
  double sum = 0;
  const int draws = 4000;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    Stream stream(1, "test", draw);
    Labels labels(30);
    for (int& label : labels) label = static_cast<int>(stream.below(6));
    sum += v_measure(*contingency(gold, labels));
  }
  EXPECT_NEAR(sum / draws, 0.293, 0.005);
}

TEST(AdjustedMetrics, GiveTrivialPartitionsZero) {
  for (const Labels& trivial : {Labels(30, 0), one_to(30)}) {
    const auto table = *contingency(groups(6, 5), trivial);
    EXPECT_NEAR(adjusted_rand_index(table), 0, 1e-12);
    EXPECT_NEAR(adjusted_mutual_information(table), 0, 1e-12);
  }
}

TEST(AdjustedMetrics, GiveEqualTrivialPartitionsOne) {
  for (const Labels& trivial : {Labels(4, 0), one_to(4)}) {
    const auto table = *contingency(trivial, trivial);
    EXPECT_EQ(adjusted_rand_index(table), 1);
    EXPECT_EQ(adjusted_mutual_information(table), 1);
  }
}

// By hand: clusters {a a b} {b b} of classes a (2 items), b (3 items).
// Precision: (2 * 2/3 + 1/3 + 2 * 1) / 5 = 11/15; recall: (2 * 1 + 1/3 + 2 * 2/3) / 5 = 11/15.
TEST(BCubed, ByHand) {
  const BCubed score = b_cubed(*contingency(Labels{0, 0, 1, 1, 1}, Labels{0, 0, 0, 1, 1}));
  EXPECT_NEAR(score.precision, 11.0 / 15, 1e-15);
  EXPECT_NEAR(score.recall, 11.0 / 15, 1e-15);
  EXPECT_NEAR(score.f1, 11.0 / 15, 1e-15);
}

// By hand: a cluster of everything has recall 1 and each item's precision is its class's share.
TEST(BCubed, OfOneCluster) {
  const BCubed score = b_cubed(*contingency(groups(6, 5), Labels(30, 0)));
  EXPECT_NEAR(score.precision, 1.0 / 6, 1e-15);
  EXPECT_NEAR(score.recall, 1, 1e-15);
  EXPECT_NEAR(score.f1, 2.0 / 7, 1e-15);
}

TEST(ExpectedVMeasure, IsTheMeanOverShuffles) {
  const Labels gold = groups(3, 4);
  Labels clusters = {0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3};
  double sum = 0;
  const int draws = 20000;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    Stream stream(1, "test", draw);
    shuffle(std::span<int>(clusters), stream);
    sum += v_measure(*contingency(gold, clusters));
  }
  EXPECT_NEAR(expected_v_measure(Sizes{4, 4, 4}, Sizes{5, 3, 3, 1}), sum / draws, 0.005);
}

TEST(ExpectedVMeasure, OfTrivialPartitionsIsTheirV) {
  EXPECT_NEAR(expected_v_measure(Sizes(6, 5), Sizes(30, 1)), 0.690, 5e-4);
  EXPECT_NEAR(expected_v_measure(Sizes(6, 5), Sizes{30}), 0, 1e-15);
  EXPECT_EQ(expected_v_measure(Sizes{30}, Sizes{30}), 1);
}

TEST(ExpectedBCubed, IsTheMeanOverShuffles) {
  const Labels gold = groups(3, 4);
  Labels clusters = {0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3};
  double precision = 0, recall = 0;
  const int draws = 20000;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    Stream stream(2, "test", draw);
    shuffle(std::span<int>(clusters), stream);
    const BCubed score = b_cubed(*contingency(gold, clusters));
    precision += score.precision / draws;
    recall += score.recall / draws;
  }
  const BCubed expected = expected_b_cubed(Sizes{4, 4, 4}, Sizes{5, 3, 3, 1});
  EXPECT_NEAR(expected.precision, precision, 0.005);
  EXPECT_NEAR(expected.recall, recall, 0.005);
}

TEST(ExpectedBCubed, OfTrivialPartitionsIsTheirScore) {
  EXPECT_NEAR(expected_b_cubed(Sizes(6, 5), Sizes{30}).f1, 2.0 / 7, 1e-15);
  EXPECT_NEAR(expected_b_cubed(Sizes(6, 5), Sizes(30, 1)).f1, 1.0 / 3, 1e-15);
  EXPECT_EQ(expected_b_cubed(Sizes{1}, Sizes{1}).f1, 1);
}

TEST(Contingency, IsUndefinedWithAReason) {
  EXPECT_EQ(contingency(Labels{}, Labels{}).error().reason, "there are no items");
  EXPECT_EQ(contingency(Labels{1}, Labels{}).error().reason, "the two partitions differ in length");
}

RC_GTEST_PROP(Clustering, IsSymmetricAndBlindToNames, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 40);
  const auto labels = rc::gen::container<Labels>(size, rc::gen::inRange(0, 5));
  const Labels gold = *labels, clusters = *labels;
  Labels renamed = clusters;
  for (int& name : renamed) name = 3 - 10 * name;
  const auto table = *contingency(gold, clusters), mirrored = *contingency(renamed, gold);
  const auto same = [](double a, double b) { return std::abs(a - b) < 1e-10; };
  RC_ASSERT(same(v_measure(table), v_measure(mirrored)));
  RC_ASSERT(same(v_measure(table), normalized_mutual_information(table)));
  RC_ASSERT(same(adjusted_rand_index(table), adjusted_rand_index(mirrored)));
  RC_ASSERT(same(adjusted_mutual_information(table), adjusted_mutual_information(mirrored)));
  RC_ASSERT(same(b_cubed(table).precision, b_cubed(mirrored).recall));
  RC_ASSERT(adjusted_mutual_information(*contingency(gold, gold)) == 1);
}

// A resample's table is that of the items written out as often as they were drawn.
RC_GTEST_PROP(Contingency, CountsAnItemAsOftenAsItWasDrawn, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 60);
  const int labels = *rc::gen::element(3, 40, 5000);  // dense tables, sparse ones, large ids
  const auto gold = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(-1, labels));
  const auto clusters = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, labels));
  const auto counts =
      *rc::gen::container<std::vector<std::uint32_t>>(n, rc::gen::inRange<std::uint32_t>(0, 4));
  std::vector<int> gold_copies, cluster_copies;
  for (std::size_t i = 0; i < n; ++i) {
    gold_copies.insert(gold_copies.end(), counts[i], gold[i]);
    cluster_copies.insert(cluster_copies.end(), counts[i], clusters[i]);
  }
  const auto counted = contingency(gold, clusters, counts);
  const auto copied = contingency(gold_copies, cluster_copies);
  RC_ASSERT(counted.has_value() == copied.has_value());
  if (!counted) return;
  RC_ASSERT(counted->rows == copied->rows);
  RC_ASSERT(counted->columns == copied->columns);
  RC_ASSERT(counted->total == copied->total);
  RC_ASSERT(v_measure(*counted) == v_measure(*copied));
}

}  // namespace
}  // namespace plumb::stats
