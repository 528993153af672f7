// Preference data as training takes them: which comparisons teach something, what their label is,
// and which are kept apart for measuring.
//
//   const PreferenceSplit split = split_by_prompt(data, 0.1, seed);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/rlhf/reward/reward_losses.h"

namespace plumb::rlhf {

// Shares of the votes: "both bad" is a tie. The strength is the mean of those who decided. Nothing
// where both completions are the same, or nobody voted.
std::optional<PairLabel> label_of(const Comparison& comparison);

// Places of comparisons, ascending. Those without a label are in neither.
struct PreferenceSplit {
  std::vector<std::size_t> train, held_out;
};

// Conversations that begin with the same turn are on one side: a prompt never stands on both, nor
// does a later turn of it. Comparisons without a prompt go by their two texts. Beginnings are drawn
// in the order of Stream(seed, "preference-split", 0) until the share of comparisons is held out.
// REQUIRES: 0 <= share < 1.
PreferenceSplit split_by_prompt(const PreferenceData& data, double share, std::uint64_t seed);

// Names the beginning by which split_by_prompt() tells prompts apart, the same in every file: the
// first 16 digits of the SHA-256 of the first turn, or of the two texts where there is no prompt.
std::string prompt_mark(const Comparison& comparison);
// Of all of them, each once, ascending.
std::vector<std::string> prompt_marks(const PreferenceData& data);

// These comparisons alone, without defects.
PreferenceData subset_of(const PreferenceData& data, std::span<const std::size_t> places);

// Every comparison with one vote, by the toss of a coin: what is learnt from it is noise.
PreferenceData with_random_labels(const PreferenceData& data, std::uint64_t seed);

// SHA-256 over all prompts, completions and votes in their order; over prompts alone; over
// completions alone.
struct PreferenceHashes {
  std::string all, prompts, completions;
};
PreferenceHashes hashes_of(const PreferenceData& data);

}  // namespace plumb::rlhf
