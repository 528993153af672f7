#include "plumb/mismatch/chain/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "plumb/lm/train.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/rlhf/reward/open_reward.h"
#include "plumb/rlhf/reward/reward_ensemble.h"
#include "plumb/rlhf/reward/reward_train.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

// A checkpoint of the first layers, as a folder of its own.
Result<lm::ModelFiles> cut_base(const lm::ModelFiles& base, const lm::LanguageModel& loaded,
                                std::size_t layers, const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder / "model.safetensors", ignored)) {
    if (auto copied = nn::save_transformer(folder, first_layers(loaded.transformer, layers));
        !copied) {
      return tl::unexpected(copied.error());
    }
  }
  return lm::ModelFiles{folder, lm::tokenizer_path(base)};
}

// The members' models are opened for their scales alone: scores are combined only where they are on
// one.
Result<std::unique_ptr<rlhf::RewardEnsemble>> open_ensemble(const Proxy& proxy) {
  std::vector<std::unique_ptr<rlhf::SingleReward>> members;
  for (const fs::path& model : proxy.members) {
    PLUMB_TRY(member, rlhf::open_single_reward({model, {}}));
    members.push_back(std::move(member));
  }
  return rlhf::RewardEnsemble::make(proxy.name, std::move(members),
                                    {.combination = *proxy.combination});
}

}  // namespace

Result<fs::path> train_reward_model(const lm::ModelFiles& base, const fs::path& preferences,
                                    const fs::path& run, const RewardTraining& training) {
  PLUMB_TRY(data, rlhf::read_preferences(preferences.string(), {}));
  rlhf::RewardTrainOptions how;
  how.run = run;
  how.epochs = training.epochs;
  how.seed = training.seed;
  how.threads = training.threads;
  PLUMB_TRY(report, rlhf::train_reward(base, data, how, [&](const lm::TrainStatus& status) {
              if (training.watch) training.watch(status.step, status.steps);
            }));
  return report.model;
}

nn::Transformer first_layers(const nn::Transformer& model, std::size_t layers) {
  nn::TransformerConfig config = model.config();
  config.layers = layers;
  nn::Transformer cut(config);
  std::map<std::string, const nn::Parameter*> whole;
  for (const nn::Parameter& parameter : model.layout().parameters) {
    whole.emplace(parameter.name, &parameter);
  }
  for (const nn::Parameter& parameter : cut.layout().parameters) {
    const nn::Parameter& source = *whole.at(parameter.name);
    std::ranges::copy(model.values().subspan(source.offset, source.size),
                      cut.values().subspan(parameter.offset, parameter.size).begin());
  }
  return cut;
}

Result<Proxies> train_proxy_models(const lm::ModelFiles& base, const lm::LanguageModel& loaded,
                                   const ProxyOptions& options, const RewardTraining& training) {
  const std::size_t all = loaded.transformer.config().layers, half = (all + 1) / 2;
  const fs::path preferences = options.folder / "preferences.jsonl";
  Proxies proxies;
  std::vector<fs::path> members;
  for (const std::size_t layers : std::set<std::size_t>{1, half, all}) {
    const std::string name = fmt::format("layers-{}", layers);
    PLUMB_TRY(files, cut_base(base, loaded, layers, options.folder / "bases" / name));
    const std::size_t seeds = layers == half ? options.members : 1;
    for (std::size_t i = 0; i < seeds; ++i) {
      RewardTraining own = training;
      own.seed = training.seed + i;
      const fs::path run =
          options.folder / "proxies" / (i == 0 ? name : fmt::format("{}-seed-{}", name, i));
      PLUMB_TRY(model, train_reward_model(files, preferences, run, own));
      if (layers == half) members.push_back(model);
      if (i == 0) proxies.all.push_back({name, {model}});
    }
  }
  proxies.optimised = members.front();
  if (members.size() < 2) return proxies;
  for (const auto combination :
       {rlhf::Combination::kMean, rlhf::Combination::kWorst, rlhf::Combination::kUncertain}) {
    proxies.all.push_back(
        {fmt::format("ensemble-{}", rlhf::combination_name(combination)), members, combination});
  }
  return proxies;
}

Result<std::span<const double>> ProxyScorer::scores_of(const fs::path& model,
                                                       const Progress& progress) {
  if (const auto known = scores_.find(model); known != scores_.end()) return known->second;
  PLUMB_TRY(reward, rlhf::open_reward(model.string()));
  constexpr std::size_t kAtOnce = 4096;
  std::vector<double> scores;
  for (std::size_t first = 0; first < texts_.size(); first += kAtOnce) {
    const auto some = texts_.subspan(first, std::min(kAtOnce, texts_.size() - first));
    PLUMB_TRY(own, reward->score(some, threads_));
    scores.insert(scores.end(), own.begin(), own.end());
    if (progress) progress(scores.size(), texts_.size());
  }
  return scores_.emplace(model, std::move(scores)).first->second;
}

Result<std::vector<double>> ProxyScorer::score(const Proxy& proxy, const Progress& progress) {
  std::vector<std::span<const double>> members;
  for (const fs::path& model : proxy.members) {
    PLUMB_TRY(own, scores_of(model, progress));
    members.push_back(own);
  }
  if (!proxy.combination) return std::vector<double>(members[0].begin(), members[0].end());
  PLUMB_TRY(ensemble, open_ensemble(proxy));
  std::vector<double> scores, of_text(members.size());
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    for (std::size_t m = 0; m < members.size(); ++m) of_text[m] = members[m][i];
    scores.push_back(ensemble->combine(of_text));
  }
  return scores;
}

}  // namespace plumb::mismatch
