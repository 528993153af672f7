#include "plumb/rlhf/policy_losses.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "plumb/rlhf/kl.h"
#include "plumb/rlhf/reward/reward_losses.h"

namespace plumb::rlhf {
namespace {

// -min(r A, clip(r) A) at log r, and its derivative by log r.
struct Surrogate {
  double value;
  double slope;
  bool clipped;
};

Surrogate surrogate(double log_ratio, double advantage, double low, double high) {
  const double ratio = std::exp(log_ratio);
  const double plain = -advantage * ratio;
  const double bounded = -advantage * std::clamp(ratio, 1 - low, 1 + high);
  if (bounded > plain) return {bounded, 0, true};
  return {plain, plain, false};
}

// Calls body(b, at) for every real token, at = b * T + t, in their order.
template <typename Body>
void each_token(const TokenMask& mask, Body body) {
  for (std::size_t at = 0; at < mask.real.size(); ++at) {
    if (mask.real[at] != 0) body(at / mask.tokens, at);
  }
}

double share(double part, double whole) { return whole == 0 ? 0 : part / whole; }

void check([[maybe_unused]] const TokenMask& mask, [[maybe_unused]] std::span<const double> values,
           std::span<double> gradient) {
  assert(mask.real.size() == mask.sequences * mask.tokens);
  assert(values.size() == mask.real.size() && gradient.size() == mask.real.size());
  std::ranges::fill(gradient, 0);
}

// What a token of each completion weighs in the loss.
double token_weight(const TokenMask& mask, std::size_t sequence, TokenMean mean, double total) {
  const auto sequences = static_cast<double>(mask.sequences);
  if (mean == TokenMean::kToken) return 1 / total;
  if (mean == TokenMean::kConstant) return 1 / (sequences * static_cast<double>(mask.tokens));
  return 1 / (sequences * static_cast<double>(mask.length(sequence)));
}

}  // namespace

std::size_t TokenMask::length(std::size_t sequence) const {
  const auto row = real.subspan(sequence * tokens, tokens);
  return static_cast<std::size_t>(std::ranges::count_if(row, [](auto one) { return one != 0; }));
}

std::size_t TokenMask::total() const {
  return static_cast<std::size_t>(std::ranges::count_if(real, [](auto one) { return one != 0; }));
}

PolicyLoss reinforce_loss(const TokenMask& mask, std::span<const double> log_probs,
                          std::span<const double> advantages, std::span<double> gradient) {
  check(mask, log_probs, gradient);
  PolicyLoss loss;
  const double each = share(1, static_cast<double>(mask.sequences));
  each_token(mask, [&](std::size_t b, std::size_t at) {
    loss.value -= each * advantages[b] * log_probs[at];
    gradient[at] = -each * advantages[b];
  });
  return loss;
}

PolicyLoss rloo_loss(const TokenMask& mask, std::span<const double> log_probs,
                     std::span<const double> old_log_probs, std::span<const double> advantages,
                     double clip, std::span<double> gradient) {
  check(mask, log_probs, gradient);
  PolicyLoss loss;
  const double each = share(1, static_cast<double>(mask.sequences));
  for (std::size_t b = 0; b < mask.sequences; ++b) {
    double log_ratio = 0;
    for (std::size_t at = b * mask.tokens; at < (b + 1) * mask.tokens; ++at) {
      if (mask.real[at] != 0) log_ratio += log_probs[at] - old_log_probs[at];
    }
    const Surrogate term = surrogate(log_ratio, advantages[b], clip, clip);
    loss.value += each * term.value;
    loss.clipped += term.clipped ? each : 0;
    for (std::size_t at = b * mask.tokens; at < (b + 1) * mask.tokens; ++at) {
      if (mask.real[at] != 0) gradient[at] = each * term.slope;
    }
  }
  return loss;
}

PolicyLoss grpo_loss(const TokenMask& mask, std::span<const double> log_probs,
                     std::span<const double> old_log_probs, std::span<const double> reference,
                     std::span<const double> advantages, const GrpoOptions& options,
                     std::span<double> gradient) {
  check(mask, log_probs, gradient);
  assert(options.beta == 0 || reference.size() == log_probs.size());
  PolicyLoss loss;
  const auto total = static_cast<double>(mask.total());
  std::size_t sequence = mask.sequences;
  double weight = 0;
  each_token(mask, [&](std::size_t b, std::size_t at) {
    if (b != sequence) weight = token_weight(mask, sequence = b, options.mean, total);
    const Surrogate term = surrogate(log_probs[at] - old_log_probs[at], advantages[b],
                                     options.clip_low, options.clip_high);
    loss.value += weight * term.value;
    loss.clipped += term.clipped ? 1 / total : 0;
    gradient[at] = weight * term.slope;
    if (reference.empty()) return;
    const Slope penalty = k3(log_probs[at] - reference[at]);
    loss.penalty += penalty.value / total;
    loss.value += weight * options.beta * penalty.value;
    gradient[at] += weight * options.beta * penalty.slope;
  });
  return loss;
}

PolicyLoss ppo_loss(const TokenMask& mask, std::span<const double> log_probs,
                    std::span<const double> old_log_probs, std::span<const double> advantages,
                    double clip, std::span<double> gradient) {
  check(mask, log_probs, gradient);
  PolicyLoss loss;
  const double each = share(1, static_cast<double>(mask.total()));
  each_token(mask, [&](std::size_t, std::size_t at) {
    const Surrogate term = surrogate(log_probs[at] - old_log_probs[at], advantages[at], clip, clip);
    loss.value += each * term.value;
    loss.clipped += term.clipped ? each : 0;
    gradient[at] = each * term.slope;
  });
  return loss;
}

PolicyLoss value_loss(const TokenMask& mask, std::span<const double> values,
                      std::span<const double> old_values, std::span<const double> returns,
                      double clip, double weight, std::span<double> gradient) {
  check(mask, values, gradient);
  PolicyLoss loss;
  const double each = share(1, static_cast<double>(mask.total()));
  each_token(mask, [&](std::size_t, std::size_t at) {
    const double plain = values[at] - returns[at];
    const double near =
        std::clamp(values[at], old_values[at] - clip, old_values[at] + clip) - returns[at];
    const bool clipped = near * near > plain * plain;
    loss.value += each * weight / 2 * (clipped ? near * near : plain * plain);
    loss.clipped += clipped ? each : 0;
    gradient[at] = clipped ? 0 : each * weight * plain;
  });
  return loss;
}

namespace {

// The loss as a function of h, or of the difference of log-ratios for IPO.
Slope dpo_term(double difference, const DpoOptions& options) {
  const double h = options.beta * difference;
  const auto by_difference = [&](const Slope& term) {
    return Slope{term.value, options.beta * term.slope};
  };
  switch (options.kind) {
    case DpoKind::kSigmoid:
      return by_difference(bradley_terry(h));
    case DpoKind::kConservative:
      return by_difference(smoothed(h, options.flip_rate));
    case DpoKind::kRobust:
      return by_difference(noise_robust(h, options.flip_rate));
    case DpoKind::kHinge:
      return h < 1 ? Slope{1 - h, -options.beta} : Slope{0, 0};
    default:
      break;
  }
  const double above = difference - 1 / (2 * options.beta);
  return {above * above, 2 * above};
}

}  // namespace

DpoLoss dpo_loss(const DpoPair& pair, const DpoOptions& options) {
  const double chosen = pair.chosen - pair.reference_chosen;
  const double rejected = pair.rejected - pair.reference_rejected;
  const bool per_token = options.kind == DpoKind::kIpoPerToken;
  const double chosen_scale = per_token ? 1 / static_cast<double>(pair.chosen_tokens) : 1;
  const double rejected_scale = per_token ? 1 / static_cast<double>(pair.rejected_tokens) : 1;
  const Slope term = dpo_term(chosen_scale * chosen - rejected_scale * rejected, options);
  return {term.value, term.slope * chosen_scale, -term.slope * rejected_scale,
          options.beta * chosen, options.beta * rejected};
}

}  // namespace plumb::rlhf
