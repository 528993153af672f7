// plumb report links RUN... -o FILE.html: the three links as one self-contained page.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/links_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/report/mismatch/links_page.h"

namespace plumb::cli {
namespace {

struct ReportLinksCommand {
  LinksArguments arguments;
  std::string output, title;
  std::size_t examples = 3;

  Result<void> run() const;
};

Result<void> ReportLinksCommand::run() const {
  std::vector<mismatch::Examples> shown;
  const auto look = [&](const std::string& path, const mismatch::RunLinks& run,
                        const mismatch::TableOptions& reading) -> Result<void> {
    const mismatch::ExampleOptions chosen{examples, arguments.sampling.values.seed};
    PLUMB_TRY(read, mismatch::read_examples(path, report::measure_of(run), reading, chosen));
    shown.push_back(std::move(read));
    return {};
  };
  PLUMB_TRY(found, arguments.measure(look));
  const report::LinksContext context{
      fmt::format("plumb report links {}", fmt::join(arguments.runs, " ")), found.inputs};
  std::vector<std::string> names;
  for (const auto& verdicts : found.report.verdicts) names.push_back(verdicts.run);
  const std::string heading =
      !title.empty() ? title : fmt::format("The three links: {}", fmt::join(names, ", "));
  const std::string page =
      report::links_page(heading, found.report, shown, found.evaluations, context);
  if (auto written = write_file_atomic(output, page); !written) return written;
  fmt::print(stderr, "{}: {} run{}; open it in a browser\n", output, arguments.runs.size(),
             arguments.runs.size() == 1 ? "" : "s");
  return {};
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
  verb->add_option("--title", command->title, "the page's title")->type_name("TEXT");
  verb->add_option("--examples", command->examples,
                   "prompts, drawn at random, whose completions are shown")
      ->type_name("N")
      ->check(whole_number(0, 100))
      ->capture_default_str();
  verb->add_option("-o,--output", command->output, "the page to write")
      ->required()
      ->type_name("FILE")
      ->check(not_empty());
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
