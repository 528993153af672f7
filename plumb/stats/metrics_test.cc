#include "plumb/stats/metrics.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "plumb/base/random.h"
#include "plumb/stats/classification.h"
#include "plumb/stats/clustering.h"
#include "plumb/stats/krippendorff.h"

namespace plumb::stats {
namespace {

using Labels = std::vector<int>;
using Sizes = std::vector<std::int64_t>;

TEST(Metrics, EveryRowIsCompleteAndEveryIdIsUnique) {
  std::set<std::string_view> ids;
  for (const Metric& metric : kMetrics) {
    EXPECT_TRUE(ids.insert(metric.id).second) << metric.id;
    EXPECT_EQ(find_metric(metric.id), &metric);
    EXPECT_FALSE(metric.title.empty() || metric.chance.empty() || metric.reference.empty());
    EXPECT_LT(metric.low, metric.high);
    EXPECT_NE(metric.tasks & kAnyTask, 0u);
  }
  EXPECT_EQ(find_metric("v_meassure"), nullptr);
}

// Gold of 6 classes: 10, 8, 6, 3, 2, 1 items.
const Sizes kClassSizes = {10, 8, 6, 3, 2, 1};

Labels gold() {
  Labels labels;
  for (std::size_t k = 0; k < kClassSizes.size(); ++k) {
    labels.insert(labels.end(), static_cast<std::size_t>(kClassSizes[k]), static_cast<int>(k));
  }
  return labels;
}

// A score and the chance level that the metric's row promises for it.
struct Check {
  double score;
  double chance;
  double tolerance = 1e-12;
};

double mean_over_constant_answers() {
  double sum = 0;
  for (int label = 0; label < 6; ++label) {
    sum += accuracy(*confusion(gold(), Labels(30, label))) / 6;
  }
  return sum;
}

template <typename Function>
double mean_over_guesses(Function score) {
  const int draws = 4000;
  double sum = 0;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    Stream stream(4, "test", draw);
    Labels answers(30);
    for (int& answer : answers) answer = static_cast<int>(stream.below(6));
    sum += score(*confusion(gold(), answers)) / draws;
  }
  return sum;
}

Check of_one_cluster(double (*metric)(const Contingency&), double chance) {
  return {metric(*contingency(gold(), Labels(30, 0))), chance};
}

// Constant answers on 7 documents of grades 2, 1, 1, 0, 0, 0, 0 against the mean over random
// orders, or exactly where the row gives a function.
const std::vector<double> kGrades = {2, 1, 1, 0, 0, 0, 0};

template <typename Function>
double constant_ranking(Function metric) {
  std::vector<Document> documents;
  for (const double grade : kGrades) documents.push_back({grade, 0.5});
  return *metric(documents);
}

template <typename Function>
double mean_over_orders(Function metric) {
  const int draws = 20000;
  double sum = 0;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    Stream stream(5, "test", draw);
    std::vector<Document> documents;
    for (const double grade : kGrades) documents.push_back({grade, stream.uniform()});
    sum += *metric(documents) / draws;
  }
  return sum;
}

template <typename Function>
double mean_over_random_ratings(Function coefficient) {
  const int draws = 400;
  double sum = 0;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    Stream stream(6, "test", draw);
    Labels codes(3 * 200);
    for (int& code : codes) code = static_cast<int>(stream.below(4));
    sum += *coefficient(*nominal_ratings(codes, 3, 4)) / draws;
  }
  return sum;
}

double alpha_of_random_ratings(Level level) {
  return mean_over_random_ratings(
      [&](const Ratings& ratings) { return krippendorff_alpha(ratings, level); });
}

Score value_of(const CoefficientScore& score) {
  return score.map([](const Coefficient& coefficient) { return coefficient.value; });
}

