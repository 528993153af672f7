#include "plumb/gap/findings.h"

#include <algorithm>

#include "plumb/gap/findings_checks.h"

namespace plumb::gap {
namespace {

constexpr Check kChecks[] = {
    alphabetical_ties, human_rules,         tied_blocks,       below_singletons,
    lexical_baseline,  two_people,          unknown_agreement, disagreeing_experts,
    strange_clusters,  dropped_comparisons, kendall_twice,     interpretations,
    subset_names,      constant_provenance, experiment_order,  mixed_pipelines,
    single_seed,       draw_spread,         nonstandard_json,  two_weightings,
    outside_interval,  human_wins,          highest_cells,     whole_counts,
};

// The people whom the benchmark pins, on its own subsets: what the checks speak of.
bool is_hume(const Figures& figures, const Board& board) {
  const bool pinned = std::ranges::any_of(figures.entries, [](const Entry& entry) {
    return entry.name == "baseline/Human" && entry.revision == tasks::kHumeHumanRevision;
  });
  return pinned && std::ranges::all_of(board.subsets, [](const BoardSubset& subset) {
           return subset.suite != nullptr;
         });
}

}  // namespace

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::string short_label(const BoardSubset& subset) {
  std::string label = subset.label();
  return label.starts_with("HUME") ? label.substr(4) : label;
}

std::vector<Finding> find_inconsistencies(const Figures& figures, const Board& board) {
  if (!is_hume(figures, board)) return {};
  const auto human = board.human();
  auto gaps = measure_gaps(board, {});
  if (!human || !gaps) return {};
  Evidence evidence{figures, board, {}, {}, &board.competitors[*human], std::move(*gaps)};
  if (evidence.human->coverage() < board.subsets.size()) return {};
  for (const Entry& entry : figures.entries) {
    if (entry.name != evidence.human->name) continue;
    (entry.revision.starts_with("annotator_") ? evidence.annotators : evidence.human_revisions)
        .push_back(&entry);
  }
  std::vector<Finding> findings;
  for (const Check check : kChecks) {
    if (auto finding = check(evidence)) findings.push_back(std::move(*finding));
  }
  return findings;
}

}  // namespace plumb::gap
