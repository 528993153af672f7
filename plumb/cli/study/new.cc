// plumb study new: a study of some tasks, with its slots and checks.
#include <fmt/format.h>

#include <limits>
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/study/verbs.h"
#include "plumb/study/create.h"
#include "plumb/tasks/task_file.h"
#include "plumb/text/lines.h"

namespace plumb::cli {
namespace {

struct NewCommand {
  StudyOptions where;
  std::vector<std::string> tasks, gold, training;
  std::string assign = "balanced", guidelines;
  std::int64_t lease_minutes = 30;
  study::StudyPlan plan;

  Result<void> run();
};

Result<std::vector<tasks::Task>> read_tasks(const std::vector<std::string>& files) {
  std::vector<tasks::Task> all;
  for (const std::string& file : files) {
    PLUMB_TRY(task, tasks::read_task(file, progress_bar("reading " + file)));
    all.push_back(std::move(task));
  }
  return all;
}

Result<std::string> read_guidelines(const std::string& file) {
  if (file.empty()) return std::string();
  PLUMB_TRY(text, read_file(file));
  if (!first_bad_utf8(text)) return std::move(text);
  return fail(ErrorKind::kBadInput, fmt::format("{}: bytes that are no UTF-8", file));
}

Result<void> NewCommand::run() {
  plan.name = where.name;
  plan.assignment = *study::parse_assignment(assign);
  plan.lease_ms = lease_minutes * 60 * 1000;
  PLUMB_TRY(main, read_tasks(tasks));
  PLUMB_TRY(known, read_tasks(gold));
  PLUMB_TRY(examples, read_tasks(training));
  PLUMB_TRY(text, read_guidelines(guidelines));
  plan.tasks = std::move(main);
  plan.gold = std::move(known);
  plan.training = std::move(examples);
  plan.guidelines = std::move(text);
  PLUMB_TRY(store, where.studio.open(study::Store::Mode::kCreate));
  PLUMB_TRY(made, study::create_study(*store, plan, progress_bar("making slots")));
  std::int64_t items = 0, slots = 0;
  for (const study::StudyTask& task : made.tasks()) {
    items += task.items;
    slots += task.units * made.info().overlap;
  }
  fmt::print(stderr, "{}: study {} with {} items and {} slots\n", where.studio.shown(),
             report::printable(where.name), items, slots);
  return {};
}

}  // namespace

void add_study_new(CLI::App& study, Program& program) {
  auto command = std::make_shared<NewCommand>();
  CLI::App* verb = study.add_subcommand(
      "new",
      "Example:\n  plumb study new demo --task sts.task.jsonl --overlap 3\n\n"
      "A study of one task or several: every item gets as many slots as annotators shall answer "
      "it. --gold hides known items among the others, --repeat-rate shows some items a second "
      "time, --training puts items with feedback before them.");
  command->where.declare(*verb);
  const auto files = [&](const char* name, std::vector<std::string>& paths, const char* help) {
    return verb->add_option(name, paths, help)->type_name("FILE...")->check(not_empty());
  };
  files("--task", command->tasks, "task files, answered one after another")->required();
  verb->add_option("--overlap", command->plan.overlap, "annotators for each item")
      ->type_name("K")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  verb->add_option("--assign", command->assign,
                   "who gets what: balanced (each item once before any twice), fixed (drawn at the "
                   "start, the same number for each annotator), random")
      ->type_name("HOW")
      ->check(one_of("balanced, fixed, random"))
      ->capture_default_str();
  verb->add_option("--annotators", command->plan.seats, "how many there are; of fixed assignment")
      ->type_name("N")
      ->check(whole_number(1, 10'000));
  verb->add_option("--seed", command->plan.seed, "of orders, sides and checks")
      ->type_name("N")
      ->check(whole_number(0, std::numeric_limits<std::int64_t>::max()))
      ->capture_default_str();
  files("--gold", command->gold, "task files of known items, hidden among the others");
  verb->add_option("--gold-rate", command->plan.gold_rate,
                   "share of the items shown that are known")
      ->type_name("X")
      ->check(number(0, 0.9))
      ->capture_default_str();
  verb->add_option("--repeat-rate", command->plan.repeat_rate,
                   "share of the items shown that the annotator has answered before")
      ->type_name("X")
      ->check(number(0, 0.9))
      ->capture_default_str();
  files("--training", command->training, "task files of items with feedback, shown first");
  verb->add_option("--guidelines", command->guidelines,
                   "a Markdown file; without it the guidelines of the tasks")
      ->type_name("FILE")
      ->check(not_empty());
  verb->add_option("--lease", command->lease_minutes,
                   "minutes without activity after which an item may go to someone else")
      ->type_name("MINUTES")
      ->check(whole_number(1, 100'000))
      ->capture_default_str();
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
