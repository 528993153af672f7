// plumb mismatch population: many reward models, and which of their metrics foretells the gold of
// the policy that each chooses.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "plumb/cli/lm_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/stage_bars.h"
#include "plumb/cli/tables_output.h"
#include "plumb/mismatch/population/population.h"
#include "plumb/report/mismatch/population_report.h"

namespace plumb::cli {
namespace {

struct PopulationCommand {
  ModelOptions model;
  std::string folder;
  mismatch::PopulationOptions options;
  SamplingOptions sampling;
  OutputOptions output;

  Result<void> run();
};

Result<void> PopulationCommand::run() {
  options.base = model.files();
  options.folder = folder;
  options.seed = sampling.values.seed;
  options.threads = sampling.values.threads;
  options.correlation.sampling.resamples = sampling.values.resamples;
  options.correlation.sampling.level = sampling.level;
  StageBars bars;
  PLUMB_TRY(found, mismatch::run_population(options, [&](const auto& stage, auto done, auto total) {
              bars.show(stage, done, total);
            }));
  const auto whole = [&](auto format) {
    std::string text = format(report::population_correlation_table(found)) + "\n" +
                       format(report::population_member_table(found));
    for (const std::string& note : report::mismatch_population_notes(found)) {
      text += "\n" + report::wrapped(note) + "\n";
    }
    return text;
  };
  return write(tables_output([&] { return report::mismatch_population_json(found, folder); },
                             [&] { return report::mismatch_population_records(found); }, whole),
               output);
}

void declare_grid(CLI::App& verb, mismatch::MemberGrid& grid) {
  verb.add_option(
          "--layers", grid.layers,
          "sizes of reward models, in layers of the base model; unless given one, half, all")
      ->type_name("N")
      ->check(whole_number(1, 1000))
      ->delimiter(',');
  verb.add_option("--data", grid.amounts, "amounts of data: shares of the training prompts")
      ->type_name("X")
      ->check(number(0.001, 1))
      ->delimiter(',')
      ->default_str(fmt::format("{}", fmt::join(grid.amounts, ",")));
  verb.add_option("--noise", grid.noises, "errors: shares of comparisons that go against the gold")
      ->type_name("X")
      ->check(number(0, 0.5))
      ->delimiter(',')
      ->default_str(fmt::format("{}", fmt::join(grid.noises, ",")));
  declare_count(verb, "--seeds", grid.seeds, 1, "reward models of each size, amount and noise");
}

void declare(CLI::App& verb, PopulationCommand& command) {
  mismatch::PopulationOptions& o = command.options;
  declare_run_and_gold(verb, command.folder, o.gold);
  declare_grid(verb, o.grid);
  declare_count(verb, "--epochs", o.epochs, 1, "of reward models");
  declare_count(verb, "--prompts", o.measured_prompts, 2, "prompts that the gold is measured on");
  declare_count(verb, "--validation-prompts", o.validation_prompts, 2,
                "prompts of the pairs that reward models are judged by");
  declare_count(verb, "--training-prompts", o.training_prompts, 2, "prompts of the comparisons");
  declare_count(verb, "--prompt-words", o.prompt_words, 1,
                "words of what the model writes that are the prompt");
  declare_count(verb, "--samples", o.samples, 2, "completions of each measured prompt");
  declare_count(verb, "-n,--best-of", o.n, 1, "the policy: the best of so many of them");
  declare_count(verb, "--max-tokens", o.max_tokens, 1, "of a completion");
  declare_count(verb, "--pairs", o.pairs, 1, "of each training and of each validation prompt");
  declare_number(verb, "--people-noise", o.people_noise, 0, 0.5,
                 "errors of the votes on the validation pairs \"people\"");
  declare_count(verb, "--attacks", o.attacks, 0,
                "reward models, from the highest gold on, whose head is ruined at equal loss");
  declare_count(verb, "--rloo-steps", o.rloo_steps, 0,
                "steps of RLOO on each reward model; 0: best of n alone");
  declare_number(verb, "--rate", o.rate, 0, 10, "of these steps");
  declare_number(verb, "--resolution", o.correlation.resolution, 0, 1,
                 "a correlation that would not matter");
}

}  // namespace

void add_mismatch_population(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<PopulationCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "population",
      "Example:\n  plumb mismatch population --model stories260K.bin --gold world:cheerful --run "
      "population\n\n"
      "Many reward models of several sizes, seeds, amounts and errors of data, each measured on "
      "several distributions of pairs, and the gold of the policy that each chooses: which metric "
      "of a reward model foretells what it is good for?");
  command->sampling.values.resamples = command->options.correlation.sampling.resamples;
  command->model.declare(*verb);
  declare(*verb, *command);
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
