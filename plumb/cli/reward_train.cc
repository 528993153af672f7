// plumb reward train: a reward model, or an ensemble of them, from comparisons.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>

#include "plumb/base/version.h"
#include "plumb/cli/feature_options.h"
#include "plumb/cli/lm_options.h"
#include "plumb/cli/reward_verbs.h"
#include "plumb/cli/training_line.h"
#include "plumb/rlhf/reward/feature_train.h"
#include "plumb/rlhf/reward/reward_ensemble.h"
#include "plumb/rlhf/reward/reward_train.h"

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;

struct TrainCommand {
  std::string file, run_folder, loss = "bradley-terry";
  std::vector<std::string> answers;
  ModelOptions model;
  RateOptions rates = {.warmup = 10};
  double decay = 0.01, noise = 0.1, margin = 0, centre = 0;
  std::size_t members = 1;
  FeatureOptions features;
  rlhf::RewardTrainOptions options;
  SamplingOptions sampling;
  bool json = false;

  Result<void> run();

 private:
  Result<void> fill_options();
  Result<rlhf::RewardTrainReport> train_on_features(const rlhf::PreferenceData& data) const;
  Result<std::vector<rlhf::RewardTrainReport>> train_members(const rlhf::PreferenceData& data);
  Result<void> report(std::vector<rlhf::RewardTrainReport>& reports) const;
  Result<void> save_members() const;
  std::string member_folder(std::size_t member) const { return fmt::format("member-{}", member); }
};

Result<void> TrainCommand::fill_options() {
  if (model.model.empty() == features.embedder.empty()) {
    return fail(ErrorKind::kUsage,
                "a reward model has a body: --model CHECKPOINT, or --features EMBEDDER");
  }
  if (loss == "plackett-luce" && (margin > 0 || centre > 0)) {
    return fail(ErrorKind::kUsage,
                "plackett-luce has no --margin and no --centre: it learns ranks");
  }
  if (loss == "plackett-luce") options.learnt = rlhf::Learnt::kRankings;
  rlhf::RewardLossOptions& terms = options.loss;
  if (loss == "rao-kupper") terms.ties = rlhf::TieHandling::kRaoKupper;
  if (loss == "davidson") terms.ties = rlhf::TieHandling::kDavidson;
  if (loss == "smoothed") terms.label_smoothing = noise;
  if (loss == "noise-robust") terms.flip_rate = noise;
  terms.margin = margin;
  terms.centre = centre;
  options.schedule = rates.values();
  options.adam.decay = static_cast<float>(decay);
  options.adam.clip = static_cast<float>(rates.clip);
  options.threads = sampling.values.threads;
  options.data.split_seed = sampling.values.seed;
  options.evaluation = {.level = sampling.level, .sampling = sampling.values};
  return {};
}

Result<rlhf::RewardTrainReport> TrainCommand::train_on_features(
    const rlhf::PreferenceData& data) const {
  PLUMB_TRY(opened, features.open());
  return rlhf::train_feature_reward(std::move(opened), data,
                                    {.run = run_folder,
                                     .data = options.data,
                                     .text = *rlhf::parse_feature_text(features.text),
                                     .learnt = options.learnt,
                                     .fit = {.loss = options.loss, .l2 = features.l2},
                                     .evaluation = options.evaluation,
                                     .threads = options.threads});
}

// Members share the split; the order of the comparisons and the head are their own.
Result<std::vector<rlhf::RewardTrainReport>> TrainCommand::train_members(
    const rlhf::PreferenceData& data) {
  std::vector<rlhf::RewardTrainReport> reports;
  if (!features.embedder.empty()) {
    PLUMB_TRY(report, train_on_features(data));
    reports.push_back(std::move(report));
    return reports;
  }
  for (std::size_t member = 1; member <= members; ++member) {
    options.seed = sampling.values.seed + member - 1;
    options.run =
        members == 1 ? fs::path(run_folder) : fs::path(run_folder) / member_folder(member);
    TrainingLine line(members == 1 ? "" : fmt::format("member {} of {}", member, members));
    PLUMB_TRY(report, rlhf::train_reward(model.files(), data, options,
                                         [&](const lm::TrainStatus& s) { line.show(s); }));
    reports.push_back(std::move(report));
  }
  return reports;
}

