// plumb eval score: outputs and judgements that were written before.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>

#include "plumb/cli/eval_options.h"
#include "plumb/evals/imports/published.h"
#include "plumb/evals/suites/published.h"

namespace plumb::cli {
namespace {

struct ScoreCommand {
  SuiteArguments suite;
  ServerOptions server;
  std::vector<std::string> outputs;
  std::string against, judge = "longest";
  bool partial = false;

  Result<void> run() const;

 private:
  Result<evals::SuiteRun> score(const std::string& file) const;
  Result<evals::SuiteRun> score_published(const std::string& file) const;
  Result<evals::SuiteRun> score_suite(const std::string& file) const;
  stats::BootstrapOptions sampling() const;
};

stats::BootstrapOptions ScoreCommand::sampling() const {
  const stats::ResampleOptions& values = suite.sampling.values;
  return {.resamples = values.resamples,
          .level = suite.sampling.level,
          .seed = values.seed,
          .threads = values.threads};
}

Result<evals::SuiteRun> ScoreCommand::score_published(const std::string& file) const {
  evals::JudgeOptions judging{.log = server.log(judge), .concurrency = server.concurrency};
  judging.http.api_key = api_key();
  std::unique_ptr<evals::Judge> opened;
  if (suite.suite == "winrate") {
    PLUMB_TRY(made, evals::open_judge(judge, judging));
    opened = std::move(made);
  }
  return evals::score_published(suite.suite, file,
                                {.sampling = sampling(),
                                 .against = against,
                                 .judge = opened.get(),
                                 .progress = progress_bar("judging")});
}

// A file that brings its own prompts is scored by them, unless --data says what they must be.
Result<evals::SuiteRun> ScoreCommand::score_suite(const std::string& file) const {
  const bool solutions = suite.suite == "gsm8k" && evals::holds_model_solutions(file);
  const bool labelled = suite.suite == "xstest" && evals::holds_labelled_refusals(file);
  PLUMB_TRY(options, suite.run_options());
  std::optional<evals::Suite> loaded;
  if (!(solutions || labelled) || !suite.data.empty()) {
    PLUMB_TRY(made, evals::load_suite(suite.suite, suite.options()));
    loaded = std::move(made);
  }
  const evals::Suite* given = loaded ? &*loaded : nullptr;
  if (solutions) return evals::score_model_solutions(file, given, options);
  if (labelled) return evals::score_labelled_refusals(file, given, options);
  return evals::score_answers(*loaded, file, {.run = options, .partial = partial});
}

Result<evals::SuiteRun> ScoreCommand::score(const std::string& file) const {
  const bool published = evals::is_published_kind(suite.suite);
  auto scored = published ? score_published(file) : score_suite(file);
  if (!scored || outputs.size() < 2) return scored;
  for (evals::EvalRow& row : scored->rows) {
    if (row.model.empty()) row.model = file;
  }
  return scored;
}

Result<void> ScoreCommand::run() const {
  report::EvalContext context{.suite = suite.suite,
                              .subject = fmt::format("{}", fmt::join(outputs, ", ")),
                              .rows = {},
                              .level = suite.sampling.level,
                              .seed = suite.sampling.values.seed};
  for (const std::string& file : outputs) {
    PLUMB_TRY(scored, score(file));
    std::ranges::move(scored.rows, std::back_inserter(context.rows));
    std::ranges::move(scored.notes, std::back_inserter(context.notes));
  }
  return write_evaluation(context, suite.output);
}

}  // namespace

void add_eval_score(CLI::App& eval, Program& program) {
  auto command = std::make_shared<ScoreCommand>();
  CLI::App* verb = eval.add_subcommand(
      "score",
      "Example:\n  plumb eval score style --outputs outputs_rlhf.json --against "
      "outputs_sft.json\n\n"
      "Scores what was written and judged before: saved answers, outputs, annotations, results.");
  command->suite.declare(*verb);
  command->server.declare(*verb);
  verb->add_option("--outputs", command->outputs, "a file of outputs, judgements or results each")
      ->type_name("FILE")
      ->check(not_empty())
      ->required();
  verb->add_option("--against", command->against, "the outputs that they are compared with")
      ->type_name("FILE")
      ->check(not_empty());
  verb->add_option("--judge", command->judge,
                   "winrate: longest, shortest, or a chat server's address")
      ->check(not_empty())
      ->capture_default_str();
  verb->add_flag("--partial", command->partial, "items without an output are left out");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
