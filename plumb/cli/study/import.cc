// plumb study import: answers of files into a study's slots.
#include <fmt/format.h>

#include <memory>

#include "plumb/cli/item_options.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/study/exchange/export.h"
#include "plumb/study/exchange/import.h"

namespace plumb::cli {
namespace {

struct ImportCommand {
  StudyOptions where;
  std::string file, format = "answers", task;
  study::ReadOptions options;

  Result<void> run();
};

Result<void> ImportCommand::run() {
  options.format = *study::parse_answer_format(format);
  options.leave_others_out = !task.empty();
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kWrite));
  PLUMB_TRY(chosen, study::find_task(open.study, task));
  PLUMB_TRY(counts, study::import_answers(open.study, *chosen, file, options));
  fmt::print(stderr, "{}: {} answers of {} annotators into study {}\n", file, counts.answers,
             counts.annotators, report::printable(where.name));
  if (counts.of_other_tasks > 0) say_left_out(file, counts.of_other_tasks);
  return {};
}

}  // namespace

void add_study_import(CLI::App& study, Program& program) {
  auto command = std::make_shared<ImportCommand>();
  CLI::App* verb = study.add_subcommand(
      "import",
      "Example:\n  plumb study import demo argilla.json --format argilla\n\n"
      "Answers of another tool, or of an export, into a study's open slots: all of them, or, where "
      "one does not fit, none and the line that is wrong. Records are matched to items by their "
      "texts, else by their ids.");
  command->where.declare(*verb);
  verb->add_option("FILE", command->file, "the answers")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("--format", command->format,
                   "answers (plumb's own, JSONL or CSV), argilla, label-studio, doccano")
      ->type_name("FORM")
      ->check(one_of("answers, argilla, label-studio, doccano"))
      ->capture_default_str();
  verb->add_option(
          "--task", command->task,
          "which task, where the study has several; rows of a table that name another are left out")
      ->type_name("NAME")
      ->check(not_empty());
  verb->add_option("--question", command->options.question,
                   "which question of a record, where it has several")
      ->type_name("NAME")
      ->check(not_empty());
  verb->add_option("--rater", command->options.rater,
                   "doccano: whose answers they are; without it the file's name")
      ->type_name("NAME")
      ->check(not_empty());
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
