// Which items lie behind a gap: where annotators disagree, where people and good models agree
// against the gold, where the one succeeds and the other fails; and what is taken for what.
//
//   PLUMB_TRY(comparison, compare_raters(task, sheets, {}));
//   const ItemDiagnostics found = diagnose_items(task, sheets, comparison);
//   for (const std::size_t i : found.likely_gold_errors) print(task.items[i].id);
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/gap/item_gap.h"

namespace plumb::gap {

struct ItemDiagnosis {
  // How far people differ: the share of pairs of annotators that do; of ratings, grades and scores
  // the mean distance of two annotators' ranks, as a share of the longest. Nothing below two.
  std::optional<double> disagreement;
  // How close people and good models come to the gold, 0 to 1: the share that is right; of ratings
  // 1 - the distance of the ranks; of rankings average precision; of partitions the item's B-cubed
  // F1. Nothing where nobody answered.
  std::optional<double> people, models;
  // What people and good models say alike where the gold says otherwise: a label, a choice, the
  // gold group of the items they put it with, the document they rank first; of ratings +1 (the gold
  // is too low) or -1.
  std::optional<double> against_gold;
};

// What one rater took for what: counts[gold][answer], shares of ties counted as shares.
struct Confusion {
  std::string name;
  std::vector<std::vector<double>> counts;  // [labels][labels]
};

struct ItemDiagnostics {
  std::vector<std::string> good_models;  // that beat every trivial answer
  std::vector<ItemDiagnosis> items;      // [items]
  // Places in the task, the clearest case first; of equal ones the earlier item.
  std::vector<std::size_t> disagreements;  // any; of ratings and rankings 1/4 and more
  std::vector<std::size_t> likely_gold_errors;
  std::vector<std::size_t> people_ahead;  // people are closer to the gold by 1/2 and more
  std::vector<std::size_t> models_ahead;
  std::vector<Confusion> confusions;  // classification: people together, then each good model
};

// sheets, comparison: what compare_raters() was given and returned.
ItemDiagnostics diagnose_items(const tasks::Task& task, std::span<const tasks::AnswerSheet> sheets,
                               const ItemComparison& comparison);

}  // namespace plumb::gap
