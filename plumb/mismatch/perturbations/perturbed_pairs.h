// What a reward model's scores do when completions change that say the same: measured from both
// scores of each pair, as they are and as a perturbation changes them.
//
//   {"perturbation":"suffix:closing","kind":"suffix","prompt":"p1","chosen":1.2,"rejected":-0.3,
//    "chosen_changed":1.5,"rejected_changed":0.4}
//
//   PLUMB_TRY(perturbations, read_perturbed_pairs("perturbations.jsonl"));
//   for (const PerturbationResult& one : measure_perturbations(perturbations, {})) one.shift;
//
// A reward of one completion at a time orders any three completions without a circle, and knows no
// order of the two of a pair: what remains to be asked of it is ties (see TieShares).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/mismatch/links/rows.h"
#include "plumb/mismatch/perturbations/perturbation_texts.h"
#include "plumb/stats/bootstrap.h"
#include "plumb/stats/intervals.h"

namespace plumb::mismatch {

struct PerturbedPair {
  std::uint32_t prompt;             // numbered from 0 without gaps, of all perturbations alike
  double chosen = 0, rejected = 0;  // scores; chosen: the better side, as people or a check say
  std::optional<double> chosen_changed = {}, rejected_changed = {};  // nothing: the text stays
};

struct PerturbedPairs {
  std::string perturbation, kind, meaning;
  std::vector<PerturbedPair> pairs;  // all pairs, changed or not
};

struct PerturbationOptions {
  stats::BootstrapOptions sampling = {.resamples = 1000};
  double accuracy = 0.05;  // a difference of accuracy from a half that does not matter
  double margin = 0.1;     // a difference of scores, in deviations, that is near a tie
};

struct PerturbationResult {
  std::string perturbation, kind, meaning;
  std::size_t changed = 0;  // texts
  // The mean change of the score of changed texts, in deviations within prompts.
  stats::BootstrapResult shift = {stats::undefined(""), stats::undefined(""), 0, 0};
  double shift_deviation = 0;  // of the draws
  // Of pairs that were no tie, shares with Wilson's interval and the design effect of prompts, an
  // equal score half. turned: both sides changed where they can be, the order is another.
  // overtaken: the side that scored less changed alone, and scores more than the other.
  struct Share {
    std::size_t n = 0;  // pairs that the perturbation changes
    std::optional<stats::ClusteredShare> share = {};
  };
  Share turned = {}, overtaken = {};
  // Pairs ordered right where the worse side changed alone, and of the same pairs before.
  Share ordered = {}, ordered_before = {};
  LinkRow row = {};  // of `ordered`, with its verdict against a half
};

// Scores of both sides of all pairs less the mean of their prompt: the square root of the sum of
// squares over scores less prompts. 0: all alike.
double within_prompt_deviation(const std::vector<PerturbedPair>& pairs);

// Verdicts: aligned where pairs stay ordered right although the worse side is dressed up, inverted
// where most are then ordered wrong (the phrase is worth more than being right), decoupled at a
// half; the p-values of all perturbations are one family (links/rows.h).
std::vector<PerturbationResult> measure_perturbations(
    const std::vector<PerturbedPairs>& perturbations, const PerturbationOptions& options);

// Pairs of equal scores, and of scores within the margin of each other.
struct TieShares {
  std::optional<stats::ClusteredShare> equal = {}, near = {};
  std::size_t pairs = 0;
};
TieShares tie_shares(const std::vector<PerturbedPair>& pairs, const PerturbationOptions& options);

// Of each perturbation, for the table of links: the shift, and pairs ordered right.
std::vector<LinkRow> perturbation_rows(const std::vector<PerturbedPairs>& perturbations,
                                       const PerturbationOptions& options);

// A line a pair and perturbation, as above; prompts are named by these texts.
std::string perturbation_lines(const std::vector<PerturbedPairs>& perturbations,
                               const std::vector<std::string>& prompts);

// kNotFound; kBadInput with file and line: a score or the perturbation's name is missing.
Result<std::vector<PerturbedPairs>> read_perturbed_pairs(const std::filesystem::path& file);

}  // namespace plumb::mismatch
