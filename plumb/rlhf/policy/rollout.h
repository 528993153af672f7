// Completions that a policy drew for prompts, with all that is known about them: tokens, texts,
// log-probabilities under the policy and its reference, the exact divergence a token, rewards.
//
// Drawn at temperature 1 from the whole vocabulary, for that is the distribution which the
// log-probabilities and the divergence are of. Completion i depends on the weights, its prompt, the
// seed and first_index + i alone. The prompts must outlive the rollout.
//
//   const Drawing how{.group = 8, .max_tokens = 48, .seed = seed, .first_index = step * 128};
//   PLUMB_TRY(rollout, draw(model, generator, scorer, prompts, how));
//   if (auto scored = reward_rollout(rollout, &proxy, gold, threads); !scored) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/nn/generator.h"
#include "plumb/rlhf/policy/prompts.h"
#include "plumb/rlhf/policy/sequences.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/samples.h"

namespace plumb::rlhf {

struct Drawing {
  std::size_t group = 4;  // completions a prompt, beside each other
  std::size_t max_tokens = 64;
  std::uint64_t seed = 0;
  std::uint64_t first_index = 0;
  std::size_t parts = 1;     // of the batch (SequenceBatch)
  float temperature = 1.0F;  // of the sampler; any other is found out by the self-test
  int threads = 0;
  Progress progress = {};
};

struct Rollout {
  std::size_t group = 1;
  std::vector<const Prompt*> prompts;  // [B / group]
  SequenceBatch batch;                 // [B, T]
  std::vector<std::string> texts;      // [B] completions, without the token that ends them
  std::vector<std::uint8_t> ended;     // [B] by itself, not by a limit
  std::vector<double> generated;       // [B, T] log-probabilities as the generator computed them
  TokenScores scores;                  // [B, T]
  std::vector<double> proxy, gold;     // [B]; empty where there is none

  std::size_t size() const { return texts.size(); }
  const Prompt& prompt(std::size_t i) const { return *prompts[i / group]; }

  // Sums over the tokens of a completion.
  double kl(std::size_t i) const;
  double log_prob(std::size_t i) const;
  double reference(std::size_t i) const;
  // log pi - log ref of its tokens.
  std::vector<double> log_ratios(std::size_t i) const;
};

// The generator must hold the weights of the scorer's policy. kBadInput: tokens that the tokenizer
// cannot decode. REQUIRES: prompts not empty, group and max_tokens at least 1.
Result<Rollout> draw(const lm::LanguageModel& model, const nn::Generator& generator, Scorer& scorer,
                     std::span<const Prompt* const> prompts, const Drawing& how);

// Fills in proxy and, where it is given, gold. kBadInput: a reward that is not finite.
Result<void> reward_rollout(Rollout& rollout, Reward* proxy, Reward* gold, int threads);

// As records (samples.h); `step`: updates of the policy before they were drawn.
std::vector<Sample> samples_of(const Rollout& rollout, std::size_t step);

// Without the token that ends it. kBadInput: tokens that the tokenizer cannot decode.
Result<std::string> completion_text(const lm::LanguageModel& model,
                                    const nn::Completion& completion);

std::vector<const Prompt*> pointers(std::span<const Prompt> prompts);

}  // namespace plumb::rlhf
