// plumb study models: models whose answers stand beside those of people.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/version.h"
#include "plumb/cli/ask_options.h"
#include "plumb/cli/item_options.h"
#include "plumb/cli/study/built_in.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/study/exchange/export.h"
#include "plumb/study/review/models.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

using report::Align;
using report::Table;

struct ModelsCommand {
  StudyOptions where;
  std::vector<std::string> answers;
  std::string task, items, removed;
  bool built_in = false;
  AskOptions asked;
  OutputOptions output;

  Result<void> run() const;
  Result<void> list() const;
  Result<tasks::Task> whole_task(const study::Study& study, const study::StudyTask& task) const;
  Result<std::vector<tasks::AnswerSheet>> sheets(const tasks::Task& whole) const;
};

// The study's own items, or the task file that they came from, which has training items too.
Result<tasks::Task> ModelsCommand::whole_task(const study::Study& study,
                                              const study::StudyTask& own) const {
  if (items.empty()) {
    PLUMB_TRY(loaded, study::load_sheets(study, own));
    return std::move(loaded.task);
  }
  PLUMB_TRY(read, tasks::read_task(items, progress_bar("reading " + items)));
  if (tasks::items_hash(read) == own.items_sha256) return std::move(read);
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: other items than those of \"{}\"", items, own.header.name));
}

Result<std::vector<tasks::AnswerSheet>> ModelsCommand::sheets(const tasks::Task& whole) const {
  std::vector<tasks::AnswerSheet> all;
  const auto add = [&all](std::vector<tasks::AnswerSheet>& more) {
    for (tasks::AnswerSheet& sheet : more) all.push_back(std::move(sheet));
  };
  if (!answers.empty()) {
    PLUMB_TRY(read, tasks::read_all_answers(answers, whole, say_left_out));
    add(read);
  }
  if (built_in) {
    PLUMB_TRY(made, built_in_answers(whole));
    add(made);
  }
  if (asked.any()) {
    PLUMB_TRY(made, asked.answers(whole, {}));
    add(made);
  }
  return all;
}

Result<void> ModelsCommand::list() const {
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kRead));
  PLUMB_TRY(models, study::models_of(open.study));
  Table table{{{"task"},
               {"model"},
               {"kind"},
               {"run", Align::kRight},
               {"answers", Align::kRight},
               {"attached", Align::kLeft, 1}},
              {}};
  Json rows = Json::array();
  for (const study::ModelSheet& one : models) {
    table.rows.push_back({report::printable(one.task), report::printable(one.rater),
                          std::string(rater_kind_name(one.kind)), fmt::format("{}", one.run),
                          fmt::format("{}", one.answered), study::utc_text(one.attached_ms)});
    rows.push_back(study::model_sheet_json(one));
  }
  return write({.json =
                    [&] {
                      return Json{{"schema", "plumb.study-models/1"},
                                  {"version", kVersion},
                                  {"study", where.name},
                                  {"models", rows}};
                    },
                .records = [&] { return table; },
                .text = [&](auto terminal) { return to_terminal(table, terminal); },
                .markdown = [&] { return to_markdown(table); }},
               output);
}

Result<void> ModelsCommand::run() const {
  const bool attaches = !answers.empty() || built_in || asked.any();
  if (!attaches && removed.empty()) return list();
  PLUMB_TRY(open, open_study(where, study::Store::Mode::kWrite));
  if (!removed.empty()) return study::detach_model(open.study, removed);
  PLUMB_TRY(own, study::find_task(open.study, task));
  PLUMB_TRY(whole, whole_task(open.study, *own));
  PLUMB_TRY(made, sheets(whole));
  auto attached = study::attach_models(open.study, *own, whole, made, "");
  if (!attached) return attached;
  fmt::print(stderr, "{}: {} answer sheets of models beside \"{}\"\n", where.studio.shown(),
             made.size(), report::printable(own->header.name));
  return {};
}

}  // namespace

void add_study_models(CLI::App& study, Program& program) {
  auto command = std::make_shared<ModelsCommand>();
  CLI::App* verb = study.add_subcommand(
      "models",
      "Example:\n  plumb study models demo --model bm25 tfidf\n  plumb study models demo --answers "
      "gpt.jsonl\n\n"
      "Models whose answers stand beside those of people in the researcher's view: lists them, or "
      "attaches answers from files, from models that are asked now, or from the built-in ones. "
      "Annotators see nothing of it.");
  command->where.declare(*verb);
  verb->add_option("--answers", command->answers, "answers of models (docs/formats.md)")
      ->type_name("FILE...")
      ->check(not_empty());
  verb->add_flag("--built-in", command->built_in,
                 "bm25, tfidf, char-ngrams and the trivial answers");
  verb->add_option("--task", command->task, "which task, where the study has several")
      ->type_name("NAME")
      ->check(not_empty());
  verb->add_option("--items", command->items,
                   "the file that the task came from: its training items are not kept in a study")
      ->type_name("FILE")
      ->check(not_empty());
  CLI::Option* removed =
      verb->add_option("--remove", command->removed, "take a model's answers away")
          ->type_name("NAME")
          ->check(not_empty());
  for (const char* attaching : {"--answers", "--built-in"}) {
    removed->excludes(verb->get_option(attaching));
  }
  command->asked.declare(*verb, true);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
