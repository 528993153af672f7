// plumb eval pairs: right and wrong answers to one prompt as preferences.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/eval_options.h"
#include "plumb/evals/pairs/eval_pairs.h"

namespace plumb::cli {
namespace {

struct PairsCommand {
  std::string suite, data, file;
  std::vector<std::string> outputs;
  std::size_t items = 0, shots = 5;
  double level = 0.95;
  evals::PairingOptions pairing;
  OutputOptions summary;

  Result<void> run() const;

 private:
  Result<evals::EvalPairs> pairs() const;
  report::EvalContext context(const evals::EvalPairs& pairs) const;
};

Result<evals::EvalPairs> PairsCommand::pairs() const {
  const evals::SuiteOptions options{data, items, shots};
  if (outputs.empty()) {
    PLUMB_TRY(loaded, evals::load_suite(suite, options));
    return evals::pair_choices(loaded, pairing);
  }
  PLUMB_TRY(graded, evals::grade_outputs(suite, outputs, options));
  return evals::pair_answers(graded, pairing);
}

report::EvalContext PairsCommand::context(const evals::EvalPairs& pairs) const {
  return {
      .suite = suite,
      .subject = outputs.empty() ? "its own choices" : fmt::format("{}", fmt::join(outputs, ", ")),
      .rows = evals::pair_baselines(pairs, level),
      .notes = evals::pair_notes(pairs),
      .level = level,
      .seed = pairing.seed};
}

Result<void> PairsCommand::run() const {
  if (summary.json && file.empty()) {
    return fail(ErrorKind::kUsage, "--json is of the summary: -o says where the pairs go");
  }
  PLUMB_TRY(made, pairs());
  std::string text;
  for (const evals::EvalPair& pair : made.all) text += to_text(pair_json(made, pair)) + "\n";
  if (file.empty()) {
    for (const std::string& note : evals::pair_notes(made)) fmt::print(stderr, "plumb: {}\n", note);
    return write_stdout(text);
  }
  if (auto written = write_file_atomic(file, text); !written) return written;
  return write_evaluation(context(made), summary);
}

void declare(CLI::App& verb, PairsCommand& command) {
  verb.add_option("SUITE", command.suite,
                  "gsm8k or xstest, of outputs; mmlu, arithmetic or cloze, of their choices")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb.add_option("--outputs", command.outputs,
                  "published solutions or completions with labels, or outputs to --data; of "
                  "several models, or several of one")
      ->type_name("FILE...")
      ->check(not_empty());
  verb.add_option("--data", command.data, "where a suite that is not built in has its items")
      ->type_name("PATH")
      ->check(not_empty());
  declare_count(verb, "--items", command.items, 0, "the first so many of each part alone; 0: all");
  declare_count(verb, "--shots", command.shots, 0, "mmlu: examples before the question");
  declare_count(verb, "--pairs", command.pairing.per_prompt, 0,
                "pairs of each prompt, at most; 0: all");
  verb.add_flag("--balance", command.pairing.balanced,
                "of any two models as many pairs in which the one is right as in which the other "
                "is: who wrote an answer says nothing");
  declare_number(verb, "--level", command.level, 0.5, 0.9999, "of the intervals");
  add_seed(verb, command.pairing.seed);
  verb.add_option("-o,--output", command.file,
                  "the pairs, as JSON lines with eval, prompt, chosen, rejected; standard output "
                  "unless given")
      ->type_name("FILE")
      ->check(not_empty());
  verb.add_flag("--json", command.summary.json, "the summary as one JSON object (plumb.eval/1)")
      ->group("Output");
}

}  // namespace

void add_eval_pairs(CLI::App& eval, Program& program) {
  auto command = std::make_shared<PairsCommand>();
  CLI::App* verb = eval.add_subcommand(
      "pairs",
      "Example:\n  plumb eval pairs gsm8k --outputs example_model_solutions.jsonl -o "
      "gsm8k.pairs.jsonl\n  plumb reward eval gsm8k.pairs.jsonl --model runs/rm/model\n\n"
      "Right and wrong answers to one prompt as preferences, on which reward models are measured "
      "and trained: solutions, compliance and refusal, choices.");
  declare(*verb, *command);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