std::map<std::string_view, Check> classification_checks() {
  return {
      {"accuracy", {mean_over_constant_answers(), *chance_accuracy(kClassSizes)}},
      {"precision_macro",
       {mean_over_guesses([](const Confusion& table) { return macro_average(table).precision; }),
        1.0 / 6, 0.005}},
      {"precision_weighted",
       {mean_over_guesses([](const Confusion& table) { return weighted_average(table).precision; }),
        (100 + 64 + 36 + 9 + 4 + 1) / 900.0, 0.005}},
      {"recall_macro",
       {mean_over_guesses([](const Confusion& table) { return macro_average(table).recall; }),
        1.0 / 6, 0.005}},
      {"recall_weighted",
       {mean_over_guesses([](const Confusion& table) { return weighted_average(table).recall; }),
        1.0 / 6, 0.005}},
      {"f1_macro",
       {mean_over_guesses([](const Confusion& table) { return macro_average(table).f1; }),
        chance_f1(kClassSizes)->macro, 0.005}},
      {"f1_weighted",
       {mean_over_guesses([](const Confusion& table) { return weighted_average(table).f1; }),
        chance_f1(kClassSizes)->weighted, 0.005}},
  };
}

std::map<std::string_view, Check> clustering_checks() {
  const Sizes one = {30};
  return {
      {"nmi", of_one_cluster(normalized_mutual_information, 0)},
      {"v_measure", of_one_cluster(v_measure, expected_v_measure(kClassSizes, one))},
      {"ari", of_one_cluster(adjusted_rand_index, 0)},
      {"ami", of_one_cluster(adjusted_mutual_information, 0)},
      {"b_cubed_f1",
       {b_cubed(*contingency(gold(), Labels(30, 0))).f1, expected_b_cubed(kClassSizes, one).f1}},
  };
}

std::map<std::string_view, Check> ranking_checks() {
  const auto ap = [](const auto& d) { return average_precision(d); };
  const auto rr = [](const auto& d) { return reciprocal_rank(d, TieRule::kExpected, 3); };
  const auto gain = [](const auto& d) { return ndcg(d, 3); };
  const auto precision = [](const auto& d) { return precision_at(d, 3); };
  return {
      {"ap", {constant_ranking(ap), mean_over_orders(ap), 0.005}},
      {"rr", {constant_ranking(rr), mean_over_orders(rr), 0.01}},
      {"ndcg", {constant_ranking(gain), mean_over_orders(gain), 0.005}},
      {"p_at_k", {constant_ranking(precision), mean_over_orders(precision), 0.005}},
  };
}

std::map<std::string_view, Check> agreement_checks() {
  const auto cohen = [](const Ratings& ratings) {
    return pairwise_mean(ratings, [](auto a, auto b) { return value_of(cohen_kappa(a, b)); })
        .map([](const PairwiseMean& mean) { return mean.value; });
  };
  const auto fleiss = [](const Ratings& ratings) { return value_of(fleiss_kappa(ratings)); };
  const auto gwet = [](const Ratings& ratings) { return value_of(gwet_ac1(ratings)); };
  return {
      {"percent_agreement", {mean_over_random_ratings(percent_agreement), 0.25, 0.005}},
      {"cohen_kappa", {mean_over_random_ratings(cohen), 0, 0.005}},
      {"fleiss_kappa", {mean_over_random_ratings(fleiss), 0, 0.01}},
      {"gwet_ac1", {mean_over_random_ratings(gwet), 0, 0.005}},
      {"krippendorff_nominal", {alpha_of_random_ratings(Level::kNominal), 0, 0.005}},
      {"krippendorff_ordinal", {alpha_of_random_ratings(Level::kOrdinal), 0, 0.005}},
      {"krippendorff_interval", {alpha_of_random_ratings(Level::kInterval), 0, 0.005}},
      {"krippendorff_ratio", {alpha_of_random_ratings(Level::kRatio), 0, 0.005}},
  };
}

