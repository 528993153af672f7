#include "plumb/rlhf/reward/reward_losses.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace plumb::rlhf {
namespace {

// log(e^(2x) - 1) and its derivative. REQUIRES: x > 0.
Slope log_expm1_twice(double x) {
  return {2 * x + std::log(-std::expm1(-2 * x)), -2 / std::expm1(-2 * x)};
}

TieSlope scaled(const TieSlope& term, double by) {
  return {by * term.value, by * term.slope, by * term.tie_slope};
}

TieSlope sum(const TieSlope& a, const TieSlope& b) {
  return {a.value + b.value, a.slope + b.slope, a.tie_slope + b.tie_slope};
}

TieSlope one_outcome(double delta, PairOutcome outcome, const RewardLossOptions& options) {
  if (options.ties == TieHandling::kRaoKupper) {
    return rao_kupper(delta, options.log_tie_parameter, outcome);
  }
  if (options.ties == TieHandling::kDavidson) {
    return davidson(delta, options.log_tie_parameter, outcome);
  }
  const double share = outcome == PairOutcome::kWin ? 1 : outcome == PairOutcome::kLoss ? 0 : 0.5;
  const Slope slope = soft_label(delta, share);
  return {slope.value, slope.slope, 0};
}

// The expectation over the label's shares. Outcomes of no share are left out, so that an impossible
// one costs nothing.
TieSlope labelled(double delta, const PairLabel& label, const RewardLossOptions& options) {
  const double margin = options.margin * label.strength;
  TieSlope total{0, 0, 0};
  const auto add = [&](double share, double at, PairOutcome outcome) {
    if (share != 0) total = sum(total, scaled(one_outcome(at, outcome, options), share));
  };
  add(label.win, delta - margin, PairOutcome::kWin);
  add(label.tie, delta, PairOutcome::kTie);
  add(label.loss, delta + margin, PairOutcome::kLoss);
  return total;
}

PairLabel flipped(const PairLabel& label) {
  return {label.loss, label.tie, label.win, label.strength};
}

TieSlope corrected(double delta, const PairLabel& label, const RewardLossOptions& options) {
  const TieSlope as_labelled = labelled(delta, label, options);
  if (options.label_smoothing == 0 && options.flip_rate == 0) return as_labelled;
  const TieSlope other = labelled(delta, flipped(label), options);
  const double e = options.flip_rate;
  if (e > 0) {
    return sum(scaled(as_labelled, (1 - e) / (1 - 2 * e)), scaled(other, -e / (1 - 2 * e)));
  }
  return sum(scaled(as_labelled, 1 - options.label_smoothing),
             scaled(other, options.label_smoothing));
}

}  // namespace

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double sigmoid(double x) {
  const double small = std::exp(-std::abs(x));
  return (x >= 0 ? 1 : small) / (1 + small);
}

Slope bradley_terry(double delta, double margin) {
  return {softplus(margin - delta), -sigmoid(margin - delta)};
}

Slope soft_label(double delta, double share) {
  assert(0 <= share && share <= 1);
  return {share * softplus(-delta) + (1 - share) * softplus(delta), sigmoid(delta) - share};
}

Slope smoothed(double delta, double e) { return soft_label(delta, 1 - e); }

Slope noise_robust(double delta, double e) {
  assert(0 <= e && e < 0.5);
  const double scale = 1 / (1 - 2 * e);
  return {scale * ((1 - e) * softplus(-delta) - e * softplus(delta)),
          -scale * ((1 - e) * sigmoid(-delta) + e * sigmoid(delta))};
}

TieSlope rao_kupper(double delta, double log_theta, PairOutcome outcome) {
  assert(log_theta >= 0);
  const double lose = log_theta - delta, win = log_theta + delta;
  const TieSlope won{softplus(lose), -sigmoid(lose), sigmoid(lose)};
  const TieSlope lost{softplus(win), sigmoid(win), sigmoid(win)};
  if (outcome == PairOutcome::kWin) return won;
  if (outcome == PairOutcome::kLoss) return lost;
  assert(log_theta > 0);
  // P(tie) = (theta^2 - 1) P(win) P(loss).
  const Slope prefactor = log_expm1_twice(log_theta);
  TieSlope tied = sum(won, lost);
  tied.value -= prefactor.value;
  tied.tie_slope -= prefactor.slope;
  return tied;
}

TieSlope davidson(double delta, double log_nu, PairOutcome outcome) {
  const double half = delta / 2;
  const double top = std::max(std::abs(half), log_nu);
  const double win = std::exp(half - top), loss = std::exp(-half - top),
               tie = std::exp(log_nu - top);
  const double total = win + loss + tie;
  TieSlope term{top + std::log(total), (win - loss) / (2 * total), tie / total};
  if (outcome == PairOutcome::kTie) {
    term.value -= log_nu;
    term.tie_slope -= 1;
  } else {
    const double sign = outcome == PairOutcome::kWin ? 1 : -1;
    term.value -= sign * half;
    term.slope -= sign / 2;
  }
  return term;
}

BothSlopes centre_term(double first, double second, double c) {
  const double total = first + second;
  return {c * total * total, 2 * c * total, 2 * c * total};
}

BothSlopes decay_term(double first, double second, double c) {
  return {c / 2 * (first * first + second * second), c * first, c * second};
}

double plackett_luce(std::span<const double> scores, std::span<double> gradient) {
  assert(gradient.size() == scores.size());
  if (scores.empty()) return 0;
  // log sum_{j >= k} e^{s_j}, from the last to the first.
  std::vector<double> rest(scores.size());
  double log_sum = scores.back();
  for (std::size_t k = scores.size(); k-- > 0;) {
    if (k + 1 < scores.size()) {
      log_sum = std::max(log_sum, scores[k]) + std::log1p(std::exp(-std::abs(log_sum - scores[k])));
    }
    rest[k] = log_sum;
  }
  double value = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    value += rest[k] - scores[k];
    gradient[k] = -1;
    for (std::size_t i = 0; i <= k; ++i) gradient[k] += std::exp(scores[k] - rest[i]);
  }
  return value;
}

double best_of_several(std::span<const double> scores, std::size_t best,
                       std::span<double> gradient) {
  assert(best < scores.size() && gradient.size() == scores.size());
  const double top = std::ranges::max(scores);
  double total = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    gradient[k] = std::exp(scores[k] - top);
    total += gradient[k];
  }
  for (double& share : gradient) share /= total;
  gradient[best] -= 1;
  return top + std::log(total) - scores[best];
}

RewardLoss reward_loss(std::span<const double> first, std::span<const double> second,
                       std::span<const PairLabel> labels, const RewardLossOptions& options,
                       std::span<double> first_gradient, std::span<double> second_gradient) {
  const std::size_t pairs = labels.size();
  assert(pairs > 0 && first.size() == pairs && second.size() == pairs);
  assert(first_gradient.size() == pairs && second_gradient.size() == pairs);
  const double each = 1 / static_cast<double>(pairs);
  RewardLoss loss{0, 0};
  for (std::size_t i = 0; i < pairs; ++i) {
    const TieSlope term = corrected(first[i] - second[i], labels[i], options);
    const BothSlopes centre = centre_term(first[i], second[i], options.centre);
    const BothSlopes decay = decay_term(first[i], second[i], options.decay);
    loss.value += each * (term.value + centre.value + decay.value);
    loss.tie_slope += each * term.tie_slope;
    first_gradient[i] = each * (term.slope + centre.first + decay.first);
    second_gradient[i] = each * (-term.slope + centre.second + decay.second);
  }
  return loss;
}

}  // namespace plumb::rlhf
