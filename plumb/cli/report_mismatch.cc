// plumb report mismatch RUN... -o FILE.html: measured runs as one self-contained page.
#include <memory>

#include "plumb/cli/given_command.h"
#include "plumb/cli/measure_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/page_options.h"
#include "plumb/report/mismatch/mismatch_page.h"

namespace plumb::cli {
namespace {

struct ReportMismatchCommand {
  const CLI::App* verb = nullptr;
  MeasureArguments arguments;
  PageOptions page;

  Result<void> run() const;
};

Result<void> ReportMismatchCommand::run() const {
  std::vector<report::RunDetails> details;
  const auto look = [&](const std::string& path, const mismatch::RunMeasure& run,
                        const mismatch::TableOptions& reading) -> Result<void> {
    PLUMB_TRY(meters, mismatch::read_meters(path, run));
    const mismatch::ExampleOptions chosen{page.examples, arguments.sampling.values.seed};
    PLUMB_TRY(shown, mismatch::read_examples(path, run, reading, chosen));
    details.push_back({std::move(meters), std::move(shown)});
    return {};
  };
  PLUMB_TRY(runs, arguments.measure(look));
  const report::MeasureContext context{arguments.options(), given_command(*verb)};
  std::vector<std::string> names;
  for (const mismatch::RunMeasure& run : runs) names.push_back(run.name);
  const std::string heading = page.heading("Proxy and gold", names);
  return page.write(report::mismatch_page(heading, runs, details, context), runs.size());
}

}  // namespace

void add_report_mismatch(CLI::App& report, Program& program) {
  auto command = std::make_shared<ReportMismatchCommand>();
  CLI::App* verb = report.add_subcommand(
      "mismatch",
      "Example:\n  plumb report mismatch runs/grpo runs/dpo -o mismatch.html\n\n"
      "Where proxy and gold part: curves with their ceilings, the gap and what it is made of, "
      "meters over time, and completions at the start, at the ceiling and at the end.");
  command->arguments.declare(*verb);
  command->page.declare(*verb);
  command->verb = verb;
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
