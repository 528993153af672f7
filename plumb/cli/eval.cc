// plumb eval: evaluations of models that write.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "plumb/base/hash.h"
#include "plumb/cli/eval_options.h"
#include "plumb/evals/imports/published.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kResamples = 1000;

struct ListCommand {
  OutputOptions output;

  Result<void> run() const {
    return write(
        {.json = [] { return report::eval_list_json(); },
         .records = [] { return report::eval_list_table(); },
         .text =
             [](auto terminal) { return report::to_terminal(report::eval_list_table(), terminal); },
         .markdown = [] { return report::to_markdown(report::eval_list_table()); }},
        output);
  }
};

void add_eval_list(CLI::App& eval, Program& program) {
  auto command = std::make_shared<ListCommand>();
  CLI::App* verb = eval.add_subcommand("list",
                                       "Example:\n  plumb eval list\n\n"
                                       "The suites: what each asks of a model, its size, what "
                                       "guessing gets, and the data it needs.");
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace

void SuiteArguments::declare(CLI::App& verb) {
  verb.add_option("SUITE", suite, "the suite; `plumb eval list` names them all")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb.add_option("--data", data, "where a suite that is not built in has its items")
      ->type_name("PATH")
      ->check(not_empty());
  declare_count(verb, "--items", items, 0, "the first so many items of each part alone; 0: all");
  declare_count(verb, "--shots", shots, 0,
                "examples before the question, where the data have some");
  verb.add_option("--labelled", labelled,
                  "xstest: completions with people's labels, by which string matches are corrected")
      ->type_name("FILE")
      ->check(not_empty());
  sampling.values.resamples = kResamples;
  sampling.declare(verb);
  output.declare(verb);
}

Result<evals::RunOptions> SuiteArguments::run_options() const {
  evals::RunOptions options{.level = sampling.level, .seed = sampling.values.seed};
  if (labelled.empty()) return options;
  PLUMB_TRY(read, evals::read_xstest_completions(labelled));
  options.labelled = std::move(read.items);
  return options;
}

void ServerOptions::declare(CLI::App& verb) {
  verb.add_option("--cache", cache, "folder for replies, from which a run goes on")
      ->type_name("FOLDER")
      ->check(not_empty());
  verb.add_option("--concurrency", concurrency, "requests under way at once, at most")
      ->check(whole_number(1, 64))
      ->capture_default_str();
}

std::string ServerOptions::log(const std::string& server) const {
  EmbedderOptions folder;
  folder.cache = cache;
  return (std::filesystem::path(folder.cache_folder()) /
          fmt::format("replies-{}.jsonl", sha256(server).substr(0, 12)))
      .string();
}

Result<void> write_evaluation(const report::EvalContext& context, const OutputOptions& output) {
  const std::string heading = report::eval_heading(context) + "\n";
  const auto notes = [&] { return "\n" + report::wrapped(report::eval_notes(context)) + "\n"; };
  return write(
      {.json = [&] { return report::eval_json(context); },
       .records = [&] { return report::eval_records(context); },
       .text =
           [&](auto terminal) {
             return heading + to_terminal(report::eval_table(context), terminal) + notes();
           },
       .markdown = [&] { return heading + to_markdown(report::eval_table(context)) + notes(); }},
      output);
}

void add_eval(CLI::App& app, Program& program) {
  CLI::App* verb =
      app.add_subcommand("eval",
                         "Example:\n  plumb eval run arithmetic --model story-model/\n\n"
                         "Evaluations of models that write: suites that are asked, "
                         "and outputs and judgements that are scored.");
  verb->require_subcommand(1);
  add_eval_list(*verb, program);
  add_eval_pairs(*verb, program);
  add_eval_run(*verb, program);
  add_eval_score(*verb, program);
}

}  // namespace plumb::cli
