// Rewards that were learnt from comparisons: what the ones with a transformer's head and those on
// features share. A folder's reward.json says the frame, the scale and how the reward came about,
// its trained-prompts.json which prompts it learnt from.
//
//   PLUMB_TRY(reward, open_learned_reward({.model = "runs/rm/model"}, {}));   // reward_ensemble.h
//   PLUMB_TRY(scores, reward->score(texts, 0));
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/lm/language_model.h"
#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/reward/reward_losses.h"
#include "plumb/rlhf/reward/reward_metrics.h"

namespace plumb::rlhf {

struct CountedScores {
  std::vector<double> values;
  std::size_t truncated = 0;  // texts beyond the context
};

struct RewardCard;

// A reward that was learnt from comparisons: P(the first is preferred) = sigmoid(logit_scale() *
// difference of scores).
class LearnedReward : public Reward {
 public:
  // The standard deviation by which scores were divided; 1 where they are as they were learnt.
  virtual double logit_scale() const = 0;

  // With what a model of ties makes of it: how likely the outcomes are at this difference of
  // scores. Without one P(tie) is 0.
  virtual PairLabel outcome_probabilities(double difference) const = 0;

  // How it came about; of an ensemble each member.
  virtual std::vector<const RewardCard*> cards() const = 0;

  virtual Result<CountedScores> score_counted(std::span<const Completed> texts, int threads) = 0;

  // Puts scores on a scale of mean 0 and standard deviation 1 on these texts, which the named
  // policy (a content hash) wrote to the named prompts. kBadInput: fewer than two texts, scores all
  // equal.
  virtual Result<void> normalise(std::span<const Completed> texts, const std::string& policy,
                                 const std::string& prompts, int threads) = 0;

  Result<std::vector<double>> score(std::span<const Completed> texts, int threads) override {
    PLUMB_TRY(scored, score_counted(texts, threads));
    return std::move(scored.values);
  }
};

// What stands in reward.json beside the weights.
struct RewardCard {
  std::optional<lm::TextFrame> frame = {};  // nothing: as the checkpoint and the tokenizer say
  std::optional<ScoreNormalisation> normalisation = {};
  TieHandling ties = TieHandling::kHalfWins;
  double log_tie_parameter = 0;            // as learnt, for unnormalised scores
  std::optional<double> temperature = {};  // of its logits, fitted on held-out comparisons
  Json training = Json::object();          // how it came about
  // The prompts that it learnt from (prompt_marks), in a file of their own; nothing where the
  // folder does not say.
  std::optional<std::vector<std::string>> trained_prompts = {};
};

Json card_json(const RewardCard& card);
// kBadInput names the field.
Result<RewardCard> parse_card(const Json& json);

// The card of a model's folder with the prompts beside it; an empty one where there is none.
// kBadInput names file and field.
Result<RewardCard> read_card(const std::filesystem::path& model);
Result<void> write_card(const std::filesystem::path& model, const RewardCard& card);

// A reward with a card of its own, as members of an ensemble are.
class SingleReward : public LearnedReward {
 public:
  const std::string& name() const override { return name_; }
  double logit_scale() const override;
  PairLabel outcome_probabilities(double difference) const override;
  std::vector<const RewardCard*> cards() const override { return {&card_}; }
  // kBadInput: a text that cannot be read, a score that is not finite; with the text's place.
  Result<CountedScores> score_counted(std::span<const Completed> texts, int threads) override;
  Result<void> normalise(std::span<const Completed> texts, const std::string& policy,
                         const std::string& prompts, int threads) override;

  // Scores as they were learnt, before any scale.
  Result<CountedScores> unnormalised(std::span<const Completed> texts, int threads);

  RewardCard& card() { return card_; }
  const RewardCard& card() const { return card_; }

 protected:
  SingleReward(std::string name, RewardCard card)
      : name_(std::move(name)), card_(std::move(card)) {}

 private:
  // Need not be finite; the base sees to that. Errors: a text that cannot be read.
  virtual Result<CountedScores> raw_scores(std::span<const Completed> texts, int threads) = 0;

  std::string name_;
  RewardCard card_;
};

// Comparisons of prompts that none of the rewards learnt from. Of a reward that keeps no prompts it
// is told by the split of its training, where these are the comparisons that it was trained on.
struct Unseen {
  std::vector<std::size_t> places;     // ascending
  std::vector<std::string> unchecked;  // rewards that do not say what they learnt from
};
Unseen unseen_by(const PreferenceData& data,
                 std::span<const std::unique_ptr<LearnedReward>> rewards);

// One pair of scores a comparison, with how many texts were truncated.
struct ComparisonScores {
  std::vector<std::array<double, 2>> values;
  std::size_t truncated = 0;
};
Result<ComparisonScores> score_comparisons(LearnedReward& reward, const PreferenceData& data,
                                           int threads);

}  // namespace plumb::rlhf
