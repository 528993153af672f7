#include "plumb/rlhf/advantages.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace plumb::rlhf {
namespace {

double sum_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double standard_deviation(std::span<const double> values, double mean, Variance variance) {
  const auto n = static_cast<double>(values.size());
  const double divisor = variance == Variance::kSample ? n - 1 : n;
  if (divisor <= 0) return 0;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / divisor);
}

}  // namespace

double penalised_reward(double score, std::span<const double> log_ratios, double beta) {
  return score - beta * sum_of(log_ratios);
}

void token_rewards(double score, std::span<const double> log_ratios, double beta,
                   std::span<double> rewards) {
  assert(rewards.size() == log_ratios.size());
  std::ranges::transform(log_ratios, rewards.begin(), [beta](double l) { return -beta * l; });
  if (!rewards.empty()) rewards.back() += score;
}

void leave_one_out(std::span<const double> rewards, std::size_t group,
                   std::span<double> advantages) {
  assert(group >= 2 && rewards.size() % group == 0 && advantages.size() == rewards.size());
  for (std::size_t begin = 0; begin < rewards.size(); begin += group) {
    const double sum = sum_of(rewards.subspan(begin, group));
    for (std::size_t i = begin; i < begin + group; ++i) {
      advantages[i] = rewards[i] - (sum - rewards[i]) / static_cast<double>(group - 1);
    }
  }
}

void group_normalised(std::span<const double> rewards, std::size_t group,
                      const GroupNormalisation& how, std::span<double> advantages) {
  assert(group >= 1 && rewards.size() % group == 0 && advantages.size() == rewards.size());
  for (std::size_t begin = 0; begin < rewards.size(); begin += group) {
    const auto members = rewards.subspan(begin, group);
    const double mean = sum_of(members) / static_cast<double>(group);
    const double scale =
        how.divide ? standard_deviation(members, mean, how.variance) + how.epsilon : 1;
    for (std::size_t i = 0; i < group; ++i) {
      const double above = members[i] - mean;
      advantages[begin + i] = above == 0 ? 0 : above / scale;
    }
  }
}

void generalised_advantages(std::span<const double> rewards, std::span<const double> values,
                            double gamma, double lambda, std::span<double> advantages,
                            std::span<double> returns) {
  assert(values.size() == rewards.size() && advantages.size() == rewards.size());
  assert(returns.empty() || returns.size() == rewards.size());
  double next_value = 0, next_advantage = 0;
  for (std::size_t t = rewards.size(); t-- > 0;) {
    const double delta = rewards[t] + gamma * next_value - values[t];
    advantages[t] = delta + gamma * lambda * next_advantage;
    next_value = values[t];
    next_advantage = advantages[t];
    if (!returns.empty()) returns[t] = advantages[t] + values[t];
  }
}

void whiten(std::span<double> values, std::span<const std::uint8_t> mask, const Whitening& how) {
  assert(values.size() == mask.size());
  double n = 0, sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (mask[i] == 0) {
      values[i] = 0;
      continue;
    }
    sum += values[i];
    ++n;
  }
  if (n < 2) return;
  const double mean = sum / n;
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (mask[i] != 0) squares += (values[i] - mean) * (values[i] - mean);
  }
  const double variance = squares / (how.variance == Variance::kSample ? n - 1 : n);
  const double scale = 1 / std::sqrt(variance + how.epsilon);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (mask[i] != 0) values[i] = (values[i] - mean) * scale + (how.keep_mean ? mean : 0);
  }
}

}  // namespace plumb::rlhf