// Correlations of a constant answer are Undefined, which correlation_test.cc shows.
TEST(Metrics, AnAnswerWithoutKnowledgeEarnsTheChanceLevel) {
  std::map<std::string_view, Check> checks = classification_checks();
  checks.merge(clustering_checks());
  checks.merge(ranking_checks());
  checks.merge(agreement_checks());
  const std::set<std::string_view> correlations = {"spearman", "pearson", "kendall_tau_b"};
  for (const Metric& metric : kMetrics) {
    if (correlations.contains(metric.id)) continue;
    ASSERT_TRUE(checks.contains(metric.id)) << metric.id << " has no check of its chance level";
    const Check& check = checks.at(metric.id);
    EXPECT_NEAR(check.score, check.chance, check.tolerance) << metric.id;
  }
}

// Origin: by hand, H_7 / 7 and (H_7 + (2/6) (7 - H_7)) / 7 with H_7 = 363/140.
TEST(ChanceLevels, OfAveragePrecisionByHand) {
  const double h = 363.0 / 140;
  EXPECT_NEAR(*chance_average_precision(7, 1), h / 7, 1e-15);
  EXPECT_NEAR(*chance_average_precision(7, 3), (h + (7 - h) / 3) / 7, 1e-15);
}

// By hand: of two documents one is relevant, so the first is with probability 1/2.
TEST(ChanceLevels, OfTheOtherRankingMetricsByHand) {
  EXPECT_DOUBLE_EQ(*chance_reciprocal_rank(2, 1), 0.75);
  EXPECT_DOUBLE_EQ(*chance_reciprocal_rank(2, 1, 1), 0.5);
  EXPECT_DOUBLE_EQ(*chance_precision_at(7, 3, 5), 3.0 / 7);
  EXPECT_DOUBLE_EQ(*chance_precision_at(7, 3, 14), 3.0 / 14);
  EXPECT_DOUBLE_EQ(*chance_ndcg(std::vector<double>{1, 0}, 1), 0.5);
}

TEST(ChanceLevels, OfClassificationByHand) {
  EXPECT_DOUBLE_EQ(*majority_accuracy(kClassSizes), 1.0 / 3);
  // One item each of two classes. A label is named by 0, 1 or 2 guesses with 1/4, 1/2, 1/4, then
  // F1 is on average 0, 1/2, 2/3.
  EXPECT_NEAR(chance_f1(Sizes{1, 1})->macro, 1.0 / 4 + 1.0 / 6, 1e-15);
  EXPECT_EQ(chance_f1(Sizes{5})->weighted, 1);
}

TEST(ChanceLevels, OfLargeTasksDoNotUnderflow) {
  EXPECT_NEAR(chance_f1(Sizes(4, 250000))->macro, 0.25, 1e-5);
}

TEST(ChanceLevels, AreUndefinedWithAReason) {
  EXPECT_EQ(chance_average_precision(7, 0).error().reason, "no document is relevant");
  EXPECT_EQ(chance_precision_at(2, 3, 1).error().reason,
            "more documents are relevant than there are");
  EXPECT_EQ(chance_accuracy({}).error().reason, "there are no items");
  EXPECT_EQ(majority_accuracy({}).error().reason, "there are no items");
  EXPECT_EQ(chance_f1({}).error().reason, "there are no items");
}

RC_GTEST_PROP(ChanceLevels, LieBetweenTheShareOfRelevantDocumentsAndOne, ()) {
  const auto documents = *rc::gen::inRange<std::size_t>(1, 50);
  const auto relevant = *rc::gen::inRange<std::size_t>(1, documents + 1);
  const double share = static_cast<double>(relevant) / static_cast<double>(documents);
  for (const double chance : {*chance_average_precision(documents, relevant),
                              *chance_reciprocal_rank(documents, relevant)}) {
    RC_ASSERT(chance > share - 1e-12);
    RC_ASSERT(chance < 1 + 1e-12);
  }
}

}  // namespace
}  // namespace plumb::stats
