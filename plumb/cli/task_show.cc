// plumb task show | list: a task looked at, and the tasks that are known by name.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "plumb/base/version.h"
#include "plumb/cli/task_verbs.h"
#include "plumb/tasks/suite.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

using tasks::Kind;
using tasks::Task;

struct ShowCommand {
  std::string file;
  OutputOptions output;

  Result<void> run() const;
};

// How many items have each gold label, group or grade; ratings have too many values.
std::map<std::string, std::size_t> gold_counts(const Task& task) {
  std::map<std::string, std::size_t> counts;
  for (const tasks::Item& item : task.items) {
    for (std::size_t i = 0; i < item.gold.size(); ++i) {
      const double value = item.gold[i];
      if (task.kind == Kind::kPreference) {
        if (i == 0) ++counts[std::string(choice_name(static_cast<tasks::Choice>(value)))];
      } else if (!task.labels.empty()) {
        ++counts[task.labels[static_cast<std::size_t>(value)]];
      } else {
        ++counts[fmt::format("{}", value)];
      }
    }
  }
  return counts;
}

Result<void> ShowCommand::run() const {
  PLUMB_TRY(task, tasks::read_task(file, progress_bar("reading " + file)));
  std::size_t with_gold = 0;
  for (const tasks::Item& item : task.items) with_gold += item.gold.empty() ? 0 : 1;
  const auto counts = gold_counts(task);
  const auto json = [&] {
    Json result = {{"schema", "plumb.task-show/1"}, {"version", kVersion}};
    result["task"] = {{"name", task.name}, {"kind", kind_name(task.kind)}};
    if (task.scale) result["task"]["scale"] = {task.scale->low, task.scale->high};
    if (!task.labels.empty()) result["task"]["labels"] = task.labels;
    result["items"] = task.items.size();
    result["with_gold"] = with_gold;
    result["train"] = task.train.size();
    result["hash"] = tasks::items_hash(task);
    result["gold"] = Json::object();
    for (const auto& [value, count] : counts) result["gold"][value] = count;
    return result;
  };
  report::Table table{{{"gold"}, {"items", report::Align::kRight}}, {}};
  if (counts.size() <= 60) {
    for (const auto& [value, count] : counts)
      table.rows.push_back({value, fmt::format("{}", count)});
  }
  std::string heading = fmt::format("{} ({}), {} items, {} with gold, {} training items\n",
                                    report::printable(task.name), kind_name(task.kind),
                                    task.items.size(), with_gold, task.train.size());
  if (!task.instruction.empty()) heading += report::printable(task.instruction) + "\n";
  heading += fmt::format("hash {}\n", tasks::items_hash(task));
  const std::string first = report::printable(task.items.front().texts[0]);
  const std::string example =
      fmt::format("\nfirst item, \"{}\": {}\n", task.items.front().id,
                  first.size() > 200 ? first.substr(0, 200) + "..." : first);
  return write({.json = json,
                .records = [&] { return table; },
                .text =
                    [&](auto terminal) {
                      return heading +
                             (table.rows.empty() ? "" : "\n" + to_terminal(table, terminal)) +
                             example;
                    },
                .markdown = [&] { return heading + "\n" + to_markdown(table) + example; }},
               output);
}

}  // namespace

void add_task_show(CLI::App& task, Program& program) {
  auto command = std::make_shared<ShowCommand>();
  CLI::App* verb = task.add_subcommand("show",
                                       "Example:\n  plumb task show sts.task.jsonl\n\n"
                                       "What a task holds: its items, their gold, its hash.");
  verb->add_option("TASK", command->file, "a task file (docs/formats.md)")
      ->type_name("")
      ->check(not_empty())
      ->required();
  command->output.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

namespace {

Result<void> list_tasks(const OutputOptions& output) {
  report::Table table{{{"task"},
                       {"kind"},
                       {"metric", report::Align::kLeft, 1},
                       {"subsets", report::Align::kLeft, 2},
                       {"labels", report::Align::kLeft, 3}},
                      {}};
  Json rows = Json::array();
  for (const tasks::SuiteTask& task : tasks::hume_tasks()) {
    std::vector<std::string> subsets;
    for (const tasks::SuiteSubset& subset : task.subsets) {
      if (subset.used) subsets.push_back(fmt::format("{} ({})", subset.id, subset.items));
    }
    table.rows.push_back({std::string(task.name), std::string(tasks::type_name(task.type)),
                          std::string(task.metric), fmt::format("{}", fmt::join(subsets, ", ")),
                          fmt::format("{}", fmt::join(task.labels, ", "))});
    rows.push_back({{"name", task.name},
                    {"kind", tasks::type_name(task.type)},
                    {"metric", task.metric},
                    {"instruction", task.instruction},
                    {"subsets", subsets},
                    {"labels", std::vector<std::string>(task.labels.begin(), task.labels.end())}});
  }
  return write(
      {.json =
           [&] {
             return Json{{"schema", "plumb.task-list/1"}, {"version", kVersion}, {"tasks", rows}};
           },
       .records = [&] { return table; },
       .text = [&](auto terminal) { return to_terminal(table, terminal); },
       .markdown = [&] { return to_markdown(table); }},
      output);
}

}  // namespace

void add_task_list(CLI::App& task, Program& program) {
  auto output = std::make_shared<OutputOptions>();
  CLI::App* verb =
      task.add_subcommand("list",
                          "Example:\n  plumb task list\n\n"
                          "The tasks that are known by name: those of HUME. Whoever has "
                          "their texts imports them with it.");
  output->declare(*verb);
  verb->callback([output, &program] { program.action = [output] { return list_tasks(*output); }; });
}

}  // namespace plumb::cli
