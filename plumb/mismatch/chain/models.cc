#include "plumb/mismatch/chain/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "plumb/lm/train.h"
#include "plumb/nn/checkpoint.h"
#include "plumb/rlhf/open_reward.h"
#include "plumb/rlhf/reward_ensemble.h"
#include "plumb/rlhf/reward_train.h"

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

Proxy single(std::string name, const fs::path& model) {
  return {std::move(name), [model] { return rlhf::open_reward(model.string()); }};
}

Result<std::unique_ptr<rlhf::Reward>> open_ensemble(const std::string& name,
                                                    const std::vector<fs::path>& models,
                                                    rlhf::Combination combination) {
  std::vector<std::unique_ptr<rlhf::SingleReward>> members;
  for (const fs::path& model : models) {
    PLUMB_TRY(member, rlhf::load_reward_model({model, {}}));
    members.push_back(std::move(member));
  }
  PLUMB_TRY(ensemble,
            rlhf::RewardEnsemble::make(name, std::move(members), {.combination = combination}));
  return std::unique_ptr<rlhf::Reward>(std::move(ensemble));
}

Proxy ensemble(rlhf::Combination combination, const std::vector<fs::path>& models) {
  const std::string name = fmt::format("ensemble-{}", rlhf::combination_name(combination));
  return {name, [=] { return open_ensemble(name, models, combination); }};
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
      if (i == 0) proxies.all.push_back(single(name, model));
    }
  }
  proxies.optimised = members.front();
  if (members.size() < 2) return proxies;
  for (const auto combination :
       {rlhf::Combination::kMean, rlhf::Combination::kWorst, rlhf::Combination::kUncertain}) {
    proxies.all.push_back(ensemble(combination, members));
  }
  return proxies;
}

}  // namespace plumb::mismatch
