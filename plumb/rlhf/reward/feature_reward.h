// A reward model on features: a line over the numbers that something else makes of a text. What it
// can learn is limited by them; it learns in seconds, has one optimum, and asks for no network.
//
//   PLUMB_TRY(reward, load_feature_reward("runs/rm/model", opener));
//   PLUMB_TRY(scores, reward->score(texts, 0));
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/rlhf/reward/features.h"
#include "plumb/rlhf/reward/learned_reward.h"

namespace plumb::rlhf {

// Which text the features are those of.
enum class FeatureText {
  kWhole,       // prompt and completion as one text
  kCompletion,  // alone: what is known of a completion does not hang on its prompt
};
std::string_view feature_text_name(FeatureText text);  // "whole", "completion"
std::optional<FeatureText> parse_feature_text(std::string_view name);

// Rows of these texts.
Result<FeatureRows> features_of(TextFeatures& features, FeatureText text,
                                std::span<const Completed> texts, int threads);

class FeatureReward final : public SingleReward {
 public:
  // REQUIRES: weights are as many as the features have columns.
  FeatureReward(std::string name, std::unique_ptr<TextFeatures> features, FeatureText text,
                std::vector<double> weights, RewardCard card);

  Json provenance() const override;

  std::span<const double> weights() const { return weights_; }
  FeatureText text() const { return text_; }
  const TextFeatures& features() const { return *features_; }

 private:
  Result<CountedScores> raw_scores(std::span<const Completed> texts, int threads) override;

  std::unique_ptr<TextFeatures> features_;
  FeatureText text_;
  std::vector<double> weights_;
};

// Whether the folder holds one.
bool is_feature_reward(const std::filesystem::path& folder);

// features.json and reward.json.
Result<void> save_feature_reward(const std::filesystem::path& folder, const FeatureReward& reward);

// kNotFound. kBadInput: a damaged file (with the field), features that are no longer those that
// were learnt from. kNotAllowed: no opener, as where a verb embeds nothing. Errors of the opener.
Result<std::unique_ptr<FeatureReward>> load_feature_reward(const std::filesystem::path& folder,
                                                           const FeatureOpener& open);

}  // namespace plumb::rlhf
