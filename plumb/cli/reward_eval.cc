// plumb reward eval: reward models on comparisons that people decided.
#include <fmt/format.h>

#include <memory>

#include "plumb/cli/feature_options.h"
#include "plumb/cli/reward_verbs.h"
#include "plumb/cli/tables_output.h"
#include "plumb/rlhf/preferences/preference_split.h"
#include "plumb/rlhf/reward/reward_ensemble.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kEvalResamples = 1000;

struct EvalCommand {
  std::string file, combine = "none", variance = "population", tokenizer;
  std::vector<std::string> answers, models;
  double weight = 0.5;
  bool all = false;
  SamplingOptions sampling;
  OutputOptions output;

  Result<void> run() const;

 private:
  rlhf::EnsembleOptions ensemble_options() const;
  Result<std::vector<std::unique_ptr<rlhf::LearnedReward>>> open() const;
};

rlhf::EnsembleOptions EvalCommand::ensemble_options() const {
  return {.combination = rlhf::parse_combination(combine).value_or(rlhf::Combination::kMean),
          .weight = weight,
          .variance = variance == "sample" ? rlhf::Variance::kSample : rlhf::Variance::kPopulation};
}

// The ensemble first, where one was asked for, then each model.
Result<std::vector<std::unique_ptr<rlhf::LearnedReward>>> EvalCommand::open() const {
  std::vector<std::unique_ptr<rlhf::LearnedReward>> rewards;
  if (combine != "none") {
    std::vector<std::unique_ptr<rlhf::SingleReward>> members;
    for (const std::string& model : models) {
      PLUMB_TRY(member, rlhf::open_single_reward({model, tokenizer}, feature_opener()));
      members.push_back(std::move(member));
    }
    PLUMB_TRY(ensemble, rlhf::RewardEnsemble::make(fmt::format("{} of {}", combine, models.size()),
                                                   std::move(members), ensemble_options()));
    rewards.push_back(std::move(ensemble));
  }
  for (const std::string& model : models) {
    PLUMB_TRY(reward, rlhf::open_learned_reward({model, tokenizer}, feature_opener()));
    rewards.push_back(std::move(reward));
  }
  return rewards;
}

// The share and seed by which a training held out part of these comparisons; nothing where all
// trainings were on others.
using Split = std::pair<double, std::uint64_t>;
Result<std::optional<Split>> split_of(
    const rlhf::PreferenceData& data,
    std::span<const std::unique_ptr<rlhf::LearnedReward>> rewards) {
  const std::string hash = rlhf::hashes_of(data).all;
  std::optional<Split> split;
  for (const auto& reward : rewards) {
    for (const Json& training : reward->trainings()) {
      if (training.value("data_sha256", Json()) != hash) continue;
      const Json share = training.value("held_out_share", Json()),
                 seed = training.value("split_seed", Json());
      if (!share.is_number() || !seed.is_number_unsigned()) continue;
      const Split own = {share.get<double>(), seed.get<std::uint64_t>()};
      if (split && split != own) {
        return fail(ErrorKind::kBadInput,
                    fmt::format("{}: the models were trained on different parts of it; --all "
                                "counts what they were trained on too",
                                data.file));
      }
      split = own;
    }
  }
  return split;
}

// Comparisons that none of the rewards was trained on.
Result<rlhf::PreferenceData> unseen(const rlhf::PreferenceData& data,
                                    std::span<const std::unique_ptr<rlhf::LearnedReward>> rewards,
                                    std::vector<std::string>& notes) {
  PLUMB_TRY(split, split_of(data, rewards));
  if (!split) return data;
  const auto parts = rlhf::split_by_prompt(data, split->first, split->second);
  if (parts.held_out.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: the model was trained on all of it; --all measures it on that",
                            data.file));
  }
  notes.push_back(
      fmt::format("Trained on {} of these comparisons; only the {} that were held out count.",
                  parts.train.size(), parts.held_out.size()));
  return rlhf::subset_of(data, parts.held_out);
}

Result<void> EvalCommand::run() const {
  PLUMB_TRY(data, rlhf::read_preferences(file, answers, progress_bar("reading preferences")));
  PLUMB_TRY(rewards, open());
  report::RewardEvalContext context;
  if (!all) {
    PLUMB_TRY(left, unseen(data, rewards, context.notes));
    data = std::move(left);
  }
  context.data = &data;
  context.options = {.level = sampling.level, .sampling = sampling.values};
  const Progress progress = progress_bar("scoring");
  for (const auto& reward : rewards) {
    PLUMB_TRY(scores, rlhf::score_comparisons(*reward, data, sampling.values.threads));
    for (auto& pair : scores.values) {
      for (double& score : pair) score *= reward->logit_scale();
    }
    PLUMB_TRY(evaluation, rlhf::evaluate_scores(data, scores.values, context.options));
    context.rewards.push_back(
        {reward->name(), std::move(evaluation), scores.truncated, reward->provenance()});
    if (progress) progress(context.rewards.size(), rewards.size());
  }
  return write(reward_eval_output(context), output);
}

}  // namespace

Output reward_eval_output(const report::RewardEvalContext& context) {
  const auto tables = [&context](const auto& print) {
    return report::reward_eval_heading(context) + "\n" + print(report::reward_eval_table(context)) +
           "\n" + print(report::reward_reliability_table(context.rewards[0])) + "\n" +
           report::wrapped(report::reward_eval_notes(context)) + "\n";
  };
  return tables_output([&context] { return report::reward_eval_json(context); },
                       [&context] { return report::reward_eval_records(context); }, tables);
}

void add_reward_eval(CLI::App& reward, Program& program) {
  auto command = std::make_shared<EvalCommand>();
  CLI::App* verb = reward.add_subcommand(
      "eval",
      "Example:\n  plumb reward eval preferences.jsonl --model runs/rm/model\n\n"
      "How often reward models agree with people, how well they know it, beside the longest and "
      "the shortest completion. Of data that a model was trained on, what was held out counts.");
  verb->add_option("DATA", command->file, "comparisons, as plumb reward audit reads them")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("--model,--models", command->models, "reward models, or folders of ensembles")
      ->type_name("PATH...")
      ->check(not_empty())
      ->required();
  verb->add_option("--tokenizer", command->tokenizer, "where the tokenizer does not lie beside it")
      ->type_name("PATH")
      ->check(not_empty());
  verb->add_option("--answers", command->answers, "answers of annotators to a preference task")
      ->type_name("FILE...")
      ->check(not_empty());
  verb->add_option("--combine", command->combine,
                   "the models as one too: mean, worst, uncertain (mean less --weight times the "
                   "variance), none")
      ->type_name("RULE")
      ->check(one_of("none, mean, worst, uncertain"))
      ->capture_default_str();
  verb->add_option("--weight", command->weight, "of the variance")
      ->type_name("X")
      ->check(number(0, 1e6))
      ->capture_default_str();
  verb->add_option("--variance", command->variance, "population (by n), or sample (by n - 1)")
      ->type_name("NAME")
      ->check(one_of("population, sample"))
      ->capture_default_str();
  verb->add_flag("--all", command->all, "count what the models were trained on too");
  command->sampling.values.resamples = kEvalResamples;
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
