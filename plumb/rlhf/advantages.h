// From rewards of completions to what a policy gradient multiplies: returns with their KL penalty,
// and advantages. Pure functions; each says which variance it divides by, for the libraries differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace plumb::rlhf {

enum class Variance {
  kSample,      // divides by n - 1: torch.std, and so TRL and OpenRLHF
  kPopulation,  // divides by n: NumPy's and TensorFlow's
};

// The reward of a completion as one action: score - beta * sum l, where l = log pi - log ref of its
// tokens. Moving away from the reference is never rewarded.
double penalised_reward(double score, std::span<const double> log_ratios, double beta);

// The same as a reward a token: -beta l_t, and the score at the last token. rewards: as long as
// log_ratios, which hold the real tokens alone; overwritten. A completion without tokens has none.
void token_rewards(double score, std::span<const double> log_ratios, double beta,
                   std::span<double> rewards);

// Advantages of completions in groups of `group`, those of one prompt beside each other.
// REQUIRES: rewards.size() is a multiple of group; advantages is as long.

// R_i less the mean of the others of its group (RLOO: Kool et al. 2019, Ahmadian et al. 2024).
// REQUIRES: group >= 2.
void leave_one_out(std::span<const double> rewards, std::size_t group,
                   std::span<double> advantages);

struct GroupNormalisation {
  Variance variance = Variance::kSample;
  double epsilon = 1e-4;  // added to the standard deviation: TRL; OpenRLHF adds 1e-9
  bool divide = true;     // false: only the mean is taken off (Liu et al. 2025, "Dr. GRPO")
};

// (R_i - mean) / (standard deviation + epsilon) in its group (GRPO: Shao et al. 2024). A group of
// equal rewards has advantages 0.
void group_normalised(std::span<const double> rewards, std::size_t group,
                      const GroupNormalisation& how, std::span<double> advantages);

// delta_t = R_t + gamma V_{t+1} - V_t, A_t = delta_t + gamma lambda A_{t+1}, V beyond the end 0
// (Schulman et al. 2016). The spans hold the real tokens of one completion; returns, A + V, may be
// empty. REQUIRES: spans of one length.
void generalised_advantages(std::span<const double> rewards, std::span<const double> values,
                            double gamma, double lambda, std::span<double> advantages,
                            std::span<double> returns);

struct Whitening {
  Variance variance = Variance::kSample;
  bool keep_mean = false;  // rewards are whitened so, advantages about 0
  double epsilon = 1e-8;   // added to the variance
};

// (x - mean) / sqrt(variance + epsilon) over the entries whose mask is not 0; the others become 0.
// Fewer than two entries stay as they are. REQUIRES: spans of one length.
void whiten(std::span<double> values, std::span<const std::uint8_t> mask, const Whitening& how);

}  // namespace plumb::rlhf
