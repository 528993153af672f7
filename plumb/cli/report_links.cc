// plumb report links RUN... -o FILE.html: the three links as one self-contained page.
#include <fmt/format.h>

#include <memory>

#include "plumb/cli/links_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/page_options.h"
#include "plumb/report/mismatch/links_page.h"

namespace plumb::cli {
namespace {

struct ReportLinksCommand {
  LinksArguments arguments;
  PageOptions page = {.examples = 3};

  Result<void> run() const;
};

Result<void> ReportLinksCommand::run() const {
  std::vector<mismatch::Examples> shown;
  const auto look = [&](const std::string& path, const mismatch::RunLinks& run,
                        const mismatch::TableOptions& reading) -> Result<void> {
    const mismatch::ExampleOptions chosen{page.examples, arguments.sampling.values.seed};
    PLUMB_TRY(read, mismatch::read_examples(path, report::measure_of(run), reading, chosen));
    shown.push_back(std::move(read));
    return {};
  };
  PLUMB_TRY(found, arguments.measure(look));
  const report::LinksContext context{
      fmt::format("plumb report links {}", fmt::join(arguments.runs, " ")), found.inputs};
  std::vector<std::string> names;
  for (const auto& verdicts : found.report.verdicts) names.push_back(verdicts.run);
  const std::string heading = page.heading("The three links", names);
  return page.write(report::links_page(heading, found.report, shown, found.evaluations, context),
                    arguments.runs.size());
}

}  // namespace

void add_report_links(CLI::App& report, Program& program) {
  auto command = std::make_shared<ReportLinksCommand>();
  CLI::App* verb = report.add_subcommand(
      "links",
      "Example:\n  plumb report links runs/grpo --evals evals.jsonl -o links.html\n\n"
      "The three links of a chain of RLHF as three cards (reward model and policy, reward model "
      "and "
      "evaluation, policy and evaluation), each opening into its curves, samples and tables.");
  command->arguments.declare(*verb);
  command->page.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
