// plumb mismatch measure: what runs earned, by proxy and by gold, as they went from their start.
#include <memory>

#include "plumb/cli/given_command.h"
#include "plumb/cli/measure_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/tables_output.h"
#include "plumb/report/mismatch/measure_report.h"

namespace plumb::cli {
namespace {

struct MeasureCommand {
  const CLI::App* verb = nullptr;
  MeasureArguments arguments;
  OutputOptions output;

  Result<void> run() const;
};

Result<void> MeasureCommand::run() const {
  PLUMB_TRY(runs, arguments.measure());
  const report::MeasureContext context{arguments.options(), given_command(*verb)};
  const auto parts = [&](auto format) {
    std::string text;
    for (const report::MeasurePart& part : report::mismatch_measure_parts(runs, context)) {
      if (!part.heading.empty()) text += part.heading + "\n\n";
      text += format(part.table) + "\n";
    }
    for (const std::string& note : report::mismatch_measure_notes(runs, context)) {
      text += report::wrapped(note) + "\n\n";
    }
    text.pop_back();
    return text;
  };
  return write(tables_output([&] { return report::mismatch_measure_json(runs, context); },
                             [&] { return report::mismatch_measure_records(runs); }, parts),
               output);
}

}  // namespace

void add_mismatch_measure(CLI::App& mismatch, Program& program) {
  auto command = std::make_shared<MeasureCommand>();
  CLI::App* verb = mismatch.add_subcommand(
      "measure",
      "Example:\n  plumb mismatch measure runs/grpo runs/dpo\n"
      "  plumb mismatch measure trl.csv --map proxy=accuracy_reward --gold-by world:story\n"
      "  plumb mismatch measure runs/grpo --csv -o points.csv\n\n"
      "Best of n and optimiser runs on one axis: what proxy and gold gained, the gap and what it "
      "is made of, the ceilings, and which checkpoint each stopping rule keeps.");
  command->arguments.declare(*verb);
  command->output.declare(*verb);
  command->verb = verb;
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
