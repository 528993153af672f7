// plumb leaderboard SOURCE: people and models ranked by one aggregate.
#include "plumb/gap/leaderboard.h"

#include <fmt/format.h>

#include <memory>

#include "plumb/cli/board_options.h"
#include "plumb/cli/options.h"
#include "plumb/report/gap_report.h"

namespace plumb::cli {
namespace {

struct LeaderboardCommand {
  SourceOptions source;
  BoardArguments board;
  SamplingOptions sampling;
  OutputOptions output;
  std::string aggregate = "subset";
  bool common = false;

  Result<void> run() const;
};

Result<void> LeaderboardCommand::run() const {
  PLUMB_TRY(figures, source.load(sampling.values.threads));
  PLUMB_TRY(options, board.resolve(source.source));
  PLUMB_TRY(cut, gap::make_board(figures, options));
  PLUMB_TRY(table, gap::make_leaderboard(cut, {.aggregate = *gap::parse_aggregate(aggregate),
                                               .common = common,
                                               .resampling = sampling.values,
                                               .level = sampling.level}));
  const report::Context context{&figures, board.human, sampling.level};
  const auto for_people = [&] { return report::leaderboard_table(table, context.level); };
  return write({.json = [&] { return report::leaderboard_json(table, aggregate, context); },
                .records = [&] { return report::leaderboard_records(table); },
                .text =
                    [&](auto terminal) {
                      return report::leaderboard_heading(table, context) + "\n" +
                             to_terminal(for_people(), terminal) + "\n" +
                             report::leaderboard_notes(table);
                    },
                .markdown =
                    [&] {
                      return report::leaderboard_heading(table, context) + "\n" +
                             to_markdown(for_people()) + "\n" + report::leaderboard_notes(table);
                    }},
               output);
}

}  // namespace

void add_leaderboard(CLI::App& app, Program& program) {
  auto command = std::make_shared<LeaderboardCommand>();
  CLI::App* verb = app.add_subcommand(
      "leaderboard",
      "Example:\n  plumb leaderboard hume --aggregate task\n\n"
      "People and models ranked by one aggregate of their scores, with intervals and tie groups.");
  command->source.declare(*verb, true);
  command->board.declare(*verb);
  command->board.declare_annotators(*verb);
  const std::string aggregates = gap::aggregate_names();
  verb->add_option("--aggregate", command->aggregate, "one of " + aggregates)
      ->type_name("NAME")
      ->check(one_of(aggregates))
      ->capture_default_str();
  verb->add_flag("--common", command->common,
                 "rank all rows, on the subsets that all of them have");
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
