// plumb gap SOURCE: people against a model on every subset; --audit: what the headline depends on;
// plumb gap TASK --humans FILE...: the same on single answers; plumb gap import DIR -o FILE: a tree
// of result files as one table of figures.
#include "plumb/gap/gap.h"

#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/board_options.h"
#include "plumb/cli/item_options.h"
#include "plumb/cli/options.h"
#include "plumb/gap/audit.h"
#include "plumb/report/gap_report.h"

namespace plumb::cli {
namespace {

struct GapCommand {
  SourceOptions source;
  BoardArguments board;
  SamplingOptions sampling;
  OutputOptions output;
  std::string against = "best";
  bool uncorrected = false;
  bool audit = false;
  ItemOptions items;
  bool resamples_given = false, human_given = false;

  Result<void> run() const {
    if (!items.humans.empty()) return run_items();
    return audit ? run_audit() : run_gap();
  }
  Result<void> run_items() const;
  Result<void> run_gap() const;
  Result<void> run_audit() const;
};

Result<void> GapCommand::run_gap() const {
  PLUMB_TRY(figures, source.load(sampling.values.threads));
  PLUMB_TRY(options, board.resolve(source.source));
  PLUMB_TRY(cut, gap::make_board(figures, options));
  const gap::GapOptions how{against, sampling.level, !uncorrected};
  PLUMB_TRY(gaps, gap::measure_gaps(cut, how));
  const report::Context context{&figures, board.human, sampling.level};
  const auto for_people = [&] { return report::gap_table(gaps, context.level); };
  const auto after = [&] {
    const std::string warnings = report::gap_warnings(gaps);
    return "\n" + report::wrapped(report::gap_notes(gaps, how, context)) + "\n" +
           (warnings.empty() ? "" : "\nWarnings:\n\n" + warnings);
  };
  return write(
      {.json = [&] { return report::gap_json(gaps, how, context); },
       .records = [&] { return report::gap_records(gaps); },
       .text = [&](auto terminal) { return to_terminal(for_people(), terminal) + after(); },
       .markdown = [&] { return to_markdown(for_people()) + after(); }},
      output);
}

Result<void> GapCommand::run_audit() const {
  PLUMB_TRY(figures, source.load(sampling.values.threads));
  PLUMB_TRY(options, board.resolve(source.source));
  PLUMB_TRY(audited, gap::audit_figures(figures, options.models, sampling.values, sampling.level));
  const report::Context context{&figures, "published", sampling.level};
  const auto for_people = [&] { return report::audit_table(audited, context.level); };
  const auto after = [&](bool markdown) {
    const std::string findings = report::findings_text(audited, markdown);
    if (findings.empty()) return findings;
    return "\nFindings, recomputed from the published figures\n\n" + findings;
  };
  return write({.json = [&] { return report::audit_json(audited, context); },
                .records = [&] { return report::audit_records(audited); },
                .text =
                    [&](auto terminal) {
                      return "What the headline depends on\n\n" +
                             to_terminal(for_people(), terminal) + after(false);
                    },
                .markdown = [&] { return to_markdown(for_people()) + after(true); }},
               output);
}

Result<void> GapCommand::run_items() const {
  SamplingOptions sampled = sampling;
  if (!resamples_given) sampled.values.resamples = kItemResamples;
  ItemOptions asked = items;
  asked.models.models = board.models;
  PLUMB_TRY(published, ItemOptions::published_rule(board.human, human_given));
  PLUMB_TRY(results, asked.compute(source.source, sampled, !uncorrected, published));
  return asked.print(results, output);
}

struct ImportCommand {
  SourceOptions source;
  std::string output, name, origin, licence;
  int threads = 0;

  Result<void> run() const;
};

Result<void> ImportCommand::run() const {
  PLUMB_TRY(figures, source.load(threads));
  if (!name.empty()) figures.name = name;
  if (!origin.empty()) figures.origin = origin;
  if (!licence.empty()) figures.licence = licence;
  if (auto written = write_file_atomic(output, format_figures(figures)); !written) return written;
  std::size_t cells = 0;
  for (const gap::Entry& entry : figures.entries) cells += entry.cells.size();
  fmt::print(stderr, "{}: {} raters, {} cells from {} files ({} held bare NaN or Infinity)\n",
             output, figures.entries.size(), cells, figures.files, figures.nonstandard_files);
  return {};
}

void add_import(CLI::App& gap, Program& program) {
  auto command = std::make_shared<ImportCommand>();
  CLI::App* verb = gap.add_subcommand(
      "import",
      "Example:\n  plumb gap import results/ -o mine.figures.jsonl --name mine\n\n"
      "A tree of MTEB result files as one compact table of figures.");
  command->source.declare(*verb, true);
  verb->add_option("-o,--output", command->output, "the table to write")
      ->required()
      ->type_name("FILE")
      ->check(not_empty());
  verb->add_option("--name", command->name, "the name that results carry")->type_name("TEXT");
  verb->add_option("--origin", command->origin, "where the scores were published")
      ->type_name("TEXT");
  verb->add_option("--licence", command->licence, "the licence they were published under")
      ->type_name("TEXT");
  add_threads(*verb, command->threads);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace

void add_gap(CLI::App& app, Program& program) {
  auto command = std::make_shared<GapCommand>();
  CLI::App* verb = app.add_subcommand(
      "gap",
      "Example:\n  plumb gap hume --against best\n  plumb gap hume --audit\n"
      "  plumb gap sts.task.jsonl --humans ann1.jsonl ann2.jsonl --models bm25\n\n"
      "People against a model on every subset, or (--audit) what the headline depends on.");
  add_import(*verb, program);
  command->source.declare(*verb, false);
  command->board.declare(*verb);
  verb->add_option("--against", command->against,
                   "best (of each subset), mean (of all), or a model's name")
      ->type_name("MODEL")
      ->capture_default_str();
  verb->add_flag("--uncorrected", command->uncorrected,
                 "do not widen intervals for having chosen the best model");
  CLI::Option* audit = verb->add_flag("--audit", command->audit,
                                      "what the headline depends on, and what is inconsistent");
  for (const char* fixed :
       {"--human", "--language", "--task-type", "--revision", "--against", "--uncorrected"}) {
    audit->excludes(verb->get_option(fixed));
  }
  command->items.declare(*verb, true);
  ItemOptions::bind_to_humans(*verb, {"--audit", "--against", "--language", "--task-type",
                                      "--revision", "--unknown-subsets"});
  command->sampling.declare(*verb);
  ItemOptions::say_what_humans_change(*verb);
  command->output.declare(*verb);
  verb->callback([command, verb, &program] {
    if (!verb->get_subcommands().empty()) return;
    if (command->source.source.empty()) throw CLI::RequiredError("SOURCE");
    command->resamples_given = verb->count("--resamples") > 0;
    command->human_given = verb->count("--human") > 0;
    program.action = [command] { return command->run(); };
  });
}

}  // namespace plumb::cli
