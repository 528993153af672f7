// plumb study freeze: no more answers. plumb study guidelines: what annotators are told.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/text/lines.h"

namespace plumb::cli {
namespace {

struct FreezeCommand {
  StudyOptions where;
  bool reopen = false;

  Result<void> run() const;
};

Result<void> FreezeCommand::run() const {
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kWrite));
  if (reopen) return open.study.reopen();
  PLUMB_TRY(hash, open.study.freeze());
  return write_stdout(hash + "\n");
}

struct GuidelinesCommand {
  StudyOptions where;
  std::string file;

  Result<void> run() const;
};

Result<void> GuidelinesCommand::run() const {
  if (file.empty()) {
    PLUMB_TRY(open, open_study(where, study::Store::Mode::kRead));
    PLUMB_TRY(now, open.study.guidelines());
    fmt::print(stderr, "version {}\n", now.version);
    return write_stdout(now.markdown);
  }
  PLUMB_TRY(text, read_file(file));
  if (first_bad_utf8(text)) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: bytes that are no UTF-8", file));
  }
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kWrite));
  PLUMB_TRY(version, open.study.set_guidelines(text));
  fmt::print(stderr, "version {} of the guidelines of study {}\n", version,
             report::printable(where.name));
  return {};
}

}  // namespace

void add_study_freeze(CLI::App& study, Program& program) {
  auto command = std::make_shared<FreezeCommand>();
  CLI::App* verb = study.add_subcommand(
      "freeze",
      "Example:\n  plumb study freeze demo\n\n"
      "Ends a study: it gives out no more items, and answers that still come are kept outside "
      "every "
      "count. Prints the SHA-256 of the exported answers, which a publication can name.");
  command->where.declare(*verb);
  verb->add_flag("--reopen", command->reopen, "take it back");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

void add_study_guidelines(CLI::App& study, Program& program) {
  auto command = std::make_shared<GuidelinesCommand>();
  CLI::App* verb = study.add_subcommand(
      "guidelines",
      "Example:\n  plumb study guidelines demo rules.md\n\n"
      "What annotators are told: prints it, or with a file makes it the next version. Every answer "
      "keeps the version that was shown with its item.");
  command->where.declare(*verb);
  verb->add_option("FILE", command->file, "a Markdown file")->type_name("")->check(not_empty());
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
