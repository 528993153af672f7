#include "plumb/stats/ranking.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

namespace plumb::stats {
namespace {

using Documents = std::vector<Document>;

// `relevant` first letters of the list are relevant; '1' is a marked document, '0' is not.
Documents marked(std::string_view marks, std::size_t relevant) {
  Documents documents;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    documents.push_back({i < relevant ? 1.0 : 0.0, marks[i] == '1' ? 1.0 : 0.0});
  }
  return documents;
}

struct TieCase {
  std::string_view marks;
  std::size_t relevant;
  double sklearn, expected, worst, best;
};

// Origin: enumeration of all orders and scikit-learn's average_precision_score, to four digits.
TEST(AveragePrecision, AgreesWithTheEnumeratedTieTable) {
  const std::vector<TieCase> cases = {
      {"1100000", 1, .5000, .7500, .5000, 1.0},   {"0100000", 1, .1429, .2655, .1429, .5},
      {"0000000", 1, .1429, .3704, .1429, 1.0},   {"1100000", 3, .8095, .8852, .8095, 1.0},
      {"1111000", 3, .7500, .8403, .6389, 1.0},   {"1111100", 3, .6000, .7283, .4778, 1.0},
      {"1101000", 3, .5873, .7269, .5317, .9167},
  };
  for (const TieCase& c : cases) {
    const Documents documents = marked(c.marks, c.relevant);
    EXPECT_NEAR(*average_precision(documents, TieRule::kSklearn), c.sklearn, 5e-5) << c.marks;
    EXPECT_NEAR(*average_precision(documents, TieRule::kExpected), c.expected, 5e-5) << c.marks;
    EXPECT_NEAR(*average_precision(documents, TieRule::kWorst), c.worst, 5e-5) << c.marks;
    EXPECT_NEAR(*average_precision(documents, TieRule::kBest), c.best, 5e-5) << c.marks;
  }
}

TEST(AveragePrecision, AnAnswerThatSaysNothingEarnsTheChanceLevel) {
  EXPECT_NEAR(*average_precision(marked("0000000", 1)), .3704, 5e-5);
  EXPECT_NEAR(*average_precision(marked("1111111", 3)), .5803, 5e-5);
}

// Ids as converters of old reranking data make them: 'n' sorts after 'a', so trec_eval's rule puts
// the negatives of a tie first, and a constant answer gets the worst value.
TEST(AveragePrecision, TrecEvalGivesAConstantAnswerTheWorstOrder) {
  Documents documents = marked("0000000", 3);
  for (Document& d : documents) d.id = d.grade > 0 ? "apositive" : "negative";
  EXPECT_DOUBLE_EQ(*average_precision(documents, TieRule::kTrec),
                   *average_precision(documents, TieRule::kWorst));
}

TEST(Ranking, AgreesWithScikitLearnAndTrecEvalOnRandomQueries) {
  std::ifstream file("tests/golden/ranking.json");
  ASSERT_TRUE(file) << "run from the repository root";
  const auto golden = nlohmann::json::parse(file);
  for (const auto& c : golden["cases"]) {
    Documents documents;
    for (std::size_t i = 0; i < c["ids"].size(); ++i) {
      documents.push_back(
          {c["grades"][i], c["scores"][i], c["ids"][i].get_ref<const nlohmann::json::string_t&>()});
    }
    EXPECT_NEAR(*average_precision(documents, TieRule::kSklearn), c["sklearn_ap"], 1e-12);
    EXPECT_NEAR(*ndcg(documents, kNoCutoff, TieRule::kSklearn), c["sklearn_ndcg"], 1e-12);
    EXPECT_NEAR(*ndcg(documents, 5, TieRule::kSklearn), c["sklearn_ndcg5"], 1e-12);
    EXPECT_NEAR(*average_precision(documents, TieRule::kTrec), c["trec"]["ap"], 1e-12);
    EXPECT_NEAR(*reciprocal_rank(documents, TieRule::kTrec), c["trec"]["rr"], 1e-12);
    EXPECT_NEAR(*precision_at(documents, 5, TieRule::kTrec), c["trec"]["p5"], 1e-12);
  }
}

TEST(Ndcg, ExponentialGainByHand) {
  const Documents documents = {{0, 3}, {2, 2}, {1, 1}};
  const double value = (3 / std::log2(3) + 1 / std::log2(4)) / (3 + 1 / std::log2(3));
  EXPECT_NEAR(*ndcg(documents, kNoCutoff, TieRule::kExpected, Gain::kExponential), value, 1e-15);
}

TEST(PrecisionAt, PlacesBeyondTheListAreNotRelevant) {
  EXPECT_DOUBLE_EQ(*precision_at(marked("11", 2), 4), 0.5);
}

TEST(ReciprocalRank, IsZeroBelowTheCutoff) {
  const Documents documents = {{0, 3}, {0, 2}, {1, 1}};
  EXPECT_DOUBLE_EQ(*reciprocal_rank(documents, TieRule::kExpected, 2), 0.0);
  EXPECT_DOUBLE_EQ(*reciprocal_rank(documents, TieRule::kExpected, 3), 1.0 / 3);
}

TEST(Ranking, IsUndefinedWithAReason) {
  const auto reason = [](const Documents& documents) {
    return average_precision(documents).error().reason;
  };
  EXPECT_EQ(reason({}), "no document is relevant");
  EXPECT_EQ(reason({{0, 1}, {0, 2}}), "no document is relevant");
  EXPECT_EQ(reason({{1, NAN}}), "a document's score is not a number");
  EXPECT_EQ(reason({{-1, 1}}), "a relevance grade is negative or not finite");
  EXPECT_FALSE(ndcg(marked("10", 1), 0));
  EXPECT_FALSE(precision_at(marked("10", 1), 0));
  EXPECT_FALSE(reciprocal_rank(marked("10", 1), TieRule::kSklearn));
  EXPECT_FALSE(precision_at(marked("10", 1), 1, TieRule::kSklearn));
}

struct Spread {
  double sum = 0, low = 2, high = -1;
  int orders = 0;
};

// The metric in every order that the scores allow, each taken as a list without ties.
template <typename Metric>
Spread enumerate(Documents documents, Metric metric) {
  std::vector<std::size_t> order(documents.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  Spread spread;
  do {
    Documents strict;
    bool allowed = true;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Document& d = documents[order[i]];
      allowed = allowed && (i == 0 || documents[order[i - 1]].score >= d.score);
      strict.push_back({d.grade, -static_cast<double>(i)});
    }
    if (!allowed) continue;
    const double value = metric(strict);
    spread.sum += value;
    spread.low = std::min(spread.low, value);
    spread.high = std::max(spread.high, value);
    ++spread.orders;
  } while (std::next_permutation(order.begin(), order.end()));
  return spread;
}

// Textbook definitions for a list that stands in its order, independent of ranking.cc.
double plain_ap(const Documents& list) {
  double found = 0, sum = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].grade > 0) sum += ++found / static_cast<double>(i + 1);
  }
  return sum / found;
}
double plain_rr(const Documents& list, std::size_t k) {
  for (std::size_t i = 0; i < std::min(k, list.size()); ++i) {
    if (list[i].grade > 0) return 1 / static_cast<double>(i + 1);
  }
  return 0;
}
double plain_precision(const Documents& list, std::size_t k) {
  double found = 0;
  for (std::size_t i = 0; i < std::min(k, list.size()); ++i) found += list[i].grade > 0 ? 1 : 0;
  return found / static_cast<double>(k);
}
double plain_dcg(const Documents& list, std::size_t k) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(k, list.size()); ++i) {
    sum += (std::exp2(list[i].grade) - 1) / std::log2(static_cast<double>(i) + 2);
  }
  return sum;
}
double plain_ndcg(const Documents& list, std::size_t k) {
  Documents ideal = list;
  std::sort(ideal.begin(), ideal.end(), [](auto& a, auto& b) { return a.grade > b.grade; });
  return plain_dcg(list, k) / plain_dcg(ideal, k);
}

