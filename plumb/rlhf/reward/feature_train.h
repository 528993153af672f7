// Training a reward on features, in a folder of its own: manifest.json first, then model/.
//
// Comparisons are split as those of any reward are (training_data.h), so that models of both kinds
// are measured on the same ones. The fit takes seconds and has one optimum: what was killed is done
// again, to the same bytes.
//
//   PLUMB_TRY(report, train_feature_reward(std::move(features), data, options));
//   load_feature_reward(report.model, opener);
#pragma once

#include <filesystem>
#include <memory>

#include "plumb/rlhf/reward/feature_fit.h"
#include "plumb/rlhf/reward/feature_reward.h"
#include "plumb/rlhf/reward/reward_train.h"
#include "plumb/rlhf/reward/training_data.h"

namespace plumb::rlhf {

struct FeatureTrainOptions {
  std::filesystem::path run;  // the folder
  TrainingDataOptions data = {};
  FeatureText text = FeatureText::kWhole;
  Learnt learnt = Learnt::kPairs;
  FeatureFitOptions fit = {};  // its tie parameter: 0 begins from the data
  RewardEvaluationOptions evaluation = {};
  int threads = 0;
};

// The report's steps are those of L-BFGS, its parameters the weights, its first loss that of
// weights of 0. kBadInput: what training_data() and compared_texts() refuse, a text without
// features, a fit that finds no optimum. kBusy: the folder holds another run; the first difference
// is named.
Result<RewardTrainReport> train_feature_reward(std::unique_ptr<TextFeatures> features,
                                               const PreferenceData& data,
                                               const FeatureTrainOptions& options);

}  // namespace plumb::rlhf
