// On-policy reweighting (Lambert et al. 2020, section 5, for reward models): the comparisons that
// the policy would meet count for more. A policy is optimised for half of the steps, the
// comparisons are drawn anew, each with a chance proportional to
//
//   w = exp(clip(mean over both completions of (log pi - log ref), +-log 10))
//
// and a new reward model learns from them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "plumb/rlhf/preferences/preference_data.h"

namespace plumb::mismatch {

// Weights of comparisons from log-ratios of their completions; 1 where one is not known.
double comparison_weight(std::optional<double> first, std::optional<double> second);

// (sum w)^2 / sum w^2: how many equally weighted comparisons say as much (Kish 1965).
double effective_size(std::span<const double> weights);

// As many places as there are weights, with replacement, by systematic resampling with
// Stream(seed, "on-policy", 0): place i occurs within one of its expected number of times.
// Ascending.
std::vector<std::size_t> resampled_places(std::span<const double> weights, std::uint64_t seed);

}  // namespace plumb::mismatch