template <typename Metric, typename Plain>
void check_against_enumeration(const Documents& documents, Metric metric, Plain plain) {
  const Spread spread = enumerate(documents, plain);
  RC_ASSERT(std::abs(*metric(TieRule::kExpected) - spread.sum / spread.orders) < 1e-12);
  RC_ASSERT(std::abs(*metric(TieRule::kWorst) - spread.low) < 1e-12);
  RC_ASSERT(std::abs(*metric(TieRule::kBest) - spread.high) < 1e-12);
}

RC_GTEST_PROP(Ranking, ExpectationAndExtremesEqualTheEnumerationOfAllOrders, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 8);
  Documents documents;
  for (std::size_t i = 0; i < size; ++i) {
    const double grade = *rc::gen::inRange(0, 3);
    documents.push_back({grade, static_cast<double>(*rc::gen::inRange(0, 3))});
  }
  documents[0].grade += 1;
  const auto k = *rc::gen::inRange<std::size_t>(1, 9);
  check_against_enumeration(
      documents, [&](TieRule rule) { return average_precision(documents, rule); }, plain_ap);
  check_against_enumeration(
      documents, [&](TieRule rule) { return reciprocal_rank(documents, rule, k); },
      [&](const Documents& list) { return plain_rr(list, k); });
  check_against_enumeration(
      documents, [&](TieRule rule) { return precision_at(documents, k, rule); },
      [&](const Documents& list) { return plain_precision(list, k); });
  check_against_enumeration(
      documents, [&](TieRule rule) { return ndcg(documents, k, rule, Gain::kExponential); },
      [&](const Documents& list) { return plain_ndcg(list, k); });
}

}  // namespace
}  // namespace plumb::stats
