// Embedders as features of rewards: the one place that knows both. What the verbs of `plumb reward`
// and `plumb policy` share.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "plumb/base/result.h"
#include "plumb/rlhf/reward/feature_reward.h"

namespace plumb::cli {

// --features and what goes with it.
struct FeatureOptions {
  std::string embedder, text = "whole", ids;
  double l2 = 1;

  void declare(CLI::App& verb);
  // kUsage: an embedder whose vectors depend on the texts at hand. Errors of open_embedder().
  Result<std::unique_ptr<rlhf::TextFeatures>> open() const;
};

// Opens features as a reward's folder names them. Vectors are kept in the user's cache.
rlhf::FeatureOpener feature_opener();

}  // namespace plumb::cli
