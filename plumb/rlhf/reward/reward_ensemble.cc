#include "plumb/rlhf/reward/reward_ensemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>

#include "plumb/base/files.h"

namespace plumb::rlhf {
namespace {

namespace fs = std::filesystem;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

constexpr const char* kSchema = "plumb.reward-ensemble/1";
constexpr std::string_view kCombinations[] = {"mean", "worst", "uncertain"};

const char* variance_name(Variance variance) {
  return variance == Variance::kSample ? "sample" : "population";
}

Json options_json(const EnsembleOptions& options) {
  Json json = {{"combination", combination_name(options.combination)}};
  if (options.combination != Combination::kUncertain) return json;
  json["weight"] = options.weight;
  json["variance"] = variance_name(options.variance);
  return json;
}

Result<EnsembleOptions> parse_options(const Json& json) {
  EnsembleOptions options;
  const Json name = json.value("combination", Json());
  const auto combination =
      name.is_string() ? parse_combination(name.get<std::string>()) : std::nullopt;
  if (!combination) return bad("\"combination\" is none of mean, worst, uncertain");
  options.combination = *combination;
  if (options.combination != Combination::kUncertain) return options;
  const Json weight = json.value("weight", Json()), variance = json.value("variance", Json());
  if (!weight.is_number() || !(weight.get<double>() >= 0)) {
    return bad("\"weight\" is not a number of 0 or more");
  }
  if (variance != "sample" && variance != "population") {
    return bad("\"variance\" is neither sample nor population");
  }
  options.weight = weight;
  options.variance = variance == "sample" ? Variance::kSample : Variance::kPopulation;
  return options;
}

Result<std::vector<fs::path>> parse_members(const Json& json, const fs::path& folder) {
  const auto found = json.find("members");
  if (found == json.end() || !found->is_array() || found->empty()) {
    return bad("\"members\" is not a list of folders");
  }
  std::vector<fs::path> members;
  for (const Json& member : *found) {
    if (!member.is_string()) return bad("\"members\" is not a list of folders");
    members.push_back(folder / member.get<std::string>());
  }
  return members;
}

Result<std::unique_ptr<LearnedReward>> open_ensemble(const lm::ModelFiles& files,
                                                     const FeatureOpener& features) {
  const fs::path file = files.model / "ensemble.json";
  PLUMB_TRY(text, read_file(file));
  const Json json = Json::parse(text, nullptr, false);
  const auto at_file = [&](const Error& error) {
    return bad(fmt::format("{}: {}", file.string(), error.message));
  };
  if (!json.is_object() || json.value("schema", Json()) != kSchema) {
    return bad(fmt::format("{}: \"schema\" is not {}", file.string(), kSchema));
  }
  const auto options = parse_options(json);
  if (!options) return at_file(options.error());
  const auto folders = parse_members(json, files.model);
  if (!folders) return at_file(folders.error());
  std::vector<std::unique_ptr<SingleReward>> members;
  for (const fs::path& folder : *folders) {
    PLUMB_TRY(member, open_single_reward({folder, files.tokenizer}, features));
    members.push_back(std::move(member));
  }
  PLUMB_TRY(ensemble, RewardEnsemble::make(files.model.string(), std::move(members), *options));
  return std::move(ensemble);
}

}  // namespace

std::string_view combination_name(Combination combination) {
  return kCombinations[static_cast<std::size_t>(combination)];
}

std::optional<Combination> parse_combination(std::string_view name) {
  const auto* found = std::ranges::find(kCombinations, name);
  if (found == std::end(kCombinations)) return std::nullopt;
  return static_cast<Combination>(found - std::begin(kCombinations));
}

RewardEnsemble::RewardEnsemble(std::string name, std::vector<std::unique_ptr<SingleReward>> members,
                               const EnsembleOptions& options)
    : name_(std::move(name)), members_(std::move(members)), options_(options) {}

Result<std::unique_ptr<RewardEnsemble>> RewardEnsemble::make(
    std::string name, std::vector<std::unique_ptr<SingleReward>> members,
    const EnsembleOptions& options) {
  if (members.empty()) return bad(fmt::format("{}: an ensemble without members", name));
  for (const auto& member : members) {
    if (members.size() == 1) break;
    if (!member->card().normalisation) {
      return bad(
          fmt::format("{}: {}: no normalisation is stored; the scores of an ensemble must be "
                      "on one scale",
                      name, member->name()));
    }
    const auto alike =
        check_comparable(*members[0]->card().normalisation, *member->card().normalisation);
    if (!alike) {
      return bad(fmt::format("{}: {}: {}", name, member->name(), alike.error().message));
    }
  }
  return std::unique_ptr<RewardEnsemble>(
      new RewardEnsemble(std::move(name), std::move(members), options));
}

Json RewardEnsemble::provenance() const {
  Json json = {{"reward", "ensemble"}, {"name", name_}};
  json.update(options_json(options_));
  json["members"] = Json::array();
  for (const auto& member : members_) json["members"].push_back(member->provenance());
  return json;
}

double RewardEnsemble::logit_scale() const {
  double sum = 0;
  for (const auto& member : members_) sum += member->logit_scale();
  return sum / static_cast<double>(members_.size());
}

PairLabel RewardEnsemble::outcome_probabilities(double difference) const {
  PairLabel mean{0, 0, 0};
  const auto share = 1 / static_cast<double>(members_.size());
  for (const auto& member : members_) {
    const PairLabel own = member->outcome_probabilities(difference);
    mean.win += share * own.win;
    mean.tie += share * own.tie;
    mean.loss += share * own.loss;
  }
  return mean;
}

std::vector<const RewardCard*> RewardEnsemble::cards() const {
  std::vector<const RewardCard*> all;
  for (const auto& member : members_) all.push_back(&member->card());
  return all;
}

double RewardEnsemble::combine(std::span<const double> members) const {
  switch (options_.combination) {
    case Combination::kWorst:
      return ensemble_worst(members);
    case Combination::kUncertain:
      return ensemble_uncertain(members, options_.weight, options_.variance);
    default:
      return ensemble_mean(members);
  }
}

Result<CountedScores> RewardEnsemble::score_counted(std::span<const Completed> texts, int threads) {
  std::vector<std::vector<double>> of_text(texts.size());
  CountedScores scores;
  for (const auto& member : members_) {
    PLUMB_TRY(own, member->score_counted(texts, threads));
    scores.truncated = std::max(scores.truncated, own.truncated);
    for (std::size_t i = 0; i < texts.size(); ++i) of_text[i].push_back(own.values[i]);
  }
  for (const auto& values : of_text) scores.values.push_back(combine(values));
  return scores;
}

Result<void> RewardEnsemble::normalise(std::span<const Completed> texts, const std::string& policy,
                                       const std::string& prompts, int threads) {
  for (const auto& member : members_) {
    if (auto done = member->normalise(texts, policy, prompts, threads); !done) return done;
  }
  return {};
}

Result<void> save_ensemble(const fs::path& folder, std::span<const std::string> members,
                           const EnsembleOptions& options) {
  Json json = {{"schema", kSchema}, {"members", members}};
  json.update(options_json(options));
  return write_file_atomic(folder / "ensemble.json", to_text(json, 2) + "\n");
}

bool is_reward(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path / "ensemble.json", ignored) || is_feature_reward(path)) return true;
  if (!fs::exists(path / "config.json", ignored)) return false;
  const auto config = nn::read_config(path / "config.json");
  return config && config->scalar_head;
}

Result<std::unique_ptr<SingleReward>> open_single_reward(const lm::ModelFiles& files,
                                                         const FeatureOpener& features) {
  if (is_feature_reward(files.model)) {
    PLUMB_TRY(reward, load_feature_reward(files.model, features));
    return std::move(reward);
  }
  PLUMB_TRY(model, load_reward_model(files));
  return std::move(model);
}

Result<std::unique_ptr<LearnedReward>> open_learned_reward(const lm::ModelFiles& files,
                                                           const FeatureOpener& features) {
  std::error_code ignored;
  if (fs::exists(files.model / "ensemble.json", ignored)) return open_ensemble(files, features);
  PLUMB_TRY(reward, open_single_reward(files, features));
  return std::move(reward);
}

}  // namespace plumb::rlhf
