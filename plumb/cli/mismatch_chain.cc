// plumb mismatch chain: the whole chain on one small language model, from what it writes to the
// completions of every optimiser, with proxy and gold.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "plumb/cli/lm_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/mismatch/chain/chain.h"

namespace plumb::cli {
namespace {

// A bar for each stage.
class StageBars {
 public:
  void show(const std::string& stage, std::size_t done, std::size_t total) {
    if (stage != stage_) {
      stage_ = stage;
      bar_ = progress_bar(stage);
    }
    bar_(done, total);
  }

 private:
  std::string stage_;
  Progress bar_;
};

struct ChainCommand {
  ModelOptions model;
  std::string folder;
  std::vector<std::string> methods;
  mismatch::ChainOptions options;
  RunOptions run_options;

  Result<void> run();
};

Result<void> ChainCommand::run() {
  options.base = model.files();
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
  std::string lines;
  for (const auto* files : {&chain.samples, &chain.runs}) {
    for (const auto& file : *files) lines += file.string() + "\n";
  }
  return write_stdout(lines);
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
  verb.add_option("--run", command.folder, "the folder; taken up where it was killed")
      ->type_name("FOLDER")
      ->check(not_empty())
      ->required();
  verb.add_option("--gold", o.gold, "the truth: a planted world, a program, or a reward model")
      ->type_name("REWARD")
      ->check(not_empty())
      ->capture_default_str();
  verb.add_flag("--gold-model", o.gold_model,
                "the truth is a reward model that learnt from comparisons by --gold");
  count("--prompts", o.measured_prompts, 2, "prompts that are measured");
  count("--training-prompts", o.training_prompts, 2, "prompts of comparisons and optimisers");
  count("--prompt-words", o.prompt_words, 1, "words of what the model writes that are the prompt");
  count("--samples", o.samples, 2, "completions of each measured prompt, for best of n");
  count("--max-tokens", o.max_tokens, 1, "of a completion");
  count("--pairs", o.pairs, 1, "comparisons of each training prompt");
  verb.add_option("--noise", o.noise, "the share of comparisons that go against the gold")
      ->type_name("X")
      ->check(number(0, 0.5))
      ->capture_default_str();
  count("--epochs", o.epochs, 1, "of reward models");
  count("--members", o.members, 1, "reward models of the ensemble; 1: no ensemble");
  verb.add_option("--methods", command.methods, "rloo, grpo, ppo, dpo; all unless given")
      ->type_name("NAME")
      ->check(one_of("rloo, grpo, ppo, dpo"))
      ->delimiter(',');
  count("--steps", o.steps, 1, "of each optimiser");
  verb.add_option("--rate", o.rate, "of their steps")
      ->type_name("X")
      ->check(number(0, 10))
      ->capture_default_str();
  verb.add_option("--kl-budget", o.kl_budget, "nats from the start at which an optimiser ends")
      ->type_name("X")
      ->check(number(0, 1e9))
      ->capture_default_str();
}

}  // namespace

void add_mismatch_chain(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<ChainCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "chain",
      "Example:\n  plumb mismatch chain --model stories260K.bin --gold world:cheerful --run "
      "chain\n\n"
      "The whole chain on one small language model: comparisons with errors, reward models of "
      "three sizes and an ensemble, best of n, four optimisers; proxy and gold of all of them. "
      "Then "
      "`plumb mismatch measure`.");
  command->model.declare(*verb);
  declare(*verb, *command);
  command->run_options.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
