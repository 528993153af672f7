// Ranking metrics of one query: average precision, reciprocal rank, nDCG@k and precision@k, exact
// where documents share a score.
//
// A score that several documents share leaves their order open: they are a tied block, and the
// value of a metric depends on how the block is laid out. People who mark documents as relevant or
// not give almost nothing but ties, so a convention here decides whole comparisons. The default is
// the expectation over all orders of every block, each equally likely (McSherry and Najork 2008,
// "Computing information retrieval performance measures efficiently in the presence of tied
// scores"); then an answer that says nothing earns exactly the chance level. The extremes over the
// orders and the conventions of scikit-learn and trec_eval are named modes.
//
//   std::vector<Document> documents = {{1, 0.9}, {0, 0.9}, {0, 0.1}};   // {grade, score}
//   Score ap = average_precision(documents);                            // (1 + 1/2) / 2
//   Score worst = average_precision(documents, TieRule::kWorst);        // 1/2
//
// All functions: a document is relevant if its grade is above 0. They are Undefined if no document
// is relevant, a score is NaN, a grade is negative or not finite, or the rule does not know the
// metric. Time O(n log n). Values lie in [0, 1].
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include "plumb/stats/score.h"

namespace plumb::stats {

struct Document {
  double grade;              // relevance, 0 = not relevant
  double score;              // what the rater gave; higher ranks first
  std::string_view id = {};  // read by TieRule::kTrec alone
};

// What happens to documents of equal score.
enum class TieRule {
  kExpected,  // the mean over all orders
  kWorst,     // the least value over all orders
  kBest,      // the greatest value over all orders
  kSklearn,   // average_precision_score: a block enters as a whole; ndcg_score: the mean; the other
              // two metrics do not exist there
  kTrec,      // trec_eval: equal in single precision, then by id, the greatest first
};

enum class Gain {
  kLinear,       // the grade
  kExponential,  // 2^grade - 1
};

inline constexpr std::size_t kNoCutoff = std::numeric_limits<std::size_t>::max();

// The mean over the relevant documents of the precision at their rank.
//
// The expectation: let a block of m documents, r of them relevant, follow s documents, R of them
// relevant. Place j of the block (1 .. m) holds a relevant document with probability r/m, and given
// that, each of the j - 1 places before it holds one with probability (r - 1)/(m - 1). Precision is
// linear in the number of relevant documents so far, so the block adds
//   r/m * sum_j (R + 1 + (j - 1)(r - 1)/(m - 1)) / (s + j)
// to the sum of precisions (McSherry and Najork 2008, section 3.2).
// kSklearn: every relevant document of the block has the precision at the block's end,
//   r * (R + r) / (s + m).
Score average_precision(std::span<const Document> documents, TieRule rule = TieRule::kExpected);

// 1 / rank of the first relevant document, 0 if that rank is greater than `cutoff`.
// The expectation: in the first block that holds a relevant document, place j is the first relevant
// one with probability P(J > j - 1) * r / (m - j + 1).
Score reciprocal_rank(std::span<const Document> documents, TieRule rule = TieRule::kExpected,
                      std::size_t cutoff = kNoCutoff);

// Discounted cumulative gain of the first `cutoff` documents, with discount 1 / log2(rank + 1),
// over that of the best order (Jarvelin and Kekalainen 2002, with Burges's discount).
// The expectation: every place of a block has the block's mean gain.
Score ndcg(std::span<const Document> documents, std::size_t cutoff = kNoCutoff,
           TieRule rule = TieRule::kExpected, Gain gain = Gain::kLinear);

// The share of relevant documents among the first `cutoff` places; places beyond the list count as
// not relevant, as in trec_eval. Undefined for cutoff 0.
// The expectation: the c places of a block above the cutoff hold c * r/m relevant documents.
Score precision_at(std::span<const Document> documents, std::size_t cutoff,
                   TieRule rule = TieRule::kExpected);

}  // namespace plumb::stats
