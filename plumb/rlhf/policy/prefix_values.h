// What a beginning leads to: a network whose scalar after each token of a completion is the score
// that the finished completion is expected to have where the base model writes on.
//
// It regresses the scores of completions that the base model drew on every beginning of them, the
// prompt alone and the whole among them: mean over beginnings of (V - score)^2 / 2 (Yang and Klein
// 2021; Mudgal et al. 2024, section 3.1, "CD-FUDGE"), whose minimum is that expectation. It begins
// as the base model with a head of zeros.
//
//   const PrefixValues values = learn_prefix_values(base, sequences, scores, {.epochs = 4});
//   nn::GuidedGenerator generator(base, values.model);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/nn/transformer.h"
#include "plumb/rlhf/policy/sequences.h"

namespace plumb::rlhf {

struct PrefixValueOptions {
  std::size_t epochs = 4;
  std::size_t batch = 32;  // completions of a step
  float rate = 3e-4F;      // of the first step; falls to 0 along a line
  std::uint64_t seed = 0;  // epoch e is in the order of Stream(seed, "prefix-values", e)
  int threads = 0;         // never changes a result
  Progress progress = {};  // steps
};

struct PrefixValues {
  nn::Transformer model;
  double loss = 0;  // of the last epoch: (V - score)^2 / 2
};

// REQUIRES: sequences of the base's tokens, each with a completion and at most as many tokens as
// the context; scores [sequences].
PrefixValues learn_prefix_values(const nn::Transformer& base, std::span<const Sequence> sequences,
                                 std::span<const double> scores, const PrefixValueOptions& options);

// Over all epochs.
double trained_tokens(std::span<const Sequence> sequences, const PrefixValueOptions& options);

}  // namespace plumb::rlhf
