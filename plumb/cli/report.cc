// plumb report gap SOURCE -o FILE.html: leaderboard, gap and audit as one self-contained page.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/counted.h"
#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/cli/board_options.h"
#include "plumb/cli/given_command.h"
#include "plumb/cli/item_options.h"
#include "plumb/cli/mismatch_verbs.h"
#include "plumb/cli/options.h"
#include "plumb/report/diagnostics_report.h"
#include "plumb/report/gap_report.h"
#include "plumb/report/items_report.h"

namespace plumb::cli {
namespace {

struct ReportCommand {
  SourceOptions source;
  BoardArguments board;
  SamplingOptions sampling;
  std::string output;
  std::string title;
  std::string command;  // that makes the page again
  ItemOptions items;
  bool resamples_given = false, human_given = false;

  Result<void> run() const { return items.humans.empty() ? run_board() : run_items(); }
  Result<void> run_board() const;
  Result<void> run_items() const;
  Result<Json> item_inputs() const;
};

constexpr std::size_t kListedItems = 50;

// The files of people and of other raters as they are; the task is named by its items' hash.
Result<Json> ReportCommand::item_inputs() const {
  Json inputs = Json::array();
  for (const auto* paths : {&items.humans, &items.answers}) {
    for (const std::string& path : *paths) {
      if (path == "-") continue;
      PLUMB_TRY(text, read_file(path));
      inputs.push_back({{"name", path}, {"sha256", sha256(text)}});
    }
  }
  return inputs;
}

Result<void> ReportCommand::run_items() const {
  SamplingOptions sampled = sampling;
  if (!resamples_given) sampled.values.resamples = kItemResamples;
  ItemOptions asked = items;
  asked.models.models = board.models;
  PLUMB_TRY(published, ItemOptions::published_rule(board.human, human_given));
  PLUMB_TRY(found, asked.compute(source.source, sampled, true, published));
  PLUMB_TRY(inputs, item_inputs());
  const std::string page = report::items_page(
      !title.empty() ? title : fmt::format("{}: people and models, item by item", found.task.name),
      command, inputs,
      report::items_json(found.comparison, found.options, found.diagnostics, found.task),
      report::listed_items_json(found.task, found.sheets, found.diagnostics, kListedItems));
  if (auto written = write_file_atomic(output, page); !written) return written;
  fmt::print(stderr, "{}: {}, {}; open it in a browser\n", output,
             counted(found.comparison.rows.size(), "rater"),
             counted(found.task.items.size(), "item"));
  return {};
}

Result<void> ReportCommand::run_board() const {
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
      command, report::leaderboard_json(table, "subset", context),
      report::gap_json(gaps, how, context), report::audit_json(audit, context), context);
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
  add_report_mismatch(*report, program);
  add_report_links(*report, program);
  add_report_full(*report, program);
  auto command = std::make_shared<ReportCommand>();
  CLI::App* verb = report->add_subcommand(
      "gap",
      "Example:\n  plumb report gap hume -o gap.html\n"
      "  plumb report gap sts.task.jsonl --humans people.jsonl --models bm25 -o a.html\n\n"
      "The gap between people and models, of published results or on single answers.");
  command->source.declare(*verb, true);
  command->board.declare(*verb);
  command->board.declare_annotators(*verb);
  verb->add_option("--title", command->title, "the page's title")->type_name("TEXT");
  verb->add_option("-o,--output", command->output, "the page to write")
      ->required()
      ->type_name("FILE")
      ->check(not_empty());
  command->items.declare(*verb, true);
  ItemOptions::bind_to_humans(
      *verb, {"--annotators", "--language", "--task-type", "--revision", "--unknown-subsets"});
  command->sampling.declare(*verb);
  ItemOptions::say_what_humans_change(*verb);
  verb->callback([command, verb, &program] {
    command->command = given_command(*verb);
    command->resamples_given = verb->count("--resamples") > 0;
    command->human_given = verb->count("--human") > 0;
    program.action = [command] { return command->run(); };
  });
}

}  // namespace plumb::cli
