// What a step of a reward model's training is made of: comparisons in tokens, the way of a loss
// through the network, and the number that a model of ties learns beside it. Used by
// reward_train.cc, and by tests that hold the gradient against differences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/nn/pass.h"
#include "plumb/rlhf/reward_losses.h"
#include "plumb/rlhf/reward_model.h"

namespace plumb::rlhf {

// Comparisons in tokens: texts 2 i and 2 i + 1 are those of comparison i.
struct EncodedPairs {
  std::vector<EncodedText> texts;
  std::vector<PairLabel> labels;
  std::size_t tokens = 0, truncated = 0, longest = 0;  // longest: of both texts together

  std::size_t size() const { return labels.size(); }
};

// REQUIRES: every comparison has a label (preference_split.h). kBadInput: a text that the tokenizer
// refuses, with its place.
Result<EncodedPairs> encode_pairs(const PreferenceData& data, const RewardModel& model);

// The number of a model of ties under training. At the start P(tie) is the share of ties in the
// data where both completions are equally good.
class TieParameter {
 public:
  TieParameter(TieHandling ties, double share_of_ties, double given);

  // log theta, above 0; log nu; 0 where ties are half wins.
  double value() const;
  void step(double slope, double share_of_rate, std::size_t number);  // number: from 1

  std::string text() const;  // all that it takes to go on
  Result<void> read(const std::string& text);

 private:
  TieHandling ties_;
  double raw_ = 0, first_ = 0, second_ = 0;  // theta = exp(log(1 + exp(raw))), nu = exp(raw)
};

// Sums over comparisons.
struct PairStep {
  double loss = 0, tie_slope = 0;
  double right = 0, decided = 0;  // votes for the higher score, ties half; comparisons with a vote

  PairStep& operator+=(const PairStep& other);
  // One comparison whose first text is ahead by this difference of scores.
  void count(double difference, const PairLabel& label);
};

// Both texts of each comparison through the network in one forward and back again: adds the
// gradient of (sum of their losses) / batch. texts: [2 * labels]. REQUIRES: they fit the pass,
// which is one of `model`.
PairStep add_pair_gradient(nn::Pass& pass, const nn::Transformer& model,
                           std::span<const EncodedText> texts, std::span<const PairLabel> labels,
                           const RewardLossOptions& loss, std::size_t batch,
                           std::span<float> gradient);

}  // namespace plumb::rlhf
