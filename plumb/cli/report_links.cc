// plumb report links RUN... -o FILE.html: the three links as one self-contained page.
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/given_command.h"
#include "plumb/cli/links_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/page_options.h"
#include "plumb/report/mismatch/links_page.h"
#include "plumb/report/page.h"

namespace plumb::cli {
namespace {

struct ReportLinksCommand {
  const CLI::App* verb = nullptr;
  LinksArguments arguments;
  PageOptions page = {.examples = 3};
  bool json = false;

  Result<void> run() const;

 private:
  Result<void> write_json(const Json& data) const;
};

Result<void> ReportLinksCommand::write_json(const Json& data) const {
  const std::string text = to_text(data) + "\n";
  return page.output.empty() ? write_stdout(text) : write_file_atomic(page.output, text);
}

Result<void> ReportLinksCommand::run() const {
  if (!json && page.output.empty()) {
    return fail(ErrorKind::kUsage, "where to? name the page to write (-o FILE), or take --json");
  }
  std::vector<mismatch::Examples> shown;
  const auto look = [&](const std::string& path, const mismatch::RunLinks& run,
                        const mismatch::TableOptions& reading) -> Result<void> {
    const mismatch::ExampleOptions chosen{page.examples, arguments.sampling.values.seed};
    PLUMB_TRY(read, mismatch::read_examples(path, report::measure_of(run), reading, chosen));
    shown.push_back(std::move(read));
    return {};
  };
  PLUMB_TRY(found, arguments.measure(look));
  const report::LinksContext context{given_command(*verb), found.inputs};
  std::vector<std::string> names;
  for (const auto& verdicts : found.report.verdicts) names.push_back(verdicts.run);
  const std::string heading = page.heading("The three links", names);
  const Json data =
      report::links_report_json(heading, found.report, shown, found.evaluations, context);
  return json ? write_json(data) : page.write(report::html_page(data), arguments.runs.size());
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
  verb->get_option("--output")->required(false);
  verb->add_flag(
      "--json", command->json,
      "the data of the page alone, for the studio (plumb study links); to stdout without "
      "-o");
  command->verb = verb;
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
