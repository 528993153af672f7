// A remedy against over-optimisation, as a path of gold against tokens; and what all of them share:
// one base model, one set of comparisons with errors, one set of measured prompts.
//
// Compute is counted in tokens generated and tokens trained, each once, of reward models and policy
// alike; what is drawn to measure is not counted. What a reward model reads to score is counted
// apart, for it has neither a backward nor a choice to make.
//
//   Result<RemedyPath> noise_robust(RemedyStudy& study);   // one file a remedy
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"
#include "plumb/lm/language_model.h"
#include "plumb/mismatch/chain/chain.h"
#include "plumb/rlhf/policy/policy_run.h"
#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/rlhf/reward/reward.h"
#include "plumb/rlhf/reward/reward_losses.h"
#include "plumb/rlhf/reward/reward_model.h"
#include "plumb/rlhf/samples.h"

namespace plumb::mismatch {

struct RemedyOptions {
  lm::ModelFiles base;
  std::filesystem::path folder;
  std::string gold = "world:story";
  std::vector<std::string> remedies = {};  // by name; empty: all
  std::size_t training_prompts = 150, measured_prompts = 80;
  std::size_t prompt_words = 12;
  std::size_t max_tokens = 48;  // of a completion
  std::size_t pairs = 6;        // comparisons of each training prompt
  double noise = 0.25;          // the share of them that go against the gold
  std::size_t epochs = 2;       // of reward models
  std::size_t members = 3;      // of ensembles
  std::size_t samples = 64;     // of each measured prompt, for best of n
  std::size_t steps = 120;      // of each policy, by RLOO
  double rate = 1e-4;           // of these steps
  double kl_budget = 5;         // nats, of the remedy of that name
  double weight = 0.5;          // of the variance, of the remedy "ensemble-uncertain"
  double mix_weight = 0.5;      // of the language-model loss
  // Of soft best of n, and of values against likelihood; in deviations of the proxy within prompts.
  double temperature = 0.5;
  double level = 0.95;
  std::uint64_t seed = 0;
  int threads = 0;  // never changes a result
};

struct PathPoint {
  std::size_t step = 0;  // of the policy; n of best of n
  double tokens = 0;     // generated and trained so far
  double kl = 0;
  std::vector<double> gold;  // [measured prompts]
};

struct RemedyPath {
  std::string name = {}, baseline = {};  // what it is compared with; "": a baseline itself
  std::vector<PathPoint> points = {};    // ascending in tokens; the start first
  double scored = 0;                     // tokens read by reward models to score
  std::string note = {};                 // one sentence
  std::string missing = {};              // why it was not measured; then there are no points
};

// A reward model with what it cost.
struct TrainedReward {
  std::filesystem::path model;
  double tokens = 0;  // trained
};

class RemedyStudy {
 public:
  // Prompts, comparisons and the plain proxy; made once. The options must outlive it.
  static Result<std::unique_ptr<RemedyStudy>> open(const RemedyOptions& options,
                                                   const ChainWatch& watch);

  const RemedyOptions& options() const { return o_; }
  const lm::LanguageModel& base() const { return base_; }
  const rlhf::PreferenceData& preferences() const { return preferences_; }
  // Completions of the training prompts by the base model; pairs of them were compared.
  const std::vector<rlhf::Sample>& comparisons() const { return comparisons_; }
  rlhf::Reward& gold() { return *gold_; }
  const TrainedReward& proxy() const { return proxy_; }

  Result<TrainedReward> train_reward(const std::string& name, const rlhf::PreferenceData& data,
                                     const rlhf::RewardLossOptions& loss = {},
                                     std::size_t seed = 0);

  // What differs from the plain run.
  struct Tweak {
    std::optional<double> kl_budget = {};
    const rlhf::TextMix* mix = nullptr;
    std::optional<std::size_t> steps = {};
  };
  // RLOO from the base model; spent: tokens before its first step. members: how many reward models
  // read each completion.
  Result<RemedyPath> optimise(const std::string& name, rlhf::Reward& reward, double spent,
                              const Tweak& tweak, std::size_t members = 1);
  std::filesystem::path policy_of(const std::string& name) const;

  // Completions of these training prompts by a policy.
  Result<std::vector<rlhf::Sample>> draw(const std::string& name, const lm::LanguageModel& policy,
                                         std::size_t first_prompt, std::size_t prompts);
  std::vector<std::string> training_texts(std::size_t first, std::size_t count) const;

  const std::vector<rlhf::Prompt>& measured() const { return measured_; }
  // options().samples completions of each measured prompt, with gold and the plain proxy's scores.
  Result<std::vector<rlhf::Sample>> pool();

  Progress progress(std::string stage) const;

 private:
  RemedyStudy(const RemedyOptions& options, const ChainWatch& watch, lm::LanguageModel base)
      : o_(options), watch_(watch), base_(std::move(base)) {}
  Result<void> make_comparisons();

  const RemedyOptions& o_;
  const ChainWatch& watch_;
  lm::LanguageModel base_;
  std::vector<rlhf::Prompt> training_, measured_;
  std::unique_ptr<rlhf::Reward> gold_;
  std::vector<rlhf::Sample> comparisons_;
  rlhf::PreferenceData preferences_;
  TrainedReward proxy_;
};

struct Remedy {
  std::string_view name, meaning;
  Result<RemedyPath> (*measure)(RemedyStudy& study);
};

// In the order of the table for people.
std::span<const Remedy> all_remedies();

// Tokens of completions, each with its end.
double tokens_of(std::span<const rlhf::Sample> samples);

Result<RemedyPath> plain_policy(RemedyStudy& study);
Result<RemedyPath> kl_budget(RemedyStudy& study);
Result<RemedyPath> ensemble_worst(RemedyStudy& study);
Result<RemedyPath> ensemble_uncertain(RemedyStudy& study);
Result<RemedyPath> noise_robust(RemedyStudy& study);
Result<RemedyPath> length_controlled(RemedyStudy& study);
Result<RemedyPath> best_of_n(RemedyStudy& study);
Result<RemedyPath> soft_best_of_n(RemedyStudy& study);
Result<RemedyPath> pretraining_mix(RemedyStudy& study);
Result<RemedyPath> on_policy_reweighting(RemedyStudy& study);
Result<RemedyPath> iterated_relabelling(RemedyStudy& study);
Result<RemedyPath> value_guided(RemedyStudy& study);

}  // namespace plumb::mismatch
