// plumb report gap SOURCE -o FILE.html: leaderboard, gap and audit as one self-contained page.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/board_options.h"
#include "plumb/cli/options.h"
#include "plumb/report/gap_report.h"

namespace plumb::cli {
namespace {

struct ReportCommand {
  SourceOptions source;
  BoardArguments board;
  SamplingOptions sampling;
  std::string output;
  std::string title;

  Result<void> run() const;
};

Result<void> ReportCommand::run() const {
  PLUMB_TRY(figures, source.load(sampling.values.threads));
  PLUMB_TRY(options, board.resolve(source.source));
  PLUMB_TRY(cut, gap::make_board(figures, options));
  PLUMB_TRY(table,
            gap::make_leaderboard(cut, {.resampling = sampling.values, .level = sampling.level}));
  gap::GapOptions how;
  how.level = sampling.level;
  PLUMB_TRY(gaps, gap::measure_gaps(cut, how));
  PLUMB_TRY(audit, gap::audit_figures(figures, options.models, sampling.values, sampling.level));
  const report::Context context{&figures, board.human, sampling.level};
  const std::string page = report::gap_page(
      !title.empty() ? title : fmt::format("{}: people and models on the same tasks", figures.name),
      fmt::format("plumb report gap {}", source.source),
      report::leaderboard_json(table, "subset", context), report::gap_json(gaps, how, context),
      report::audit_json(audit, context), context);
  if (auto written = write_file_atomic(output, page); !written) return written;
  fmt::print(stderr, "{}: {} rows, {} subsets, {} views; open it in a browser\n", output,
             table.rows.size(), gaps.size(), audit.rows.size());
  return {};
}

}  // namespace

void add_report(CLI::App& app, Program& program) {
  CLI::App* report =
      app.add_subcommand("report",
                         "Example:\n  plumb report gap hume -o gap.html\n\n"
                         "One self-contained HTML page of everything an instrument found.");
  report->require_subcommand(1);
  auto command = std::make_shared<ReportCommand>();
  CLI::App* verb = report->add_subcommand(
      "gap", "Example:\n  plumb report gap hume -o gap.html\n\nThe gap between people and models.");
  command->source.declare(*verb, true);
  command->board.declare(*verb);
  command->board.declare_annotators(*verb);
  verb->add_option("--title", command->title, "the page's title")->type_name("TEXT");
  verb->add_option("-o,--output", command->output, "the page to write")
      ->required()
      ->type_name("FILE")
      ->check(not_empty());
  command->sampling.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
