// plumb task sample: a smaller task for people, and what a study of it would show.
#include <fmt/format.h>

#include <memory>

#include "plumb/base/files.h"
#include "plumb/base/version.h"
#include "plumb/cli/task_verbs.h"
#include "plumb/tasks/plan.h"
#include "plumb/tasks/sample.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

using tasks::Task;

struct SampleCommand {
  std::string file, strata = "gold";
  std::vector<std::size_t> items, raters = {1, 2, 3};
  bool wants_plan = false;
  tasks::PlanOptions planning;
  OutputOptions output;

  Result<void> run();
  Result<void> draw(const Task& task) const;
  Result<void> show_plan(const Task& task) const;
};

Result<void> SampleCommand::run() {
  PLUMB_TRY(task, tasks::read_task(file, progress_bar("reading " + file)));
  return wants_plan ? show_plan(task) : draw(task);
}

Result<void> SampleCommand::draw(const Task& task) const {
  if (items.size() != 1) {
    return fail(ErrorKind::kUsage, "-n: a sample has one size; several are for --plan");
  }
  const auto by = strata == "gold"       ? tasks::Strata::kGold
                  : strata == "balanced" ? tasks::Strata::kBalanced
                                         : tasks::Strata::kNone;
  PLUMB_TRY(sample, tasks::sample_task(task, {items.front(), by, planning.seed}));
  if (output.file.empty()) return write_stdout(tasks::format_task(sample));
  auto written = write_file_atomic(output.file, tasks::format_task(sample));
  if (!written) return written;
  fmt::print(stderr, "{}: {} of {} items, {} training items, {}\n", output.file,
             sample.items.size(), task.items.size(), sample.train.size(),
             tasks::items_hash(sample).substr(0, 12));
  return {};
}

report::Table plan_table(const tasks::Plan& plan, const tasks::PlanOptions& options) {
  using report::Align;
  report::Table table{{{"items", Align::kRight},
                       {"annotators", Align::kRight},
                       {"answers", Align::kRight},
                       {fmt::format("human, {:g} % interval", 100 * options.level), Align::kRight},
                       {"detectable gap", Align::kRight}},
                      {}};
  for (const tasks::PlanRow& row : plan.rows) {
    table.rows.push_back({fmt::format("{}", row.items), fmt::format("{}", row.raters),
                          fmt::format("{}", row.items * row.raters),
                          fmt::format("{:.3f} +-{:.3f}", options.human, row.human_half_width),
                          fmt::format("{:.3f}", row.detectable)});
  }
  return table;
}

Json plan_json(const Task& task, const tasks::Plan& plan, const tasks::PlanOptions& options) {
  Json json = {{"schema", "plumb.task-plan/1"},
               {"version", kVersion},
               {"task", task.name},
               {"hash", tasks::items_hash(task)},
               {"metric", plan.metric},
               {"chance", plan.chance},
               {"assumed",
                {{"human", options.human},
                 {"model", options.model},
                 {"correlation", options.correlation},
                 {"annotator_sd", options.annotator_sd}}},
               {"studies", options.studies},
               {"level", options.level},
               {"power", options.power},
               {"seed", options.seed},
               {"rows", Json::array()}};
  for (const tasks::PlanRow& row : plan.rows) {
    json["rows"].push_back({{"items", row.items},
                            {"raters", row.raters},
                            {"human_half_width", row.human_half_width},
                            {"detectable", row.detectable},
                            {"undefined_studies", row.undefined}});
  }
  return json;
}

std::string plan_notes(const tasks::Plan& plan, const tasks::PlanOptions& options) {
  std::string notes = fmt::format(
      "{} simulated studies a row, {}. Assumed: an annotator scores {} on average, give or take "
      "{}, the model {}, and what two raters know about an item correlates by {}. Detectable: the "
      "least human-model difference that is found with power {} at level {}. Guessing earns "
      "{:.3f}.",
      options.studies, plan.metric, options.human, options.annotator_sd, options.model,
      options.correlation, options.power, options.level, plan.chance);
  for (const tasks::PlanRow& row : plan.rows) {
    if (row.undefined == 0) continue;
    notes += fmt::format(" With {} items {} studies had no score.", row.items, row.undefined);
  }
  return report::wrapped(notes) + "\n";
}

