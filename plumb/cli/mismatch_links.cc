// plumb mismatch links: the three links of a chain of RLHF, with verdicts, and the swap tests.
#include <memory>

#include "plumb/cli/given_command.h"
#include "plumb/cli/links_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/tables_output.h"

namespace plumb::cli {
namespace {

struct LinksCommand {
  const CLI::App* verb = nullptr;
  LinksArguments arguments;
  OutputOptions output;

  Result<void> run() const;
};

Result<void> LinksCommand::run() const {
  PLUMB_TRY(found, arguments.measure());
  const mismatch::LinkReport& links = found.report;
  const report::LinksContext context{given_command(*verb), found.inputs};
  const auto parts = [&](auto format) {
    std::string text;
    for (const report::LinksPart& part : report::links_parts(links)) {
      text += part.heading + "\n\n" + format(part.table) + "\n";
    }
    for (const std::string& note : report::links_notes(links)) {
      text += report::wrapped(note) + "\n\n";
    }
    text.pop_back();
    return text;
  };
  return write(tables_output([&] { return report::links_json(links, context); },
                             [&] { return report::links_records(links); }, parts),
               output);
}

}  // namespace

void add_mismatch_links(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<LinksCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "links",
      "Example:\n  plumb mismatch links runs/grpo\n"
      "  plumb mismatch links runs/grpo --evals evals.jsonl --gold-run runs/grpo-gold\n"
      "  plumb mismatch links runs/s1 runs/s2 runs/s3 --seeds --json\n\n"
      "The three links of a chain of RLHF: reward model and policy (A), reward model and "
      "evaluation "
      "(B), policy and evaluation (C). Each measure has an interval, a verdict (aligned, "
      "decoupled, "
      "inverted, insufficient evidence) and the difference that would have been detectable; swap "
      "tests say at which stage gold is lost.");
  command->arguments.declare(*verb);
  command->output.declare(*verb);
  command->verb = verb;
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
