// plumb reward eval: reward models on comparisons that people decided.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <set>

#include "plumb/base/files.h"
#include "plumb/cli/feature_options.h"
#include "plumb/cli/reward_verbs.h"
#include "plumb/cli/tables_output.h"
#include "plumb/rlhf/preferences/preference_split.h"
#include "plumb/rlhf/reward/reward_ensemble.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kEvalResamples = 1000;

struct EvalCommand {
  std::string file, combine = "none", variance = "population", tokenizer, eval, scores;
  std::vector<std::string> answers, models;
  double weight = 0.5;
  bool all = false;
  SamplingOptions sampling;
  OutputOptions output;

  Result<void> run() const;

 private:
  rlhf::EnsembleOptions ensemble_options() const;
  Result<std::vector<std::unique_ptr<rlhf::LearnedReward>>> open() const;
  Result<rlhf::PreferenceData> counted(
      std::span<const std::unique_ptr<rlhf::LearnedReward>> rewards,
      report::RewardEvalContext& context) const;
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

// Names of the evaluations that gave the comparisons, "gsm8k, xstest-safe".
std::string evals_in(const rlhf::PreferenceData& data) {
  std::set<std::string> names;
  for (const rlhf::Comparison& one : data.comparisons) {
    if (!one.eval.empty()) names.insert(one.eval);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// The comparisons of one evaluation alone.
Result<rlhf::PreferenceData> of_eval(const rlhf::PreferenceData& data, const std::string& eval) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < data.comparisons.size(); ++i) {
    if (data.comparisons[i].eval == eval) places.push_back(i);
  }
  if (!places.empty()) return rlhf::subset_of(data, places);
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: no comparison is of \"{}\"; {}", data.file, eval,
                          evals_in(data).empty() ? "none names its evaluation"
                                                 : "it holds " + evals_in(data)));
}

Result<rlhf::PreferenceData> EvalCommand::counted(
    std::span<const std::unique_ptr<rlhf::LearnedReward>> rewards,
    report::RewardEvalContext& context) const {
  PLUMB_TRY(data, rlhf::read_preferences(file, answers, progress_bar("reading preferences")));
  if (!all) {
    PLUMB_TRY(left, unseen(data, rewards, context.notes));
    data = std::move(left.data);
    context.seen_left_out = left.left_out;
  }
  if (!eval.empty()) return of_eval(data, eval);
  if (const std::string names = evals_in(data); names.find(',') != std::string::npos) {
    context.notes.push_back(
        fmt::format("Pairs of {} count together; --eval measures one of them.", names));
  }
  return data;
}

// A line a comparison that most votes decide, as `plumb mismatch links --pairs` reads them: the
// first side is the one with more votes. Returns how many comparisons have no line.
Result<std::size_t> save_scores(const std::string& path, const rlhf::PreferenceData& data,
                                std::span<const std::array<double, 2>> scores) {
  const std::string stem = std::filesystem::path(data.file).stem().string();
  std::string text;
  std::size_t undecided = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const rlhf::Comparison& one = data.comparisons[i];
    const auto first = rlhf::share_of_first(one);
    if (!first || *first == 0.5) {
      ++undecided;
      continue;
    }
    const std::size_t better = *first > 0.5 ? 0 : 1;
    text += to_text(Json{{"eval", one.eval.empty() ? stem : one.eval},
                         {"prompt", rlhf::plain_text(one.prompt)},
                         {"chosen", scores[i][better]},
                         {"rejected", scores[i][1 - better]}}) +
            "\n";
  }
  if (auto written = write_file_atomic(path, text); !written) {
    return tl::unexpected(written.error());
  }
  return undecided;
}

Result<void> EvalCommand::run() const {
  if (!scores.empty() && (models.size() > 1 || combine != "none")) {
    return fail(ErrorKind::kUsage, "--scores are those of one reward model; give one --model");
  }
  PLUMB_TRY(rewards, open());
  report::RewardEvalContext context;
  PLUMB_TRY(data, counted(rewards, context));
  context.data = &data;
  context.options = {.level = sampling.level, .sampling = sampling.values};
  const Progress progress = progress_bar("scoring");
  for (const auto& reward : rewards) {
    PLUMB_TRY(scored, rlhf::score_comparisons(*reward, data, sampling.values.threads));
    if (!scores.empty()) {
      PLUMB_TRY(undecided, save_scores(scores, data, scored.values));
      if (undecided > 0) {
        context.notes.push_back(
            fmt::format("{} holds {} of {} comparisons: the others have as many votes for one side "
                        "as for the other, or none.",
                        scores, data.comparisons.size() - undecided, data.comparisons.size()));
      }
    }
    for (auto& pair : scored.values) {
      for (double& score : pair) score *= reward->logit_scale();
    }
    PLUMB_TRY(evaluation, rlhf::evaluate_scores(data, scored.values, context.options));
    context.rewards.push_back(
        {reward->name(), std::move(evaluation), scored.truncated, reward->provenance()});
    if (progress) progress(context.rewards.size(), rewards.size());
  }
  return write(reward_eval_output(context), output);
}

}  // namespace

Result<UnseenData> unseen(const rlhf::PreferenceData& data,
                          std::span<const std::unique_ptr<rlhf::LearnedReward>> rewards,
                          std::vector<std::string>& notes) {
  const rlhf::Unseen left = rlhf::unseen_by(data, rewards);
  const std::size_t seen = data.comparisons.size() - left.places.size();
  if (left.places.empty()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: the model was trained on the prompts of all of it; --all measures "
                            "it on those",
                            data.file));
  }
  if (seen > 0) {
    notes.push_back(
        fmt::format("Trained on the prompts of {} of these comparisons; only the other {} count.",
                    seen, left.places.size()));
  }
  if (!left.unchecked.empty()) {
    notes.push_back(
        fmt::format("{} {} not say on which prompts it was trained: whether some of these are "
                    "among them was not checked.",
                    fmt::join(left.unchecked, ", "), left.unchecked.size() == 1 ? "does" : "do"));
  }
  return UnseenData{seen > 0 ? rlhf::subset_of(data, left.places) : data, seen};
}

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
  verb->add_option("--eval", command->eval,
                   "of pairs of several evaluations (`plumb eval pairs`) those of this one")
      ->type_name("NAME")
      ->check(not_empty());
  verb->add_option(
          "--scores", command->scores,
          "writes both scores of each comparison that most votes decide, for `plumb mismatch links "
          "--pairs`")
      ->type_name("FILE")
      ->check(not_empty());
  verb->add_flag("--all", command->all, "count what the models were trained on too");
  command->sampling.values.resamples = kEvalResamples;
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
