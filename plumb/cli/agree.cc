// plumb agree FILE: how well raters agree, from any long table of item, rater, value.
#include <memory>

#include "plumb/cli/item_options.h"
#include "plumb/cli/options.h"
#include "plumb/report/agree_report.h"
#include "plumb/tasks/agreement.h"
#include "plumb/text/records.h"

namespace plumb::cli {
namespace {

struct AgreeCommand {
  std::string file, format, level = "nominal";
  tasks::TableColumns columns;
  SamplingOptions sampling;
  OutputOptions output;

  Result<void> run() const;
};

Result<void> AgreeCommand::run() const {
  PLUMB_TRY(records, read_records(file, {.format = format}));
  PLUMB_TRY(table, tasks::long_table(records, columns));
  const report::AgreeContext context{file, *tasks::parse_level(level), sampling.level,
                                     sampling.values.resamples, sampling.values.seed};
  PLUMB_TRY(agreement,
            tasks::measure_agreement(table, context.level, sampling.values, sampling.level));
  const std::string heading = report::agree_heading(agreement, context) + "\n";
  const auto after = [&] {
    return "\n" + report::wrapped(report::agree_notes(agreement, context)) + "\n";
  };
  return write({.json = [&] { return report::agree_json(agreement, context); },
                .records = [&] { return report::agree_records(agreement); },
                .text =
                    [&](auto terminal) {
                      return heading +
                             to_terminal(report::agree_table(agreement, sampling.level), terminal) +
                             "\n" + to_terminal(report::rater_table(agreement), terminal) + after();
                    },
                .markdown =
                    [&] {
                      return heading + to_markdown(report::agree_table(agreement, sampling.level)) +
                             "\n" + to_markdown(report::rater_table(agreement)) + after();
                    }},
               output);
}

}  // namespace

void add_agree(CLI::App& app, Program& program) {
  auto command = std::make_shared<AgreeCommand>();
  CLI::App* verb = app.add_subcommand(
      "agree",
      "Example:\n  plumb agree labels.csv --item id --rater worker --value label\n\n"
      "How well raters agree: a table with a row an answer, CSV, TSV or JSON lines, plain or "
      "gzip.");
  verb->add_option("FILE", command->file, "the table")
      ->type_name("")
      ->check(not_empty())
      ->required();
  const auto column = [&](const char* option, std::string& name, const char* help) {
    verb->add_option(option, name, help)->type_name("COLUMN")->capture_default_str();
  };
  column("--item", command->columns.item, "the column of items");
  column("--rater", command->columns.rater, "the column of raters");
  column("--value", command->columns.value, "the column of answers");
  verb->add_option("--level", command->level,
                   "what answers are: nominal, ordinal, interval, ratio, partition, ranking")
      ->type_name("LEVEL")
      ->check(one_of("nominal, ordinal, interval, ratio, partition, ranking"))
      ->capture_default_str();
  verb->add_option("--format", command->format, "csv, tsv or jsonl, where the ending does not tell")
      ->type_name("FORMAT")
      ->check(one_of("csv, tsv, jsonl"));
  command->sampling.values.resamples = kItemResamples;
  command->sampling.declare(*verb, "--confidence");
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