Result<void> SampleCommand::show_plan(const Task& task) const {
  tasks::PlanOptions options = planning;
  options.progress = progress_bar("simulating studies");
  PLUMB_TRY(plan, tasks::plan_study(task, items, raters, options));
  const auto table = [&] { return plan_table(plan, options); };
  return write(
      {.json = [&] { return plan_json(task, plan, options); },
       .records =
           [&] {
             report::Table records{{{"items"}, {"raters"}, {"human_half_width"}, {"detectable"}},
                                   {}};
             for (const tasks::PlanRow& row : plan.rows) {
               records.rows.push_back({fmt::format("{}", row.items), fmt::format("{}", row.raters),
                                       report::exact(row.human_half_width),
                                       report::exact(row.detectable)});
             }
             return records;
           },
       .text =
           [&](auto terminal) {
             return to_terminal(table(), terminal) + "\n" + plan_notes(plan, options);
           },
       .markdown = [&] { return to_markdown(table()) + "\n" + plan_notes(plan, options); }},
      output);
}

}  // namespace

void add_task_sample(CLI::App& task, Program& program) {
  auto command = std::make_shared<SampleCommand>();
  CLI::App* verb = task.add_subcommand(
      "sample",
      "Example:\n  plumb task sample sts.task.jsonl -n 100 -o small.task.jsonl\n"
      "  plumb task sample sts.task.jsonl --plan -n 50,100,200 --raters 1,2,3\n\n"
      "Fewer items for people, drawn so that the gold keeps its shape; with --plan, how wide the "
      "intervals of such a study would be and which gap it would find, before anyone annotates.");
  verb->add_option("TASK", command->file, "a task file (docs/formats.md)")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("-n,--items", command->items, "how many items; with --plan several")
      ->type_name("N,...")
      ->delimiter(',')
      ->check(whole_number(1, 10'000'000))
      ->required();
  verb->add_option("--strata", command->strata, "keep the shares of: gold, balanced, none")
      ->type_name("WHAT")
      ->check(one_of("gold, balanced, none"))
      ->capture_default_str();
  CLI::Option* plan =
      verb->add_flag("--plan", command->wants_plan, "draw nothing, simulate studies");
  const auto planned = [&](CLI::Option* option, const char* type, CLI::Validator check) {
    option->type_name(type)->check(std::move(check))->needs(plan)->capture_default_str();
  };
  tasks::PlanOptions& options = command->planning;
  planned(verb->add_option("--raters", command->raters, "annotators of each item")->delimiter(','),
          "R,...", whole_number(1, 1000));
  planned(verb->add_option("--human", options.human, "the expected score of an annotator"), "X",
          number(0, 1));
  planned(verb->add_option("--model", options.model, "the expected score of the model"), "X",
          number(0, 1));
  planned(verb->add_option("--correlation", options.correlation,
                           "between raters, of what they know about an item"),
          "X", number(0, 1));
  planned(verb->add_option("--annotator-sd", options.annotator_sd,
                           "standard deviation of the annotators' expected scores"),
          "X", number(0, 1));
  planned(verb->add_option("--metric", options.metric.metric, "another metric than the main one"),
          "ID", not_empty());
  planned(verb->add_option("--studies", options.studies, "simulated for each row"), "N",
          whole_number(50, 1'000'000));
  planned(verb->add_option("--power", options.power, "of finding the detectable gap"), "X",
          number(0.5, 0.999));
  planned(verb->add_option("--level", options.level, "level of the intervals"), "X",
          number(0.5, 0.999));
  add_seed(*verb, options.seed);
  add_threads(*verb, options.threads);
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
