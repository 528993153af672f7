// plumb eval run: a suite asked of a checkpoint or a server.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/eval_options.h"
#include "plumb/cli/lm_options.h"
#include "plumb/evals/writers/kept_writer.h"
#include "plumb/evals/writers/local_writer.h"
#include "plumb/evals/writers/remote_writer.h"

namespace plumb::cli {
namespace {

struct RunCommand {
  SuiteArguments suite;
  ModelOptions model;
  ServerOptions server;
  bool chat = false, unconditional = false, no_cache = false;
  std::string save;
  std::size_t max_tokens = 0;
  double temperature = 0;

  Result<void> run() const;

 private:
  Result<void> ask(evals::Writer& writer, const evals::Suite& loaded) const;
  Result<std::unique_ptr<evals::Writer>> open_server() const;
};

Result<std::unique_ptr<evals::Writer>> RunCommand::open_server() const {
  PLUMB_TRY(spec, raters::parse_remote_spec(model.model));
  evals::RemoteWriterOptions options{
      .log = server.log(model.model), .concurrency = server.concurrency, .chat = chat};
  options.http.api_key = api_key();
  return evals::make_remote_writer(spec, std::move(options));
}

Result<void> save_answers(const std::string& file, std::span<const Json> answers) {
  std::string text;
  for (const Json& answer : answers) text += to_text(answer) + "\n";
  return write_file_atomic(file, text);
}

Result<void> RunCommand::ask(evals::Writer& writer, const evals::Suite& loaded) const {
  PLUMB_TRY(options, suite.run_options());
  options.temperature = temperature;
  options.unconditional = unconditional;
  if (max_tokens > 0) options.max_tokens = max_tokens;
  options.progress = progress_bar(suite.suite);
  PLUMB_TRY(done, evals::run_suite(loaded, writer, options));
  if (!save.empty()) {
    if (auto saved = save_answers(save, done.answers); !saved) return saved;
  }
  return write_evaluation({.suite = suite.suite,
                           .subject = writer.name(),
                           .rows = std::move(done.rows),
                           .notes = std::move(done.notes),
                           .level = suite.sampling.level,
                           .seed = suite.sampling.values.seed,
                           .provenance = writer.provenance()},
                          suite.output);
}

Result<void> RunCommand::run() const {
  PLUMB_TRY(loaded, evals::load_suite(suite.suite, suite.options()));
  if (raters::is_remote(model.model)) {
    if (no_cache) {
      return fail(ErrorKind::kUsage, "--no-cache is for checkpoints: replies of a server are kept");
    }
    PLUMB_TRY(writer, open_server());
    return ask(*writer, loaded);
  }
  if (chat) return fail(ErrorKind::kUsage, "--chat is for servers: a checkpoint completes texts");
  PLUMB_TRY(checkpoint, lm::load_language_model(model.files()));
  auto writer = evals::make_local_writer(checkpoint, suite.sampling.values.threads);
  if (no_cache) return ask(*writer, loaded);
  const std::string log = server.log(to_text(writer->provenance()));
  auto kept = evals::make_kept_writer(std::move(writer), log);
  if (!kept) {
    return fail(kept.error().kind,
                kept.error().message + "; --cache names another folder, --no-cache keeps none");
  }
  return ask(**kept, loaded);
}

}  // namespace

void add_eval_run(CLI::App& eval, Program& program) {
  auto command = std::make_shared<RunCommand>();
  CLI::App* verb = eval.add_subcommand(
      "run",
      "Example:\n  plumb eval run mmlu --data mmlu/ --model http://localhost:8080/v1#some-model\n\n"
      "Asks a model the items of a suite and scores what it answers, beside trivial answers.");
  command->suite.declare(*verb);
  command->model.declare(*verb);
  command->server.declare(*verb);
  verb->add_flag("--chat", command->chat, "a server's chat completions in place of completions");
  verb->add_flag("--unconditional", command->unconditional,
                 "asks for choices without a context too: acc_mutual_info");
  verb->add_flag("--no-cache", command->no_cache,
                 "keeps nothing that a checkpoint says: a run that is stopped starts anew");
  verb->add_option("--save", command->save, "what the model answered, for `plumb eval score`")
      ->type_name("FILE")
      ->check(not_empty());
  declare_count(*verb, "--max-tokens", command->max_tokens, 0,
                "of a completion, at most; 0: as the suite says");
  declare_number(*verb, "--temperature", command->temperature, 0, 100,
                 "0: always the likeliest token");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