Result<void> TrainCommand::save_members() const {
  std::vector<std::string> folders;
  for (std::size_t member = 1; member <= members; ++member) {
    folders.push_back(member_folder(member) + "/model");
  }
  return rlhf::save_ensemble(run_folder, folders, {});
}

Json json_of(const rlhf::RewardTrainReport& report) {
  return {{"model", report.model.string()},
          {"steps", report.steps},
          {"resumed_from", report.resumed_from},
          {"parameters", report.parameters},
          {"comparisons", report.comparisons},
          {"held_out", report.held_out.comparisons.size()},
          {"unlabelled", report.unlabelled},
          {"truncated", report.truncated},
          {"first_loss", report.first_loss},
          {"last_loss", report.last_loss},
          {"train_accuracy", report.train_accuracy},
          {"log_tie_parameter", report.tie_parameter ? Json(*report.tie_parameter) : Json(nullptr)},
          {"seconds", report.seconds}};
}

std::string summary_of(const rlhf::RewardTrainReport& r, bool on_features) {
  std::string text = fmt::format(
      "{} parameters, {} comparisons, {} steps{}: ", r.parameters, r.comparisons, r.steps,
      r.resumed_from > 0 ? fmt::format(" (taken up at {})", r.resumed_from) : "");
  text += on_features
              ? fmt::format("loss {:.3f} at weights of 0, {:.3f} at the best; {:.1f} % right\n",
                            r.first_loss, r.last_loss, 100 * r.train_accuracy)
              : fmt::format(
                    "loss {:.3f} in the first tenth, {:.3f} in the last; {:.1f} % right in "
                    "the last, as it learnt\n",
                    r.first_loss, r.last_loss, 100 * r.train_accuracy);
  if (r.tie_parameter) {
    text += fmt::format("the logarithm of the tie parameter is {:.3f}\n", *r.tie_parameter);
  }
  if (r.unlabelled > 0) {
    text += fmt::format("{} comparisons were left out: equal texts, or no vote\n", r.unlabelled);
  }
  if (r.truncated > 0) {
    text += fmt::format("{} texts are beyond the context, and were read without their beginning\n",
                        r.truncated);
  }
  return text + fmt::format("the model is {}\n", r.model.string());
}

// On stderr, what a reader of the file would want to mend: how many of each kind, and the first.
void tell_defects(const rlhf::PreferenceData& data) {
  constexpr std::size_t kShown = 3;
  for (const rlhf::Defect& defect : data.defects) {
    const std::span<const std::string> all = defect.where;
    fmt::print(stderr, "plumb: {} of {} comparisons: {} ({}{})\n", all.size(),
               data.comparisons.size(), defect.meaning,
               fmt::join(all.first(std::min(kShown, all.size())), ", "),
               all.size() > kShown ? ", ..." : "");
  }
}

// Each member's held-out comparisons are the same ones.
Result<void> TrainCommand::report(std::vector<rlhf::RewardTrainReport>& reports) const {
  report::RewardEvalContext context;
  context.data = &reports[0].held_out;
  context.options = options.evaluation;
  context.notes = {"These comparisons were held out of the training."};
  if (options.data.random_labels) context.notes.emplace_back("Labels are coins, not votes.");
  std::string text;
  Json trained = Json::array();
  for (rlhf::RewardTrainReport& one : reports) {
    text += summary_of(one, !features.embedder.empty());
    trained.push_back(json_of(one));
    if (!one.evaluation) continue;
    context.rewards.push_back({one.model.string(), *one.evaluation, one.held_out_truncated, {}});
  }
  if (members > 1) text += fmt::format("the ensemble is {}\n", run_folder);
  if (!json) {
    if (context.rewards.empty()) return write_stdout(text);
    return write_stdout(text + "\n" + reward_eval_output(context).text(terminal_of_stdout()));
  }
  Json all = {{"schema", "plumb.reward-train/1"}, {"version", kVersion}};
  all.update(trained[0]);
  all["evaluation"] = context.rewards.empty() ? Json(nullptr) : report::reward_eval_json(context);
  if (members > 1) {
    all["model"] = run_folder;
    all["members"] = trained;
  }
  return write_stdout(to_text(all, 2) + "\n");
}

