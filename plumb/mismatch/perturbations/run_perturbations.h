// Perturbations of a reward on preferences: completions are changed and scored again.
//
//   PLUMB_TRY(perturbed, perturb(*reward, data, built_in_perturbations(), {}));
//   measure_perturbations(perturbed.perturbations, {});
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/mismatch/perturbations/perturbed_pairs.h"
#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/rlhf/reward/reward.h"

namespace plumb::mismatch {

struct RunPerturbationsOptions {
  std::size_t pairs = 0;  // at most, drawn by Stream(seed, "reward perturbation", 0); 0: all
  std::uint64_t seed = 0;
  int threads = 0;
  Progress progress = {};  // over perturbations
};

struct PerturbedReward {
  std::vector<PerturbedPairs> perturbations;
  std::vector<std::string> prompts;              // by number
  std::size_t pairs = 0;                         // that somebody decided and whose texts differ
  std::vector<PerturbedPair> unchanged() const;  // of the first perturbation, for ties
};

// What changes is the last turn of each completion. Pairs of equal texts, or for neither side of
// which there are more votes, are left out. kBadInput: no pair is left; errors of the reward.
// REQUIRES: a perturbation or more.
Result<PerturbedReward> perturb(rlhf::Reward& reward, const rlhf::PreferenceData& data,
                                const std::vector<Perturbation>& perturbations,
                                const RunPerturbationsOptions& options);

// Paraphrases that somebody wrote, as perturbations: {"completion","paraphrase"}, "perturbation"
// names one where there are several. A completion is found by its last turn, without the blanks
// around it.
// kNotFound; kBadInput with file and line: a field that is missing, two paraphrases of
// one text under one name.
Result<std::vector<Perturbation>> read_paraphrases(const std::filesystem::path& file);

}  // namespace plumb::mismatch
