#include "plumb/mismatch/population/head_attack.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <numeric>

#include "plumb/base/parallel.h"
#include "plumb/nn/pass.h"
#include "plumb/rlhf/reward/reward_losses.h"

namespace plumb::mismatch {
namespace {

double product(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add_scaled(std::span<const double> from, double by, std::span<double> to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += by * from[i];
}

std::size_t prompts_of(const HeadProblem& problem) { return problem.gold.size() / problem.group; }

double deviation_of(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / n);
}

// The root of the mean variance of the start's scores within a prompt.
double score_deviation(const HeadProblem& problem) {
  double squares = 0;
  for (std::size_t p = 0; p < prompts_of(problem); ++p) {
    std::vector<double> scores(problem.group);
    for (std::size_t j = 0; j < problem.group; ++j) {
      const std::size_t row = (p * problem.group + j) * problem.width;
      scores[j] = product(std::span(problem.features).subspan(row, problem.width), problem.head);
    }
    const double deviation = deviation_of(scores);
    squares += deviation * deviation;
  }
  return std::sqrt(squares / static_cast<double>(prompts_of(problem)));
}

// One step of Adam from a gradient.
class Descent {
 public:
  explicit Descent(std::size_t width) : first_(width), second_(width) {}

  void step(std::span<const double> gradient, double rate, std::span<double> values) {
    constexpr double kBeta1 = 0.9, kBeta2 = 0.99, kEpsilon = 1e-12;
    ++steps_;
    const double n = static_cast<double>(steps_);
    for (std::size_t i = 0; i < values.size(); ++i) {
      first_[i] = kBeta1 * first_[i] + (1 - kBeta1) * gradient[i];
      second_[i] = kBeta2 * second_[i] + (1 - kBeta2) * gradient[i] * gradient[i];
      const double mean = first_[i] / (1 - std::pow(kBeta1, n));
      const double square = second_[i] / (1 - std::pow(kBeta2, n));
      values[i] -= rate * mean / (std::sqrt(square) + kEpsilon);
    }
  }

 private:
  std::vector<double> first_, second_;
  std::size_t steps_ = 0;
};

}  // namespace

double head_loss(const HeadProblem& problem, std::span<const double> head,
                 std::span<double> gradient) {
  const std::size_t pairs = problem.differences.size() / problem.width;
  double sum = 0;
  for (std::size_t i = 0; i < pairs; ++i) {
    const auto d = std::span(problem.differences).subspan(i * problem.width, problem.width);
    const rlhf::Slope loss = rlhf::bradley_terry(product(d, head));
    sum += loss.value;
    add_scaled(d, loss.slope / static_cast<double>(pairs), gradient);
  }
  return sum / static_cast<double>(pairs);
}

// d gold / d w = k sum_j p_j (gold_j - expected gold) x_j.
double soft_gold(const HeadProblem& problem, std::span<const double> head, double sharpness,
                 std::span<double> gradient) {
  const std::size_t prompts = prompts_of(problem);
  std::vector<double> share(problem.group);
  double sum = 0;
  for (std::size_t p = 0; p < prompts; ++p) {
    const auto row = [&](std::size_t j) {
      return std::span(problem.features)
          .subspan((p * problem.group + j) * problem.width, problem.width);
    };
    const auto gold = std::span(problem.gold).subspan(p * problem.group, problem.group);
    for (std::size_t j = 0; j < problem.group; ++j) share[j] = sharpness * product(row(j), head);
    const double most = std::ranges::max(share);
    double whole = 0;
    for (double& one : share) whole += one = std::exp(one - most);
    for (double& one : share) one /= whole;
    const double expected = product(share, gold);
    sum += expected;
    for (std::size_t j = 0; j < problem.group; ++j) {
      const double slope = sharpness * share[j] * (gold[j] - expected);
      add_scaled(row(j), slope / static_cast<double>(prompts), gradient);
    }
  }
  return sum / static_cast<double>(prompts);
}

RuinedHead ruin_head(const HeadProblem& problem, const HeadAttackOptions& options) {
  assert(!problem.differences.empty() && !problem.gold.empty());
  const double spread = std::max(deviation_of(problem.gold), 1e-12);
  const double sharpness = options.sharpness / std::max(score_deviation(problem), 1e-12);
  std::vector<double> head = problem.head, gradient(head.size()), loss_gradient(head.size());
  RuinedHead ruined{.head = head};
  ruined.loss = ruined.loss_before = head_loss(problem, head, loss_gradient);
  ruined.gold = ruined.gold_before = soft_gold(problem, head, sharpness, gradient);
  const double size = std::sqrt(product(head, head) / static_cast<double>(head.size()));
  Descent descent(head.size());
  for (std::size_t step = 0; step < options.steps; ++step) {
    std::ranges::fill(gradient, 0.0);
    std::ranges::fill(loss_gradient, 0.0);
    const double loss = head_loss(problem, head, loss_gradient);
    const double gold = soft_gold(problem, head, sharpness, gradient);
    if (loss <= ruined.loss_before + options.tolerance && gold < ruined.gold) {
      ruined.head = head;
      ruined.loss = loss;
      ruined.gold = gold;
    }
    for (double& one : gradient) one /= spread;
    if (loss > ruined.loss_before + options.tolerance / 2) {
      add_scaled(loss_gradient, options.weight, gradient);
    }
    const double left = 1 - static_cast<double>(step) / static_cast<double>(options.steps);
    descent.step(gradient, 0.05 * left * size, head);
  }
  return ruined;
}

Result<std::vector<double>> head_features(const rlhf::RewardModel& model,
                                          std::span<const rlhf::Completed> texts, int threads) {
  const nn::TransformerConfig& config = model.transformer().config();
  std::vector<rlhf::EncodedText> encoded;
  std::size_t longest = 1;
  for (const rlhf::Completed& text : texts) {
    PLUMB_TRY(one, rlhf::encode_completed(text, model.tokenizer(), model.frame(), config.context));
    longest = std::max(longest, one.tokens.size());
    encoded.push_back(std::move(one));
  }
  std::vector<double> features(texts.size() * config.width);
  const auto wanted = static_cast<std::size_t>(threads > 0 ? threads : default_threads());
  const std::size_t workers = std::min(wanted, std::max<std::size_t>(texts.size(), 1));
  std::atomic<std::size_t> next{0};
  parallel_for(workers, 1, static_cast<int>(workers), [&](std::size_t, std::size_t) {
    nn::Pass pass(model.transformer(), longest, nn::PassKind::kInference);
    for (std::size_t i = next++; i < encoded.size(); i = next++) {
      const auto& tokens = encoded[i].tokens;
      const std::uint32_t starts[] = {0, static_cast<std::uint32_t>(tokens.size())};
      pass.forward({tokens, starts});
      const auto last = pass.hidden().subspan((tokens.size() - 1) * config.width, config.width);
      std::ranges::copy(last, features.begin() + static_cast<std::ptrdiff_t>(i * config.width));
    }
  });
  return features;
}

}  // namespace plumb::mismatch
