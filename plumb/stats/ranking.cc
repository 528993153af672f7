#include "plumb/stats/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace plumb::stats {
namespace {

using Documents = std::vector<Document>;

std::string_view problem(std::span<const Document> documents) {
  bool any_relevant = false;
  for (const Document& document : documents) {
    if (std::isnan(document.score)) return "a document's score is not a number";
    if (!std::isfinite(document.grade) || document.grade < 0) {
      return "a relevance grade is negative or not finite";
    }
    any_relevant = any_relevant || document.grade > 0;
  }
  return any_relevant ? "" : "no document is relevant";
}

template <typename Second>
void sort_by_score_then(Documents& documents, Second second) {
  std::sort(documents.begin(), documents.end(), [&](const Document& a, const Document& b) {
    if (a.score != b.score) return a.score > b.score;
    return second(a, b);
  });
}

// The documents in the order of the rule; the order within a tied block is meaningful only if the
// rule is strict.
Documents ranked(std::span<const Document> documents, TieRule rule) {
  Documents sorted(documents.begin(), documents.end());
  switch (rule) {
    case TieRule::kWorst:
      sort_by_score_then(sorted, [](auto& a, auto& b) { return a.grade < b.grade; });
      break;
    case TieRule::kBest:
      sort_by_score_then(sorted, [](auto& a, auto& b) { return a.grade > b.grade; });
      break;
    case TieRule::kTrec:
      for (Document& document : sorted) document.score = static_cast<float>(document.score);
      sort_by_score_then(sorted, [](auto& a, auto& b) { return a.id > b.id; });
      break;
    default:
      sort_by_score_then(sorted, [](auto& a, auto& b) { return a.grade < b.grade; });
  }
  return sorted;
}

struct Block {
  std::size_t before;    // documents above the block
  std::size_t size;      // documents in the block
  std::size_t relevant;  // relevant documents in the block
};

// Calls body(block) from the top down while it returns true. Under a strict rule every document is
// a block of its own, and the expectation over its single order is the value in that order.
template <typename Body>
void for_each_block(const Documents& sorted, TieRule rule, Body body) {
  const bool ties_stay = rule == TieRule::kExpected || rule == TieRule::kSklearn;
  for (std::size_t begin = 0; begin < sorted.size();) {
    Block block{begin, 0, 0};
    do {
      block.relevant += sorted[begin + block.size].grade > 0 ? 1 : 0;
      ++block.size;
    } while (ties_stay && begin + block.size < sorted.size() &&
             sorted[begin + block.size].score == sorted[begin].score);
    if (!body(block)) return;
    begin += block.size;
  }
}

double real(std::size_t count) { return static_cast<double>(count); }

double expected_precisions(const Block& block, std::size_t relevant_before) {
  if (block.relevant == 0) return 0;
  const double slope = block.size > 1 ? real(block.relevant - 1) / real(block.size - 1) : 0;
  double sum = 0;
  for (std::size_t j = 0; j < block.size; ++j) {
    sum += (real(relevant_before + 1) + real(j) * slope) / real(block.before + j + 1);
  }
  return sum * real(block.relevant) / real(block.size);
}

double block_precisions(const Block& block, std::size_t relevant_before) {
  return real(block.relevant) * real(relevant_before + block.relevant) /
         real(block.before + block.size);
}

double expected_reciprocal(const Block& block, std::size_t cutoff) {
  double none_yet = 1, sum = 0;
  for (std::size_t j = 0; j + block.relevant <= block.size; ++j) {
    if (block.before + j >= cutoff) break;
    const double first_here = none_yet * real(block.relevant) / real(block.size - j);
    sum += first_here / real(block.before + j + 1);
    none_yet -= first_here;
  }
  return sum;
}

double gain_of(const Document& document, Gain gain) {
  return gain == Gain::kLinear ? document.grade : std::exp2(document.grade) - 1;
}

double discount(std::size_t rank_from_zero) { return 1 / std::log2(real(rank_from_zero) + 2); }

double ideal_gain(const Documents& documents, std::size_t cutoff, Gain gain) {
  std::vector<double> gains;
  gains.reserve(documents.size());
  for (const Document& document : documents) gains.push_back(gain_of(document, gain));
  std::sort(gains.begin(), gains.end(), std::greater<>());
  double sum = 0;
  for (std::size_t i = 0; i < std::min(cutoff, gains.size()); ++i) sum += gains[i] * discount(i);
  return sum;
}

double discounted_gain(const Documents& sorted, const Block& block, std::size_t cutoff, Gain gain) {
  double gains = 0, discounts = 0;
  for (std::size_t i = block.before; i < block.before + block.size; ++i) {
    gains += gain_of(sorted[i], gain);
    if (i < cutoff) discounts += discount(i);
  }
  return gains * discounts / real(block.size);
}

}  // namespace

Score average_precision(std::span<const Document> documents, TieRule rule) {
  if (const auto why = problem(documents); !why.empty()) return undefined(why);
  std::size_t relevant = 0;
  double sum = 0;
  for_each_block(ranked(documents, rule), rule, [&](const Block& block) {
    sum += rule == TieRule::kSklearn ? block_precisions(block, relevant)
                                     : expected_precisions(block, relevant);
    relevant += block.relevant;
    return true;
  });
  return sum / real(relevant);
}

Score reciprocal_rank(std::span<const Document> documents, TieRule rule, std::size_t cutoff) {
  if (rule == TieRule::kSklearn) return undefined("scikit-learn has no reciprocal rank");
  if (const auto why = problem(documents); !why.empty()) return undefined(why);
  double value = 0;
  for_each_block(ranked(documents, rule), rule, [&](const Block& block) {
    if (block.relevant == 0) return true;
    value = expected_reciprocal(block, cutoff);
    return false;
  });
  return value;
}

Score ndcg(std::span<const Document> documents, std::size_t cutoff, TieRule rule, Gain gain) {
  if (cutoff == 0) return undefined("the cutoff is 0");
  if (const auto why = problem(documents); !why.empty()) return undefined(why);
  const Documents sorted = ranked(documents, rule);
  double sum = 0;
  for_each_block(sorted, rule, [&](const Block& block) {
    sum += discounted_gain(sorted, block, cutoff, gain);
    return block.before + block.size < cutoff;
  });
  return sum / ideal_gain(sorted, cutoff, gain);
}

Score precision_at(std::span<const Document> documents, std::size_t cutoff, TieRule rule) {
  if (rule == TieRule::kSklearn) return undefined("scikit-learn has no precision at a rank");
  if (cutoff == 0) return undefined("the cutoff is 0");
  if (const auto why = problem(documents); !why.empty()) return undefined(why);
  double found = 0;
  for_each_block(ranked(documents, rule), rule, [&](const Block& block) {
    const std::size_t above = std::min(block.size, cutoff - block.before);
    found += real(above) * real(block.relevant) / real(block.size);
    return block.before + block.size < cutoff;
  });
  return found / real(cutoff);
}

}  // namespace plumb::stats
