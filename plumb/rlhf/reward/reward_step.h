// What a step of a reward model's training is made of: groups of texts in tokens, the way of a loss
// through the network, and the number that a model of ties learns beside it. Used by
// reward_train.cc, and by tests that hold the gradient against differences.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/nn/pass.h"
#include "plumb/rlhf/reward/compared_texts.h"
#include "plumb/rlhf/reward/reward_losses.h"
#include "plumb/rlhf/reward/reward_model.h"

namespace plumb::rlhf {

// Groups in tokens.
struct EncodedGroups {
  std::vector<EncodedText> texts;
  TextGroups groups;
  std::vector<std::array<std::size_t, 2>> places;      // [comparisons] of both texts
  std::size_t tokens = 0, truncated = 0, longest = 0;  // longest: of all texts of a group together

  std::size_t size() const { return groups.size(); }
  std::span<const EncodedText> of(std::size_t group) const;
  std::size_t tokens_of(std::size_t group) const;
};

// kBadInput: a text that the tokenizer refuses, with its place.
Result<EncodedGroups> encode_groups(const ComparedTexts& compared, const RewardModel& model);

// What a manifest and a model's card say of a loss.
Json loss_json(const RewardLossOptions& loss, Learnt learnt);

// The mean over labels; 0 without any.
double share_of_ties(std::span<const PairLabel> labels);

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

// Sums over groups.
struct StepSums {
  double loss = 0, tie_slope = 0;
  RightVotes votes = {};

  StepSums& operator+=(const StepSums& other);
};

// All texts of some groups through the network in one forward and back again: adds the gradient of
// (sum of their losses) / batch. texts: those of the groups. REQUIRES: they fit the pass, which is
// one of `model`.
StepSums add_group_gradient(nn::Pass& pass, const nn::Transformer& model,
                            std::span<const EncodedText> texts, const GroupView& groups,
                            const RewardLossOptions& loss, std::size_t batch,
                            std::span<float> gradient);

}  // namespace plumb::rlhf
