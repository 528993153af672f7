// plumb score TASK: answer sheets and models on the items of one task; plumb gap TASK --humans: the
// same with people beside them.
#include <fmt/format.h>

#include <memory>
#include <set>

#include "plumb/base/files.h"
#include "plumb/cli/item_options.h"
#include "plumb/cli/options.h"
#include "plumb/gap/item_diagnostics.h"
#include "plumb/gap/mteb_writer.h"
#include "plumb/raters/baselines.h"
#include "plumb/report/diagnostics_report.h"
#include "plumb/report/items_report.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

using Sheets = std::vector<tasks::AnswerSheet>;

void append(Sheets& sheets, Sheets more) {
  for (tasks::AnswerSheet& sheet : more) sheets.push_back(std::move(sheet));
}

}  // namespace

void ItemOptions::declare(CLI::App& verb, bool people) {
  const auto files = [&](const char* name, std::vector<std::string>& paths, const char* help) {
    return verb.add_option(name, paths, help)->type_name("FILE...")->check(not_empty());
  };
  if (people) files("--humans", humans, "answers of people, one file or several (docs/formats.md)");
  files("--answers", answers, "answers of other raters, whose lines name their kind");
  verb.add_option("--metric", metric, "another metric than the main one of the kind of task")
      ->type_name("ID");
  verb.add_option("--cutoff", cutoff, "of ndcg, rr and p_at_k")
      ->type_name("K")
      ->check(whole_number(1, 1'000'000));
  verb.add_option("--ties", ties, "how documents of one score are ordered")
      ->type_name("RULE")
      ->check(one_of("expected, worst, best, sklearn, trec"))
      ->capture_default_str();
  verb.add_option("--missing", missing, "an item without an answer: leave-out, or uninformed")
      ->type_name("RULE")
      ->check(one_of("leave-out, uninformed"))
      ->capture_default_str();
  verb.add_option("--items", items_file, "write the score of every item as JSON lines")
      ->type_name("FILE")
      ->check(not_empty());
  verb.add_option("--mteb", mteb_folder, "write MTEB result files below this folder")
      ->type_name("FOLDER")
      ->check(not_empty());
  verb.add_option("--subset", subset, "the task's subset in MTEB result files")
      ->type_name("NAME")
      ->check(not_empty())
      ->capture_default_str();
  models.declare(verb, !people);
}

namespace {

// A rater of two sources would count as two runs of one.
Result<void> check_names(const Sheets& files, const Sheets& models) {
  std::set<std::pair<std::string, int>> names;
  for (const tasks::AnswerSheet& sheet : files) names.insert({sheet.rater, -1});
  for (const tasks::AnswerSheet& sheet : models) {
    const bool is_new = names.insert({sheet.rater, sheet.run}).second;
    if (is_new && !names.contains({sheet.rater, -1})) continue;
    return fail(ErrorKind::kUsage, fmt::format("two raters are called \"{}\"; give one of them "
                                               "another name, or leave it out",
                                               sheet.rater));
  }
  return {};
}

}  // namespace

void say_left_out(const std::string& path, std::size_t rows) {
  fmt::print(stderr, "{}: {} rows of other tasks are left out\n", path, rows);
}

tasks::MetricOptions ItemOptions::metric_options() const {
  using enum stats::TieRule;
  tasks::MetricOptions options{metric, cutoff, kExpected, tasks::Missing::kLeaveOut};
  if (ties == "worst") options.ties = kWorst;
  if (ties == "best") options.ties = kBest;
  if (ties == "sklearn") options.ties = kSklearn;
  if (ties == "trec") options.ties = kTrec;
  if (missing == "uninformed") options.missing = tasks::Missing::kUninformed;
  return options;
}

Result<Sheets> ItemOptions::read_humans(const tasks::Task& task) const {
  PLUMB_TRY(sheets, tasks::read_all_answers(humans, task, say_left_out));
  for (const tasks::AnswerSheet& sheet : sheets) {
    if (sheet.kind == tasks::RaterKind::kPerson) continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("--humans: \"{}\" is of kind \"{}\", not a person; give its file with "
                            "--answers beside people's, or alone to `plumb score TASK --answers`",
                            sheet.rater, rater_kind_name(sheet.kind)));
  }
  return std::move(sheets);
}

Result<bool> ItemOptions::published_rule(const std::string& human, bool given) {
  if (given && (human == "better" || human == "worse")) {
    return fail(ErrorKind::kUsage,
                fmt::format("--human {} chooses between published scores; on single answers it is "
                            "individual or published",
                            human));
  }
  return given && human == "published";
}

