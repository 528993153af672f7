// plumb mismatch chain: the whole chain on one small language model, from what it writes to the
// completions of every optimiser, with proxy and gold.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "plumb/cli/feature_options.h"
#include "plumb/cli/given_command.h"
#include "plumb/cli/lm_options.h"
#include "plumb/cli/measure_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/stage_bars.h"
#include "plumb/mismatch/chain/chain.h"
#include "plumb/report/mismatch/measure_report.h"
#include "plumb/report/mismatch_report.h"

namespace plumb::cli {
namespace {

struct ChainCommand {
  const CLI::App* verb = nullptr;
  ModelOptions model;
  std::string folder;
  std::vector<std::string> methods;
  mismatch::ChainOptions options;
  RunOptions run_options;
  OutputOptions output;

  Result<void> run();

 private:
  Result<void> print(std::span<const mismatch::RunMeasure> runs,
                     const mismatch::MeasureOptions& how) const;
};

Result<void> ChainCommand::run() {
  options.base = model.files();
  options.features = feature_opener();
  options.folder = folder;
  options.seed = run_options.seed;
  options.threads = run_options.threads;
  if (!methods.empty()) {
    std::erase_if(options.methods, [&](rlhf::Method method) {
      return std::ranges::find(methods, rlhf::method_name(method)) == methods.end();
    });
  }
  StageBars bars;
  PLUMB_TRY(chain, mismatch::run_chain(options, [&](const auto& stage, auto done, auto total) {
              bars.show(stage, done, total);
            }));
  MeasureArguments measured;
  measured.sampling.values = {.seed = run_options.seed, .threads = run_options.threads};
  for (const auto* files : {&chain.samples, &chain.runs}) {
    for (const auto& file : *files) measured.runs.push_back(file.string());
  }
  PLUMB_TRY(runs, measured.measure());
  return print(runs, measured.options());
}

// The gold's curve of every optimiser, under its name.
std::vector<mismatch::CurveReport> gold_curves(std::span<const mismatch::RunMeasure> runs) {
  std::vector<mismatch::CurveReport> curves;
  for (const mismatch::RunMeasure& run : runs) {
    // A run folder's last trajectory is that of its steps; samples have the best of n alone.
    for (const mismatch::CurveReport& curve : run.trajectories.back().curves) {
      if (curve.name == "gold") curves.emplace_back(curve).name = run.name;
    }
  }
  return curves;
}

Result<void> ChainCommand::print(std::span<const mismatch::RunMeasure> runs,
                                 const mismatch::MeasureOptions& how) const {
  const report::MeasureContext context{how, given_command(*verb)};
  const auto curves = gold_curves(runs);
  mismatch::FitOptions fitting;
  fitting.sampling = how.sampling;
  const report::MismatchFitContext fitted{folder, fitting};
  const std::string heading = fmt::format(
      "Gold against d = sqrt(KL): best of n by each reward model ({} samples of {} prompts), and "
      "optimisers on the one of the middle size\n\n",
      options.samples, options.measured_prompts);
  const std::string few = report::few_prompts_notes(curves);
  const std::string after = fmt::format(
      "{1}\nProxy, gap and stopping rules: plumb mismatch measure {0}/samples/*.jsonl "
      "{0}/policies/*\nThe page: plumb report mismatch {0}/policies/* -o mismatch.html\n",
      folder, few.empty() ? "" : "\n" + few + "\n");
  return write(
      {.json = [&] { return report::mismatch_measure_json(runs, context); },
       .records = [&] { return report::mismatch_fit_records(curves); },
       .text =
           [&](auto terminal) {
             return heading + to_terminal(report::mismatch_fit_table(curves, fitted), terminal) +
                    after;
           },
       .markdown =
           [&] {
             return heading + to_markdown(report::mismatch_fit_table(curves, fitted)) + after;
           }},
      output);
}

void declare(CLI::App& verb, ChainCommand& command) {
  mismatch::ChainOptions& o = command.options;
  const auto count = [&](const char* name, std::size_t& value, std::uint64_t low,
                         const char* help) {
    verb.add_option(name, value, help)
        ->type_name("N")
        ->check(whole_number(low, 1'000'000))
        ->capture_default_str();
  };
  declare_run_and_gold(verb, command.folder, o.gold);
  verb.add_flag("--gold-model", o.gold_model,
                "the truth is a reward model that learnt from comparisons by --gold");
  count("--prompts", o.measured_prompts, 2, "prompts that are measured");
  count("--training-prompts", o.training_prompts, 2, "prompts of comparisons and optimisers");
  count("--prompt-words", o.prompt_words, 1, "words of what the model writes that are the prompt");
  count("--samples", o.samples, 2, "completions of each measured prompt, for best of n");
  count("--max-tokens", o.max_tokens, 1, "of a completion");
  count("--pairs", o.pairs, 1, "comparisons of each training prompt");
  declare_number(verb, "--noise", o.noise, 0, 0.5,
                 "the share of comparisons that go against the gold");
  count("--epochs", o.epochs, 1, "of reward models");
  count("--members", o.members, 1, "reward models of the ensemble; 1: no ensemble");
  verb.add_option("--methods", command.methods, "rloo, grpo, ppo, dpo; all unless given")
      ->type_name("NAME")
      ->check(one_of("rloo, grpo, ppo, dpo"))
      ->delimiter(',');
  count("--steps", o.steps, 1, "of each optimiser");
  declare_number(verb, "--rate", o.rate, 0, 10, "of their steps");
  declare_number(verb, "--kl-budget", o.kl_budget, 0, 1e9,
                 "nats from the start at which an optimiser ends");
}

}  // namespace

void add_mismatch_chain(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<ChainCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "chain",
      "Example:\n  plumb mismatch chain --model stories260K.bin --gold world:cheerful --run "
      "chain\n\n"
      "The whole chain on one small language model: comparisons with errors, reward models of "
      "three sizes and an ensemble, best of n, four optimisers; and how the gold went with each.");
  command->model.declare(*verb);
  declare(*verb, *command);
  command->run_options.declare(*verb);
  command->output.declare(*verb);
  command->verb = verb;
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
