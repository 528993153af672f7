#include "plumb/rlhf/policy/self_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "plumb/base/random.h"
#include "plumb/rlhf/kl.h"
#include "plumb/stats/sums.h"

namespace plumb::rlhf {
namespace {

auto broken(const std::string& what) {
  return fail(ErrorKind::kInternal, "self-test of the policy training: " + what);
}

// Weights moved by a share of their tensor's deviation; small enough that a perturbed policy still
// writes what the reference could.
nn::Transformer perturbed(const nn::Transformer& model, std::uint64_t seed) {
  constexpr double kShare = 0.05;
  nn::Transformer copy = copy_of(model);
  Stream stream(seed, "self-test", 0);
  for (const nn::Parameter& parameter : copy.layout().parameters) {
    const auto values = copy.values().subspan(parameter.offset, parameter.size);
    double squares = 0;
    for (const float value : values)
      squares += static_cast<double>(value) * static_cast<double>(value);
    const double scale = kShare * std::sqrt(3 * squares / static_cast<double>(values.size()));
    for (float& value : values) value += static_cast<float>(scale * (2 * stream.uniform() - 1));
  }
  return copy;
}

double largest_gap(const Rollout& rollout) {
  double gap = 0;
  for (std::size_t at = 0; at < rollout.generated.size(); ++at) {
    gap = std::max(gap, std::abs(rollout.generated[at] - rollout.scores.log_probs[at]));
  }
  return gap;
}

std::vector<double> sums(const Rollout& rollout, double (Rollout::*of)(std::size_t) const) {
  std::vector<double> values;
  for (std::size_t i = 0; i < rollout.size(); ++i) values.push_back((rollout.*of)(i));
  return values;
}

Result<void> check_identity(const Rollout& rollout, Scorer& scorer) {
  const TokenScores& scores = rollout.scores;
  const double kl = std::accumulate(scores.kl.begin(), scores.kl.end(), 0.0);
  if (kl != 0 || scores.log_probs != scores.reference) {
    return broken(fmt::format("a policy beside itself is {:.3g} nats from itself, not 0", kl));
  }
  std::vector<double> once(scores.log_probs.size()), again(once.size());
  for (auto* array : {&once, &again}) {
    for (std::size_t part = 0; part < rollout.batch.parts(); ++part) {
      scorer.log_probs(rollout.batch, part, *array);
    }
  }
  if (once != again || once != scores.log_probs) {
    return broken(
        "scoring the same completions twice gives other log-probabilities: the ratio of "
        "a first update would not be 1");
  }
  return {};
}

// The model's own completions, whose log-probabilities average to minus its entropy.
Result<void> check_sampler(const Rollout& rollout) {
  std::vector<double> log_probs = sums(rollout, &Rollout::log_prob), entropies;
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    const auto row = rollout.batch.row(std::span(rollout.scores.entropy), i);
    entropies.push_back(-std::accumulate(row.begin(), row.end(), 0.0));
  }
  if (check_kl(log_probs, entropies)) return {};
  return broken(fmt::format(
      "what was drawn has a mean log-probability of {:.4f} nats a completion where minus the "
      "entropy is {:.4f}: the sampler does not draw from the distribution that is scored "
      "(temperature, top-k or top-p)",
      stats::mean(log_probs), stats::mean(entropies)));
}

}  // namespace

Result<SelfTest> self_test(const lm::LanguageModel& model, std::span<const Prompt> prompts,
                           const SelfTestOptions& options) {
  constexpr double kGeneratorGap = 1e-3;
  std::vector<const Prompt*> drawn;
  for (std::size_t i = 0; i < options.completions; ++i)
    drawn.push_back(&prompts[i % prompts.size()]);
  const Drawing how{.group = 1,
                    .max_tokens = options.max_tokens,
                    .seed = Stream(options.seed, "self-test", 1).next(),
                    .temperature = options.temperature,
                    .threads = options.threads};
  SelfTest result{.completions = drawn.size()};
  {
    Scorer itself(model.transformer, model.transformer, options.threads);
    PLUMB_TRY(rollout, draw(model, nn::Generator(model.transformer), itself, drawn, how));
    if (auto sound = check_identity(rollout, itself); !sound) return tl::unexpected(sound.error());
    result.generator_gap = largest_gap(rollout);
    if (!(result.generator_gap <= kGeneratorGap)) {
      return broken(fmt::format("the generator and the scorer differ by {:.3g} nats on a token",
                                result.generator_gap));
    }
    if (auto sound = check_sampler(rollout); !sound) return tl::unexpected(sound.error());
  }
  const nn::Transformer other = perturbed(model.transformer, options.seed);
  Scorer beside(other, model.transformer, options.threads);
  PLUMB_TRY(rollout, draw(model, nn::Generator(other), beside, drawn, how));
  std::vector<double> k1_sums, exact_sums = sums(rollout, &Rollout::kl);
  for (std::size_t i = 0; i < rollout.size(); ++i) {
    k1_sums.push_back(rollout.log_prob(i) - rollout.reference(i));
  }
  result.perturbed_kl = stats::mean(exact_sums);
  result.perturbed_k1 = stats::mean(k1_sums);
  if (auto sound = check_kl(k1_sums, exact_sums); !sound) {
    return broken("of a perturbed policy " + sound.error().message);
  }
  return result;
}

}  // namespace plumb::rlhf
