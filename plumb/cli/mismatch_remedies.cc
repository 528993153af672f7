// plumb mismatch remedies: what helps against over-optimisation, at equal compute.
#include <fmt/format.h>

#include <memory>

#include "plumb/cli/lm_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/stage_bars.h"
#include "plumb/cli/tables_output.h"
#include "plumb/mismatch/remedies/remedies.h"
#include "plumb/report/mismatch/remedies_report.h"

namespace plumb::cli {
namespace {

struct RemediesCommand {
  ModelOptions model;
  std::string folder;
  mismatch::RemedyOptions options;
  RunOptions run_options;
  OutputOptions output;

  Result<void> run();
};

Result<void> RemediesCommand::run() {
  options.base = model.files();
  options.folder = folder;
  options.seed = run_options.seed;
  options.threads = run_options.threads;
  StageBars bars;
  PLUMB_TRY(found, mismatch::run_remedies(options, [&](const auto& stage, auto done, auto total) {
              bars.show(stage, done, total);
            }));
  const auto whole = [&](auto format) {
    std::string text = format(report::mismatch_remedies_table(found));
    for (const std::string& note : report::mismatch_remedies_notes(found)) {
      text += "\n" + report::wrapped(note) + "\n";
    }
    return text;
  };
  return write(tables_output([&] { return report::mismatch_remedies_json(found, folder); },
                             [&] { return report::mismatch_remedies_records(found); }, whole),
               output);
}

void declare_strengths(CLI::App& verb, mismatch::RemedyOptions& o) {
  declare_number(verb, "--kl-budget", o.kl_budget, 0, 1e9, "nats, of the remedy kl-budget");
  declare_count(verb, "--members", o.members, 1, "reward models of the ensembles");
  declare_number(verb, "--weight", o.weight, 0, 1e6, "of the variance, of ensemble-uncertain");
  declare_number(verb, "--mix-weight", o.mix_weight, 0, 1e6,
                 "of the language-model loss, of pretraining-mix");
  declare_number(verb, "--temperature", o.temperature, 1e-6, 1e6,
                 "of soft-best-of-n, in deviations of the proxy within prompts");
}

void declare(CLI::App& verb, RemediesCommand& command) {
  mismatch::RemedyOptions& o = command.options;
  declare_run_and_gold(verb, command.folder, o.gold);
  verb.add_option("--remedies", o.remedies, "which; all unless given: " + mismatch::remedy_names())
      ->type_name("NAME")
      ->delimiter(',');
  declare_count(verb, "--prompts", o.measured_prompts, 2, "prompts that are measured");
  declare_count(verb, "--training-prompts", o.training_prompts, 2,
                "prompts of comparisons and policies");
  declare_count(verb, "--prompt-words", o.prompt_words, 1,
                "words of what the model writes that are the prompt");
  declare_count(verb, "--max-tokens", o.max_tokens, 1, "of a completion");
  declare_count(verb, "--pairs", o.pairs, 1, "comparisons of each training prompt");
  declare_number(verb, "--noise", o.noise, 0, 0.5, "the share of them that go against the gold");
  declare_count(verb, "--epochs", o.epochs, 1, "of reward models");
  declare_count(verb, "--samples", o.samples, 2,
                "completions of each measured prompt, for best of n");
  declare_count(verb, "--steps", o.steps, 1, "of each policy, by RLOO");
  declare_number(verb, "--rate", o.rate, 0, 10, "of these steps");
  declare_strengths(verb, o);
}

}  // namespace

void add_mismatch_remedies(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<RemediesCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "remedies",
      "Example:\n  plumb mismatch remedies --model stories260K.bin --gold world:cheerful --run "
      "remedies\n"
      "  plumb mismatch remedies --model stories260K.bin --run remedies --remedies "
      "kl-budget,ensemble-worst\n\n"
      "Remedies against over-optimisation, each a policy or a way to choose, by the gold that they "
      "earn at equal compute, paired over prompts; and which of them nothing tells apart.");
  command->model.declare(*verb);
  declare(*verb, *command);
  command->run_options.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
