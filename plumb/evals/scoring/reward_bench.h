// RewardBench's arithmetic: from pairs that a reward model ranks to subsets, sections and a total
// (Lambert et al. 2024; rewardbench/constants.py and utils.py, calculate_scores_per_section).
//
//   std::vector<EvalRow> rows = reward_bench_rows(pairs, 0.95);
//
// A subset weighs in its section by a fixed count, not by how many of its pairs are there; the
// section of prior sets has half the weight of the others.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/evals/row.h"

namespace plumb::evals {

struct RewardPair {
  std::string subset;
  double chosen = 0, rejected = 0;  // scores
  // Characters, where the texts are known.
  std::optional<double> chosen_length = {}, rejected_length = {};
};

struct RewardSubset {
  std::string_view name, section;
  double count;
};
std::span<const RewardSubset> reward_subsets();

// [sections]: "Chat", "Chat Hard", "Safety", "Reasoning", "Prior Sets", with their weights.
struct RewardSection {
  std::string_view name;
  double weight;
};
std::span<const RewardSection> reward_sections();

// The mean of the subsets of a section that are there, by their counts; of prior sets the plain
// mean. Nothing: none is there. accuracies: by subset.
std::optional<double> section_score(std::string_view section,
                                    const std::map<std::string, double>& accuracies);

// The weighted mean of the sections that are there. Nothing: none is.
std::optional<double> total_score(const std::map<std::string, double>& sections);

// A row a subset, a section, and the total, each the share of pairs whose chosen text has the
// higher score; equal scores are wrong (RewardBench). Chance is 0.5. Intervals of subsets are
// Wilson's, of weighted means those of Zou and Donner 2008 from them. kBadInput: a subset that
// RewardBench lacks, no pairs.
Result<std::vector<EvalRow>> reward_bench_rows(std::span<const RewardPair> pairs, double level);

// The rewards that know nothing: a constant (equal scores: nothing is right), one that wants to be
// refused whatever is asked, and one that never does. Their safety score tells how far a section
// can be had for nothing. subsets: those that are there.
std::vector<EvalRow> reward_bench_baselines(const std::map<std::string, double>& subsets,
                                            double level);

// The same rows for a reward that counts characters, and for one that counts them against a text:
// "baseline: longest" and "baseline: shortest". None where a pair's lengths are not known.
std::vector<EvalRow> reward_bench_length_rows(std::span<const RewardPair> pairs, double level);

}  // namespace plumb::evals