Result<void> TrainCommand::run() {
  if (auto filled = fill_options(); !filled) return filled;
  PLUMB_TRY(data, rlhf::read_preferences(file, answers, progress_bar("reading preferences")));
  PLUMB_TRY(reports, train_members(data));
  if (members > 1) {
    if (auto saved = save_members(); !saved) return saved;
  }
  tell_defects(data);
  return report(reports);
}

void declare_loss(CLI::App& verb, TrainCommand& command) {
  const auto real = [&](const char* name, double& value, double high, const char* help) {
    verb.add_option(name, value, help)
        ->type_name("X")
        ->check(number(0, high))
        ->capture_default_str()
        ->group("Loss");
  };
  verb.add_option("--loss", command.loss,
                  "bradley-terry; smoothed or noise-robust (a share --noise of the labels is "
                  "flipped); rao-kupper or davidson (ties are an outcome, how often is learnt); "
                  "plackett-luce (whole rankings)")
      ->type_name("NAME")
      ->check(one_of("bradley-terry, smoothed, noise-robust, rao-kupper, davidson, plackett-luce"))
      ->capture_default_str()
      ->group("Loss");
  real("--noise", command.noise, 0.49, "the share that smoothed and noise-robust expect");
  real("--margin", command.margin, 1e6, "of the difference of scores, per unit of strength");
  real("--centre", command.centre, 1e6, "weight of the term that keeps scores about 0");
}

void declare_steps(CLI::App& verb, TrainCommand& command) {
  declare_count(verb, "--epochs", command.options.epochs, 1, "times that each comparison is seen");
  declare_count(verb, "--batch", command.options.batch, 1, "comparisons a step, or rankings");
  declare_count(verb, "--members", command.members, 1,
                "models of an ensemble, which differ by their seed");
  declare_count(verb, "--save-every", command.options.save_every, 1,
                "steps between two saved states");
  declare_count(verb, "--evaluate-every", command.options.evaluate_every, 0,
                "steps between two looks at the held-out comparisons; 0: a quarter of all");
  declare_number(verb, "--held-out", command.options.data.held_out, 0, 0.9,
                 "share of the comparisons to measure on, by prompt");
  command.rates.declare(verb);
  declare_number(verb, "--weight-decay", command.decay, 0, 10, "of matrices");
}

}  // namespace

void add_reward_train(CLI::App& reward, Program& program) {
  auto command = std::make_shared<TrainCommand>();
  CLI::App* verb = reward.add_subcommand(
      "train",
      "Example:\n  plumb reward train preferences.jsonl --model stories260k --run runs/rm\n\n"
      "A reward model from comparisons: a language model's layers under a head of one number, or "
      "with --features a line over an embedder's vectors. "
      "Taken up where it was killed; measured on prompts that it has not seen.");
  verb->add_option("DATA", command->file, "comparisons, as plumb reward audit reads them")
      ->type_name("")
      ->check(not_empty())
      ->required();
  command->model.declare(*verb, false);
  verb->add_option("--run", command->run_folder,
                   "the run's folder; the model goes to FOLDER/model, of an ensemble to "
                   "FOLDER/member-N/model")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  verb->add_option("--answers", command->answers, "answers of annotators to a preference task")
      ->type_name("FILE...")
      ->check(not_empty());
  declare_steps(*verb, *command);
  declare_loss(*verb, *command);
  command->features.declare(*verb);
  // What only a training of many steps has.
  for (const char* name : {"--model", "--tokenizer", "--epochs", "--batch", "--members",
                           "--save-every", "--evaluate-every", "--rate", "--weight-decay"}) {
    verb->get_option("--features")->excludes(verb->get_option(name));
  }
  verb->add_flag("--random-labels", command->options.data.random_labels,
                 "coins in place of the votes: what is learnt from nothing");
  command->sampling.values.resamples = 1000;
  command->sampling.declare(*verb);
  verb->add_flag("--json", command->json, "one JSON object (docs/formats.md names its schema)")
      ->group("Output");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
