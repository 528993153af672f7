// The reward models of a chain: proxies of several sizes that begin as the first layers of the base
// model, and ensembles of one size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/reward/reward_ensemble.h"

namespace plumb::mismatch {

struct RewardTraining {
  std::size_t epochs = 2;
  std::uint64_t seed = 0;  // of the order and the head
  int threads = 0;
  Progress watch = {};  // steps
};

// Trains in the run folder, or finds it trained; the model's folder.
Result<std::filesystem::path> train_reward_model(const lm::ModelFiles& base,
                                                 const std::filesystem::path& preferences,
                                                 const std::filesystem::path& run,
                                                 const RewardTraining& training);

// A model's first layers with its embeddings, last norm and heads. REQUIRES: 1 <= layers <= its
// own.
nn::Transformer first_layers(const nn::Transformer& model, std::size_t layers);

struct Proxy {
  std::string name;                            // "layers-2", "ensemble-worst"
  std::vector<std::filesystem::path> members;  // models; one unless they are combined
  std::optional<rlhf::Combination> combination = {};
};

// Scores of the same texts by several proxies. A model that is a member of many scores them once.
class ProxyScorer {
 public:
  // The texts must outlive the scorer.
  ProxyScorer(std::span<const rlhf::Completed> texts, int threads)
      : texts_(texts), threads_(threads) {}

  // As rlhf::RewardEnsemble scores, or the model alone; bit for bit. Errors of both.
  Result<std::vector<double>> score(const Proxy& proxy, const Progress& progress);

 private:
  Result<std::span<const double>> scores_of(const std::filesystem::path& model,
                                            const Progress& progress);

  std::span<const rlhf::Completed> texts_;
  int threads_;
  std::map<std::filesystem::path, std::vector<double>> scores_;  // by model
};

struct ProxyOptions {
  std::filesystem::path folder;  // with preferences.jsonl
  std::size_t members = 3;       // of the ensemble; 1: none
};

struct Proxies {
  std::vector<Proxy> all;           // sizes ascending, then the ensembles
  std::filesystem::path optimised;  // of the middle size
};

// One layer, half of them, all of them; the middle size `members` times with other seeds, combined
// by mean, worst and mean less variance.
Result<Proxies> train_proxy_models(const lm::ModelFiles& base, const lm::LanguageModel& loaded,
                                   const ProxyOptions& options, const RewardTraining& training);

}  // namespace plumb::mismatch
