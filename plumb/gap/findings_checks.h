// The checks behind findings.h: what they look at, and one function a check. A check returns
// nothing where the figures lack what it needs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plumb/gap/findings.h"
#include "plumb/gap/gap.h"

namespace plumb::gap {

// The human's published entry, each annotator's, and the board.
struct Evidence {
  const Figures& figures;
  const Board& board;
  std::vector<const Entry*> human_revisions;  // aggregates, as published
  std::vector<const Entry*> annotators;
  const Competitor* human;      // the board's row; it has every subset
  std::vector<SubsetGap> gaps;  // against the best model

  std::size_t subsets() const { return board.subsets.size(); }
  bool is_type(std::size_t s, tasks::TaskType type) const { return board.subsets[s].type == type; }
  const Cell* cell(std::size_t s) const { return human->cells[s]; }
  double human_score(std::size_t s) const { return 100 * *human->scores[s]; }
  const std::vector<double>& annotator_scores(std::size_t s) const {
    return board.people[s].annotators;
  }
};

using Check = std::optional<Finding> (*)(const Evidence&);

inline constexpr double kSame = 1e-9;

double mean(const std::vector<double>& values);  // 0 of none

// The label of a subset without the suite's prefix: "STS22/ar".
std::string short_label(const BoardSubset& subset);

// How "the human" was made (findings_people.cc).
std::optional<Finding> alphabetical_ties(const Evidence& evidence);
std::optional<Finding> human_rules(const Evidence& evidence);
std::optional<Finding> tied_blocks(const Evidence& evidence);
std::optional<Finding> below_singletons(const Evidence& evidence);
std::optional<Finding> lexical_baseline(const Evidence& evidence);
std::optional<Finding> two_people(const Evidence& evidence);
std::optional<Finding> strange_clusters(const Evidence& evidence);

// How far people agree (findings_agreement.cc).
std::optional<Finding> interpretations(const Evidence& evidence);
std::optional<Finding> kendall_twice(const Evidence& evidence);
std::optional<Finding> dropped_comparisons(const Evidence& evidence);
std::optional<Finding> unknown_agreement(const Evidence& evidence);
std::optional<Finding> disagreeing_experts(const Evidence& evidence);
std::optional<Finding> whole_counts(const Evidence& evidence);

// What the records say of themselves (findings_records.cc).
std::optional<Finding> subset_names(const Evidence& evidence);
std::optional<Finding> constant_provenance(const Evidence& evidence);
std::optional<Finding> experiment_order(const Evidence& evidence);
std::optional<Finding> mixed_pipelines(const Evidence& evidence);
std::optional<Finding> single_seed(const Evidence& evidence);
std::optional<Finding> draw_spread(const Evidence& evidence);
std::optional<Finding> nonstandard_json(const Evidence& evidence);

// What the paper claims (findings_claims.cc).
std::optional<Finding> two_weightings(const Evidence& evidence);
std::optional<Finding> outside_interval(const Evidence& evidence);
std::optional<Finding> human_wins(const Evidence& evidence);
std::optional<Finding> highest_cells(const Evidence& evidence);

}  // namespace plumb::gap
