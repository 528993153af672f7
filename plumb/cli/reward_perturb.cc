// plumb reward perturb: what a reward model's scores do when completions change that say the same.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/feature_options.h"
#include "plumb/cli/reward_verbs.h"
#include "plumb/cli/tables_output.h"
#include "plumb/mismatch/perturbations/run_perturbations.h"
#include "plumb/report/mismatch/perturbation_report.h"
#include "plumb/rlhf/reward/open_reward.h"
#include "plumb/rlhf/reward/reward_ensemble.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kResamples = 1000, kPairs = 500;

struct PerturbCommand {
  std::string file, model, paraphrases, save;
  std::vector<std::string> answers, suffixes, openers;
  std::size_t pairs = kPairs;
  bool all = false;
  mismatch::PerturbationOptions options;
  SamplingOptions sampling;
  OutputOptions output;

  Result<void> run();

 private:
  Result<UnseenData> data(std::vector<std::string>& notes) const;
  Result<std::vector<mismatch::Perturbation>> perturbations() const;
  Result<void> report(report::PerturbationContext context) const;
};

// Of what a learnt reward was trained on only the held-out part.
Result<UnseenData> PerturbCommand::data(std::vector<std::string>& notes) const {
  PLUMB_TRY(read, rlhf::read_preferences(file, answers, progress_bar("reading preferences")));
  if (all || !rlhf::is_reward(model)) return UnseenData{std::move(read)};
  PLUMB_TRY(learned, rlhf::open_learned_reward({model}, feature_opener()));
  std::vector<std::unique_ptr<rlhf::LearnedReward>> rewards;
  rewards.push_back(std::move(learned));
  return unseen(read, rewards, notes);
}

Result<std::vector<mismatch::Perturbation>> PerturbCommand::perturbations() const {
  std::vector<mismatch::Perturbation> perturbations = mismatch::built_in_perturbations();
  for (std::size_t i = 0; i < suffixes.size(); ++i) {
    perturbations.push_back(
        mismatch::suffix_perturbation(fmt::format("suffix:given-{}", i + 1), suffixes[i]));
  }
  for (std::size_t i = 0; i < openers.size(); ++i) {
    perturbations.push_back(
        mismatch::opener_perturbation(fmt::format("opener:given-{}", i + 1), openers[i]));
  }
  if (paraphrases.empty()) return perturbations;
  PLUMB_TRY(given, mismatch::read_paraphrases(paraphrases));
  std::ranges::move(given, std::back_inserter(perturbations));
  return perturbations;
}

Result<void> PerturbCommand::report(report::PerturbationContext context) const {
  const auto whole = [&context](const auto& print) {
    return report::reward_perturbation_heading(context) + "\n" +
           print(report::reward_perturbation_table(context)) + "\n" +
           report::wrapped(report::reward_perturbation_notes(context)) + "\n";
  };
  return write(tables_output([&] { return report::reward_perturbation_json(context); },
                             [&] { return report::reward_perturbation_records(context); }, whole),
               output);
}

Result<void> PerturbCommand::run() {
  report::PerturbationContext context{.reward = model, .file = file};
  PLUMB_TRY(measured, data(context.notes));
  const rlhf::PreferenceData& read = measured.data;
  context.seen_left_out = measured.left_out;
  PLUMB_TRY(asked, perturbations());
  PLUMB_TRY(reward, rlhf::open_reward(model, feature_opener()));
  PLUMB_TRY(perturbed, mismatch::perturb(*reward, read, asked,
                                         {.pairs = pairs,
                                          .seed = sampling.values.seed,
                                          .threads = sampling.values.threads,
                                          .progress = progress_bar("perturbing")}));
  if (!save.empty()) {
    const std::string lines =
        mismatch::perturbation_lines(perturbed.perturbations, perturbed.prompts);
    if (auto saved = write_file_atomic(save, lines); !saved) return saved;
  }
  options.sampling = {.resamples = sampling.values.resamples,
                      .level = sampling.level,
                      .seed = sampling.values.seed,
                      .threads = sampling.values.threads};
  const auto unchanged = perturbed.unchanged();
  context.comparisons = read.comparisons.size();
  context.pairs = perturbed.pairs;
  context.prompts = perturbed.prompts.size();
  context.deviation = mismatch::within_prompt_deviation(unchanged);
  context.results = mismatch::measure_perturbations(perturbed.perturbations, options);
  context.ties = mismatch::tie_shares(unchanged, options);
  context.options = options;
  context.provenance = reward->provenance();
  return report(std::move(context));
}

void declare_perturbations(CLI::App& verb, PerturbCommand& command) {
  verb.add_option("--suffix", command.suffixes, "a phrase of yours after completions; repeatable")
      ->type_name("TEXT")
      ->check(not_empty())
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb.add_option("--opener", command.openers, "a phrase of yours before completions; repeatable")
      ->type_name("TEXT")
      ->check(not_empty())
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb.add_option(
          "--paraphrases", command.paraphrases,
          "paraphrases that somebody wrote: completion, paraphrase, and perturbation where there "
          "are several")
      ->type_name("FILE")
      ->check(not_empty());
  declare_count(verb, "--pairs", command.pairs, 0, "pairs, drawn from the data; 0: all");
  declare_number(verb, "--accuracy", command.options.accuracy, 1e-9, 1,
                 "a difference of accuracy from a half that does not matter");
  declare_number(verb, "--margin", command.options.margin, 0, 1e9,
                 "a difference of scores, in deviations, that is near a tie");
  verb.add_option("--save", command.save,
                  "writes the scores, for `plumb mismatch links --perturbations`")
      ->type_name("FILE")
      ->check(not_empty());
}

}  // namespace

void add_reward_perturb(CLI::App& reward, Program& program) {
  auto command = std::make_shared<PerturbCommand>();
  CLI::App* verb = reward.add_subcommand(
      "perturb",
      "Example:\n  plumb reward perturb preferences.jsonl --model runs/rm/model\n\n"
      "What scores do when completions change that say the same: phrases without content before "
      "and after them, other spellings, paraphrases of yours. How far the score moves, how many "
      "pairs turn, and whether right still beats wrong when wrong is dressed up.");
  verb->add_option("DATA", command->file, "comparisons, as plumb reward audit reads them")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("--model", command->model,
                   "a reward model, an ensemble's folder, or a program such as length")
      ->type_name("PATH")
      ->check(not_empty())
      ->required();
  verb->add_option("--answers", command->answers, "answers of annotators to a preference task")
      ->type_name("FILE...")
      ->check(not_empty());
  declare_perturbations(*verb, *command);
  verb->add_flag("--all", command->all, "count what the model was trained on too");
  command->sampling.values.resamples = kResamples;
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
