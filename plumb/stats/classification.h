// Classification metrics, from one table that counts each label of the gold against each label of
// the answers. Labels are ids 0 .. k - 1.
//
// The conventions are scikit-learn's (1.2, zero_division=0): the classes are the labels that occur
// in the gold or in the answers; a class that was never answered has precision 0, and one without
// gold items has recall 0.
//
//   auto table = confusion(gold, answers);             // Undefined: no items, unequal lengths
//   if (table) { accuracy(*table); macro_average(*table).f1; }
#pragma once

#include <span>
#include <vector>

#include "plumb/stats/score.h"

namespace plumb::stats {

struct Confusion {
  std::vector<int> labels;     // [L] ascending, those that occur in gold or answers
  std::vector<double> counts;  // [L, L] items with gold label row and answered label column
  double total = 0;

  double at(std::size_t gold, std::size_t answer) const {
    return counts[gold * labels.size() + answer];
  }
};

// gold, answers: [n]. weights: empty, or [n] how much each pair counts, not negative: how often an
// item was drawn, or the share of an answer that is spread over several labels; a pair of weight 0
// does not occur. Undefined if no pair occurs, the lengths differ or a label is negative.
tl::expected<Confusion, Undefined> confusion(std::span<const int> gold,
                                             std::span<const int> answers,
                                             std::span<const double> weights = {});

// All below are in [0, 1] and defined for every table that confusion() returns.
double accuracy(const Confusion& table);

struct ClassScores {
  double precision;  // right answers among the answers of this label
  double recall;     // right answers among the gold items of this label
  double f1;         // harmonic mean of the two, 0 if both are 0
};

// [L], in the order of table.labels.
std::vector<ClassScores> per_class(const Confusion& table);

// Means over the classes. F1 is the mean of the classes' F1, not the F1 of the means.
ClassScores macro_average(const Confusion& table);     // every class counts the same
ClassScores weighted_average(const Confusion& table);  // by the number of gold items

}  // namespace plumb::stats
