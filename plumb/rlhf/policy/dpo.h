// Direct preference optimisation (Rafailov et al. 2023): no reward and no completions of the
// policy's own, only pairs of which one was preferred. The log-ratio to the reference is the
// reward:
//
//   r(y) = beta (log pi(y) - log ref(y))
//   loss = mean over pairs of -log sigmoid(r(chosen) - r(rejected))
//
// and, by option, the losses of IPO, SLiC (hinge), conservative and robust DPO (policy_losses.h).
// What is meant to be learnt can go down for both completions of a pair, so both log-ratios are
// shown apart.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/rlhf/policy/learner.h"
#include "plumb/rlhf/policy/prompts.h"
#include "plumb/rlhf/policy_losses.h"
#include "plumb/rlhf/preferences/preference_data.h"

namespace plumb::rlhf {

struct PreferencePair {
  Sequence chosen, rejected;  // the end token last, where the model has one

  bool operator==(const PreferencePair&) const = default;
};

struct PairCounts {
  std::size_t undecided = 0;  // as many votes for either
  std::size_t equal = 0;      // both completions the same tokens
  std::size_t empty = 0;      // a completion without text
  std::size_t too_long = 0;   // beyond the model's context
};

struct PreferencePairs {
  std::vector<PreferencePair> pairs;  // in the order of the data
  PairCounts left_out;
  std::string hash;  // of the tokens of the pairs
};

// The completion with more votes is the chosen one. A prompt and its completion are encoded as one
// text; the prompt ends where the tokens of both completions and of the prompt alone part.
// kBadInput: a text that the tokenizer refuses, with its place; no pair is left.
Result<PreferencePairs> encode_pairs(const PreferenceData& data, const lm::LanguageModel& model);

// One step on these pairs. more: "accuracy" (share whose chosen one has the higher implicit reward,
// equal ones half), "margin" (mean difference of implicit rewards), "chosen_log_ratio",
// "rejected_log_ratio", "chosen_kl", "rejected_kl" (means, nats; the exact divergence along texts
// that the policy did not draw: that of its own is the meters', at evaluations). REQUIRES: pairs
// not empty.
Update dpo_update(std::span<const PreferencePair* const> pairs, float rate,
                  const DpoOptions& options, Learner& learner);

}  // namespace plumb::rlhf
