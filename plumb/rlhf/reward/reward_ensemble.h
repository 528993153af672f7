// Several reward models as one reward, and the one door to both.
//
// Members differ by their seed (order of the comparisons, scalar head). They are combined on
// normalised scores: a member whose scores spread wider would count for more. The variance of
// `uncertain` is a choice that matters (Coste et al. 2024 divide by k in best of n and by k - 1 in
// PPO, which differ by 1.25 for five members), so it is part of the reward's provenance.
//
//   PLUMB_TRY(reward, open_learned_reward({.model = "runs/rm"}));   // a model's folder, or an
//   ensemble's
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/rlhf/reward/feature_reward.h"
#include "plumb/rlhf/reward/reward_model.h"

namespace plumb::rlhf {

enum class Combination {
  kMean,
  kWorst,      // the least: worst-case optimisation
  kUncertain,  // mean - weight * variance
};

std::string_view combination_name(Combination combination);  // "mean", "worst", "uncertain"
std::optional<Combination> parse_combination(std::string_view name);

struct EnsembleOptions {
  Combination combination = Combination::kMean;
  double weight = 0.5;                        // of kUncertain
  Variance variance = Variance::kPopulation;  // of kUncertain
};

class RewardEnsemble final : public LearnedReward {
 public:
  // kBadInput: no members; of several, one without a normalisation, or normalised on another
  // policy's samples or on other prompts than the first.
  static Result<std::unique_ptr<RewardEnsemble>> make(
      std::string name, std::vector<std::unique_ptr<SingleReward>> members,
      const EnsembleOptions& options);

  const std::string& name() const override { return name_; }
  Json provenance() const override;
  double logit_scale() const override;                                // the members' mean
  PairLabel outcome_probabilities(double difference) const override;  // the members' mean
  std::vector<const RewardCard*> cards() const override;
  Result<CountedScores> score_counted(std::span<const Completed> texts, int threads) override;
  // Each member on its own: combined scores keep about mean 0 where they are means alone.
  Result<void> normalise(std::span<const Completed> texts, const std::string& policy,
                         const std::string& prompts, int threads) override;

  // One score of one text from those of the members, in their order.
  double combine(std::span<const double> members) const;
  std::span<const std::unique_ptr<SingleReward>> members() const { return members_; }

 private:
  RewardEnsemble(std::string name, std::vector<std::unique_ptr<SingleReward>> members,
                 const EnsembleOptions& options);

  std::string name_;
  std::vector<std::unique_ptr<SingleReward>> members_;
  EnsembleOptions options_;
};

// Writes ensemble.json into the folder: the members' folders, relative to it, and the options.
Result<void> save_ensemble(const std::filesystem::path& folder,
                           std::span<const std::string> members, const EnsembleOptions& options);

// Whether the path is what open_learned_reward() reads: a folder with ensemble.json, or with a
// config.json that names a scalar head, or a reward on features. Reads no weights.
bool is_reward(const std::filesystem::path& path);

// A reward model (load_reward_model) or a reward on features (load_feature_reward).
Result<std::unique_ptr<SingleReward>> open_single_reward(const lm::ModelFiles& files,
                                                         const FeatureOpener& features = {});

// An ensemble's folder, or one reward. kBadInput also: a damaged ensemble.json, with the field.
Result<std::unique_ptr<LearnedReward>> open_learned_reward(const lm::ModelFiles& files,
                                                           const FeatureOpener& features = {});

}  // namespace plumb::rlhf
