// One meter for every optimiser: how far the policy is from its reference, what it earns, and what
// its completions look like, each a mean over completions with an interval over prompts.
//
//   const Meters meters = measure(rollout, {});
//   meters.find("kl")->value;
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/rlhf/policy/rollout.h"
#include "plumb/stats/score.h"

namespace plumb::rlhf {

struct Meter {
  std::string_view name;
  double value = 0;
  std::optional<stats::Interval> ci = {};  // nothing where there is one prompt
};

// The meters, by name:
//   proxy, gold   where there are such rewards
//   kl            the exact divergence from the reference, summed over tokens, nats
//   k1, k2, k3    its estimates from the tokens that were drawn, summed likewise (kl.h)
//   length        tokens, the end among them
//   ended         share that ended by itself
//   entropy       nats a token
//   repetition    share of a completion's runs of three tokens that stood in it before
//   duplicates    share that was also written for another of the prompts, word for word
//   refusals      share that opens like a refusal, typographic apostrophes folded (refusal.h)
struct Meters {
  std::size_t prompts = 0, completions = 0, tokens = 0;
  std::vector<Meter> rows;

  const Meter* find(std::string_view name) const;  // nullptr: not measured
  double value(std::string_view name) const;       // REQUIRES: measured
};

// Intervals are Student's over the means of prompts, of repetition cut to [0, 1] and, where all
// means are alike, what their number allows (stats::bounded_mean_interval); of shares, Wilson's
// with the design effect of prompts (stats/intervals.h).
Meters measure(const Rollout& rollout, double level = 0.95);

// {"prompts", "completions", "tokens", "<meter>", "<meter>_ci", ...}
Json meters_json(const Meters& meters);

// The share of runs of three tokens that stood before. 0 for fewer than four tokens.
double repetition(std::span<const TokenId> tokens);

// Of a mean of values of which those of one prompt, `group` beside each other, are alike. Nothing
// with fewer than two prompts.
std::optional<stats::Interval> clustered_mean_interval(std::span<const double> values,
                                                       std::size_t group, double level);

}  // namespace plumb::rlhf
