// plumb reward train: a reward model, or an ensemble of them, from comparisons.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "plumb/cli/lm_options.h"
#include "plumb/cli/reward_verbs.h"
#include "plumb/cli/training_line.h"
#include "plumb/rlhf/reward_ensemble.h"
#include "plumb/rlhf/reward_train.h"

namespace plumb::cli {
namespace {

namespace fs = std::filesystem;

struct TrainCommand {
  std::string file, run_folder, loss = "bradley-terry", schedule = "cosine";
  std::vector<std::string> answers;
  ModelOptions model;
  double rate = 1e-3, decay = 0.01, clip = 1.0, final_share = 0.1, noise = 0.1, margin = 0,
         centre = 0;
  std::size_t warmup = 10, members = 1;
  rlhf::RewardTrainOptions options;
  SamplingOptions sampling;
  bool json = false;

  Result<void> run();

 private:
  void fill_options();
  Result<std::vector<rlhf::RewardTrainReport>> train_members(const rlhf::PreferenceData& data);
  Result<void> report(std::vector<rlhf::RewardTrainReport>& reports) const;
  Result<void> save_members() const;
  std::string member_folder(std::size_t member) const { return fmt::format("member-{}", member); }
};

void TrainCommand::fill_options() {
  rlhf::RewardLossOptions& terms = options.loss;
  if (loss == "rao-kupper") terms.ties = rlhf::TieHandling::kRaoKupper;
  if (loss == "davidson") terms.ties = rlhf::TieHandling::kDavidson;
  if (loss == "smoothed") terms.label_smoothing = noise;
  if (loss == "noise-robust") terms.flip_rate = noise;
  terms.margin = margin;
  terms.centre = centre;
  options.schedule = {.kind = schedule == "constant" ? nn::Schedule::kConstant
                              : schedule == "linear" ? nn::Schedule::kLinear
                                                     : nn::Schedule::kCosine,
                      .rate = static_cast<float>(rate),
                      .final_share = static_cast<float>(final_share),
                      .warmup = warmup};
  options.adam.decay = static_cast<float>(decay);
  options.adam.clip = static_cast<float>(clip);
  options.threads = sampling.values.threads;
  options.split_seed = sampling.values.seed;
  options.evaluation = {.level = sampling.level, .sampling = sampling.values};
}

// Members share the split; the order of the comparisons and the head are their own.
Result<std::vector<rlhf::RewardTrainReport>> TrainCommand::train_members(
    const rlhf::PreferenceData& data) {
  std::vector<rlhf::RewardTrainReport> reports;
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

std::string summary_of(const rlhf::RewardTrainReport& r) {
  std::string text = fmt::format(
      "{} parameters, {} comparisons, {} steps{}: loss {:.3f} in the first tenth, {:.3f} in the "
      "last; {:.1f} % right in the last, as it learnt\n",
      r.parameters, r.comparisons, r.steps,
      r.resumed_from > 0 ? fmt::format(" (taken up at {})", r.resumed_from) : "", r.first_loss,
      r.last_loss, 100 * r.train_accuracy);
  if (r.tie_parameter) {
    text += fmt::format("the logarithm of the tie parameter is {:.3f}\n", *r.tie_parameter);
  }
  if (r.unlabelled > 0) {
    text += fmt::format("{} comparisons were left out: equal texts, or no vote\n", r.unlabelled);
  }
  return text + fmt::format("the model is {}\n", r.model.string());
}

// Each member's held-out comparisons are the same ones.
Result<void> TrainCommand::report(std::vector<rlhf::RewardTrainReport>& reports) const {
  report::RewardEvalContext context;
  context.data = &reports[0].held_out;
  context.options = options.evaluation;
  context.notes = {"These comparisons were held out of the training."};
  if (options.random_labels) context.notes.emplace_back("Labels are coins, not votes.");
  std::string text;
  Json trained = Json::array();
  for (rlhf::RewardTrainReport& one : reports) {
    text += summary_of(one);
    trained.push_back(json_of(one));
    if (!one.evaluation) continue;
    context.rewards.push_back({one.model.string(), *one.evaluation, one.truncated, {}});
  }
  if (members > 1) text += fmt::format("the ensemble is {}\n", run_folder);
  if (!json) {
    if (context.rewards.empty()) return write_stdout(text);
    return write_stdout(text + "\n" + reward_eval_output(context).text(terminal_of_stdout()));
  }
  Json all = {{"schema", "plumb.reward-train/1"}};
  all.update(trained[0]);
  all["evaluation"] = context.rewards.empty() ? Json(nullptr) : report::reward_eval_json(context);
  if (members > 1) {
    all["model"] = run_folder;
    all["members"] = trained;
  }
  return write_stdout(to_text(all, 2) + "\n");
}

Result<void> TrainCommand::run() {
  PLUMB_TRY(data, rlhf::read_preferences(file, answers, progress_bar("reading preferences")));
  fill_options();
  PLUMB_TRY(reports, train_members(data));
  if (members > 1) {
    if (auto saved = save_members(); !saved) return saved;
  }
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
                  "flipped); rao-kupper or davidson (ties are an outcome, how often is learnt)")
      ->type_name("NAME")
      ->check(one_of("bradley-terry, smoothed, noise-robust, rao-kupper, davidson"))
      ->capture_default_str()
      ->group("Loss");
  real("--noise", command.noise, 0.49, "the share that smoothed and noise-robust expect");
  real("--margin", command.margin, 1e6, "of the difference of scores, per unit of strength");
  real("--centre", command.centre, 1e6, "weight of the term that keeps scores about 0");
}

void declare_steps(CLI::App& verb, TrainCommand& command) {
  const auto count = [&](const char* name, std::size_t& value, std::uint64_t low,
                         const char* help) {
    verb.add_option(name, value, help)
        ->type_name("N")
        ->check(whole_number(low, 1'000'000'000))
        ->capture_default_str();
  };
  const auto real = [&](const char* name, double& value, double high, const char* help) {
    verb.add_option(name, value, help)
        ->type_name("X")
        ->check(number(0, high))
        ->capture_default_str();
  };
  count("--epochs", command.options.epochs, 1, "times that each comparison is seen");
  count("--batch", command.options.batch, 1, "comparisons a step");
  count("--members", command.members, 1, "models of an ensemble, which differ by their seed");
  count("--save-every", command.options.save_every, 1, "steps between two saved states");
  count("--evaluate-every", command.options.evaluate_every, 0,
        "steps between two looks at the held-out comparisons; 0: a tenth of all");
  real("--held-out", command.options.held_out, 0.9,
       "share of the comparisons to measure on, by prompt");
  real("--rate", command.rate, 10, "the highest learning rate");
  verb.add_option("--schedule", command.schedule, "how the rate falls: constant, linear, cosine")
      ->type_name("NAME")
      ->check(one_of("constant, linear, cosine"))
      ->capture_default_str();
  count("--warmup", command.warmup, 0, "steps in which the rate rises");
  real("--final-share", command.final_share, 1, "share of the rate that is left at the end");
  real("--weight-decay", command.decay, 10, "of matrices");
  real("--clip", command.clip, 1e6, "norm to which a gradient is scaled down; 0: never");
}

}  // namespace

void add_reward_train(CLI::App& reward, Program& program) {
  auto command = std::make_shared<TrainCommand>();
  CLI::App* verb = reward.add_subcommand(
      "train",
      "Example:\n  plumb reward train preferences.jsonl --model stories260k --run runs/rm\n\n"
      "A reward model from comparisons: a language model's layers under a head of one number. "
      "Taken up where it was killed; measured on prompts that it has not seen.");
  verb->add_option("DATA", command->file, "comparisons, as plumb reward audit reads them")
      ->type_name("")
      ->check(not_empty())
      ->required();
  command->model.declare(*verb);
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
  verb->add_flag("--random-labels", command->options.random_labels,
                 "coins in place of the votes: what is learnt from nothing");
  command->sampling.values.resamples = 1000;
  command->sampling.declare(*verb);
  verb->add_flag("--json", command->json, "one JSON object (docs/formats.md names its schema)")
      ->group("Output");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