Result<ItemResults> ItemOptions::compute(const std::string& path, const SamplingOptions& sampling,
                                         bool corrected, bool published) const {
  ItemResults results;
  PLUMB_TRY(task, tasks::read_task(path, progress_bar("reading " + path)));
  results.options = {metric_options(), sampling.values, sampling.level, corrected, published};
  if (auto known = tasks::metric_of(task.kind, results.options.metric); !known) {
    return tl::unexpected(known.error());
  }
  PLUMB_TRY(sheets, read_humans(task));
  PLUMB_TRY(others, tasks::read_all_answers(answers, task, say_left_out));
  append(sheets, std::move(others));
  const tasks::RateOptions rating{sampling.values.seed, sampling.values.threads, {}};
  PLUMB_TRY(asked, models.answers(task, rating));
  if (auto checked = check_names(sheets, asked); !checked) return tl::unexpected(checked.error());
  append(sheets, std::move(asked));
  for (const auto& baseline : raters::baselines_of(task)) {
    PLUMB_TRY(made, baseline->answer(task, rating));
    append(sheets, std::move(made));
  }
  PLUMB_TRY(comparison, gap::compare_raters(task, sheets, results.options));
  results.diagnostics = gap::diagnose_items(task, sheets, comparison);
  results.task = std::move(task);
  results.sheets = std::move(sheets);
  results.comparison = std::move(comparison);
  if (auto written = write_files(results); !written) return tl::unexpected(written.error());
  return results;
}

Result<void> ItemOptions::write_files(const ItemResults& results) const {
  const auto& [task, sheets, options, comparison, diagnostics] = results;
  if (!items_file.empty()) {
    const std::string lines = report::items_lines(task, sheets, comparison, diagnostics);
    if (auto written = write_file_atomic(items_file, lines); !written) return written;
  }
  if (mteb_folder.empty()) return {};
  PLUMB_TRY(files, gap::mteb_files(task, sheets, {subset, options.metric.ties}));
  return gap::write_mteb_files(mteb_folder, files);
}

Result<void> ItemOptions::print(const ItemResults& results, const OutputOptions& output) const {
  const gap::ItemComparison& comparison = results.comparison;
  const gap::ItemGapOptions& options = results.options;
  const auto rows = [&] { return report::items_table(comparison, options); };
  const auto items = [&] { return report::diagnostics_table(results.diagnostics, results.task); };
  const std::string heading = report::items_heading(comparison) + "\n";
  const std::string notes = "\n" + report::wrapped(report::items_notes(comparison, options)) + "\n";
  const bool people = !humans.empty();
  return write({.json =
                    [&] {
                      return report::items_json(comparison, options, results.diagnostics,
                                                results.task);
                    },
                .records = [&] { return report::items_records(comparison); },
                .text =
                    [&](auto terminal) {
                      return heading + to_terminal(rows(), terminal) +
                             (people ? "\n" + to_terminal(items(), terminal) : "") + notes;
                    },
                .markdown =
                    [&] {
                      return heading + to_markdown(rows()) +
                             (people ? "\n" + to_markdown(items()) : "") + notes;
                    }},
               output);
}

void ItemOptions::bind_to_humans(CLI::App& verb, std::initializer_list<const char*> excluded) {
  CLI::Option* humans = verb.get_option("--humans");
  for (const char* single : {"--answers", "--metric", "--cutoff", "--ties", "--missing", "--items",
                             "--mteb", "--llm", "--protocol", "--similarity"}) {
    verb.get_option(single)->needs(humans);
  }
  for (const char* published : excluded) humans->excludes(verb.get_option(published));
}

void ItemOptions::say_what_humans_change(CLI::App& verb) {
  CLI::Option* source = verb.get_option("SOURCE");
  source->description(source->get_description() + "; with --humans a task file");
  verb.get_option("--resamples")
      ->description(fmt::format("bootstrap resamples; {} with --humans", kItemResamples));
}

namespace {

struct ScoreCommand {
  std::string task;
  ItemOptions items;
  SamplingOptions sampling;
  OutputOptions output;

  Result<void> run() const {
    PLUMB_TRY(results, items.compute(task, sampling, true, false));
    return items.print(results, output);
  }
};

}  // namespace

void add_score(CLI::App& app, Program& program) {
  auto command = std::make_shared<ScoreCommand>();
  CLI::App* verb = app.add_subcommand(
      "score",
      "Example:\n  plumb score sts.task.jsonl --model bm25 glove.6B.100d.txt\n"
      "  plumb score sts.task.jsonl --answers mine.jsonl --metric pearson\n\n"
      "Models and answer sheets scored against the gold of a task, beside the trivial answers, "
      "with intervals.");
  verb->add_option("TASK", command->task, "a task file (docs/formats.md)")
      ->type_name("")
      ->check(not_empty())
      ->required();
  command->items.declare(*verb, false);
  command->sampling.values.resamples = kItemResamples;
  command->sampling.declare(*verb);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
