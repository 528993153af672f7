// A reward model as a rater of preference tasks, beside people: the completion with the higher
// score, or a tie where the scores are equal or, for a model of ties, where a tie is likeliest.
//
// The strength, on a task that has a scale of it, is how sure the model is: from its lowest, for
// P = 1/2, to its highest, for P = 1. Ties have none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plumb/rlhf/reward/reward_model.h"
#include "plumb/tasks/rater.h"

namespace plumb::rlhf {

class RewardRater final : public tasks::Rater {
 public:
  explicit RewardRater(std::unique_ptr<LearnedReward> reward) : reward_(std::move(reward)) {}

  const std::string& name() const override { return reward_->name(); }
  tasks::RaterKind kind() const override { return tasks::RaterKind::kRewardModel; }

  // kBadInput: a task of another kind, a text that the model cannot read.
  Result<std::vector<tasks::AnswerSheet>> answer(const tasks::Task& task,
                                                 const tasks::RateOptions& options) override;

 private:
  std::unique_ptr<LearnedReward> reward_;
};

}  // namespace plumb::rlhf
