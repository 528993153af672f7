// Losses of policies as functions of the log-probabilities of sampled tokens, with their gradients.
// A network that yields the log-probabilities takes the gradient from here.
//
// Arrays of tokens are [B, T] row-major. The mask says which are real tokens of the completion, the
// end of text among them; what stands elsewhere is never read, not even as a factor of 0, and its
// gradient is 0. Means are over real tokens or over completions, as each function says. Gradients
// are overwritten. REQUIRES everywhere: spans of the shape that is stated.
//
//   TokenMask mask{.sequences = 8, .tokens = 48, .real = real};
//   PolicyLoss loss = grpo_loss(mask, log_probs, old, reference, advantages, {}, gradient);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace plumb::rlhf {

struct TokenMask {
  std::size_t sequences = 0, tokens = 0;  // B, T
  std::span<const std::uint8_t> real;     // [B, T], 0 = padding

  std::size_t length(std::size_t sequence) const;  // real tokens of one completion
  std::size_t total() const;
};

struct PolicyLoss {
  double value = 0;
  double clipped = 0;  // share of the terms whose gradient the clip took away
  double penalty = 0;  // mean k3 over real tokens, where there is a reference
};

// -mean_i A_i sum_t log pi(y_it): a completion is one action (Williams 1992). advantages: [B].
PolicyLoss reinforce_loss(const TokenMask& mask, std::span<const double> log_probs,
                          std::span<const double> advantages, std::span<double> gradient);

// RLOO as TRL computes it: -mean_i min(r A, clip(r, 1 - e, 1 + e) A) with the ratio r of a whole
// completion, exp(sum_t log pi - log old). On the policy that sampled, the ratio is exactly 1 and
// the gradient that of reinforce_loss. advantages: [B], see leave_one_out. clip: e; above 0.
PolicyLoss rloo_loss(const TokenMask& mask, std::span<const double> log_probs,
                     std::span<const double> old_log_probs, std::span<const double> advantages,
                     double clip, std::span<double> gradient);

enum class TokenMean {
  kCompletion,  // mean over the tokens of each, then over completions: GRPO as published; favours
                // long completions where A < 0
  kToken,       // over all real tokens of the batch: DAPO
  kConstant,    // sum / (B T): Dr. GRPO
};

struct GrpoOptions {
  double clip_low = 0.2, clip_high = 0.2;
  double beta = 0;  // of k3 against the reference
  TokenMean mean = TokenMean::kCompletion;
};

// Mean of -min(r A, clip(r) A) + beta k3, r the ratio of a token (Shao et al. 2024, eq. 3).
// reference: [B, T], or empty where beta is 0. advantages: [B], see group_normalised.
PolicyLoss grpo_loss(const TokenMask& mask, std::span<const double> log_probs,
                     std::span<const double> old_log_probs, std::span<const double> reference,
                     std::span<const double> advantages, const GrpoOptions& options,
                     std::span<double> gradient);

// Mean over real tokens of max(-r A, -clip(r, 1 - e, 1 + e) A) (Schulman et al. 2017, eq. 7).
// advantages: [B, T].
PolicyLoss ppo_loss(const TokenMask& mask, std::span<const double> log_probs,
                    std::span<const double> old_log_probs, std::span<const double> advantages,
                    double clip, std::span<double> gradient);

// weight / 2 times the mean over real tokens of max((V - R)^2, (clip(V, old - e, old + e) - R)^2).
// returns: [B, T]; gradient by V.
PolicyLoss value_loss(const TokenMask& mask, std::span<const double> values,
                      std::span<const double> old_values, std::span<const double> returns,
                      double clip, double weight, std::span<double> gradient);

// Direct preference optimisation (Rafailov et al. 2023): log-probabilities of whole completions.
struct DpoPair {
  double chosen = 0, rejected = 0;                      // under the policy
  double reference_chosen = 0, reference_rejected = 0;  // under the reference
  std::size_t chosen_tokens = 1, rejected_tokens = 1;
};

enum class DpoKind {
  kSigmoid,       // -log sigmoid(h)
  kConservative,  // labels flipped with chance e: -(1 - e) log sigmoid(h) - e log sigmoid(-h)
  kRobust,        // unbiased under flips of chance e (Chowdhury et al. 2024)
  kHinge,         // max(0, 1 - h) (SLiC: Zhao et al. 2023)
  kIpo,           // (d - 1 / (2 beta))^2, d of summed log-ratios (Azar et al. 2024)
  kIpoPerToken,   // the same of log-ratios per token: the authors' correction, and TRL's
};

struct DpoOptions {
  DpoKind kind = DpoKind::kSigmoid;
  double beta = 0.1;
  double flip_rate = 0;  // e
};

struct DpoLoss {
  double value;
  double chosen, rejected;                // derivatives by pair.chosen, pair.rejected
  double chosen_reward, rejected_reward;  // beta (log pi - log ref): the implicit rewards
};

// h = beta [(log pi - log ref)(chosen) - (log pi - log ref)(rejected)].
DpoLoss dpo_loss(const DpoPair& pair, const DpoOptions& options);

}  // namespace plumb::rlhf
