// plumb task import: a task made of other files.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "plumb/base/files.h"
#include "plumb/cli/task_verbs.h"
#include "plumb/tasks/import.h"
#include "plumb/tasks/suite.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

using tasks::Task;

struct ImportCommand {
  std::string kind, output, name, instruction, language, licence, origin, scale, format;
  std::vector<std::string> files, train, map, labels;
  int groups = 0;
  bool no_header = false;

  Result<void> run() const;
  Result<Task> header() const;
};

auto usage(std::string message) { return fail(ErrorKind::kUsage, std::move(message)); }

// What the suite knows of a task: kind, labels and instruction.
std::optional<Task> from_suite(const std::string& name) {
  const tasks::SuiteTask* known = tasks::find_task(name);
  if (known == nullptr) return std::nullopt;
  Task task;
  task.name = name;
  task.instruction = known->instruction;
  task.labels.assign(known->labels.begin(), known->labels.end());
  task.kind = *tasks::parse_kind([&] {
    std::string kind(tasks::type_name(known->type));
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return kind;
  }());
  return task;
}

Result<tasks::Scale> parse_scale(const std::string& text) {
  const std::size_t colon = text.find(':', 1);
  tasks::Scale scale;
  const auto number = [](std::string_view part, double& value) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc() && end == part.data() + part.size();
  };
  if (colon == std::string::npos || !number(std::string_view(text).substr(0, colon), scale.low) ||
      !number(std::string_view(text).substr(colon + 1), scale.high) || scale.low >= scale.high) {
    return usage(fmt::format("--scale: '{}' is not LOW:HIGH, such as 0:5", text));
  }
  return scale;
}

Result<Task> ImportCommand::header() const {
  Task task;
  if (auto known = from_suite(kind)) {
    task = std::move(*known);
  } else if (const auto parsed = tasks::parse_kind(kind)) {
    task.kind = *parsed;
  } else {
    return usage(
        fmt::format("no kind of task '{}'; there are sts, classification, clustering, "
                    "reranking, preference and the tasks of `plumb task list`",
                    kind));
  }
  if (!scale.empty()) {
    PLUMB_TRY(range, parse_scale(scale));
    task.scale = range;
  }
  const auto set = [](std::string& member, const std::string& given) {
    if (!given.empty()) member = given;
  };
  set(task.name, name);
  set(task.instruction, instruction);
  set(task.language, language);
  set(task.licence, licence);
  set(task.origin, origin);
  if (!labels.empty()) task.labels = labels;
  if (groups > 0) task.groups = groups;
  return task;
}

Result<void> ImportCommand::run() const {
  tasks::ImportOptions options;
  PLUMB_TRY(described, header());
  options.header = described;
  options.no_header = no_header;
  options.format = format;
  options.progress = progress_bar("reading");
  for (const std::string& pair : map) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size()) {
      return usage(fmt::format("--map: '{}' is not field=column", pair));
    }
    options.columns[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  PLUMB_TRY(task, tasks::import_task(files, train, options));
  if (auto written = write_file_atomic(output, tasks::format_task(task)); !written) return written;
  fmt::print(stderr, "{}: {} items, {} training items, {}\n", output, task.items.size(),
             task.train.size(), tasks::items_hash(task).substr(0, 12));
  return {};
}

}  // namespace

void add_task_import(CLI::App& task, Program& program) {
  auto command = std::make_shared<ImportCommand>();
  CLI::App* verb = task.add_subcommand(
      "import",
      "Example:\n  plumb task import sts pairs.csv --map text1=sentence1 --map text2=sentence2 "
      "--map rating=score --scale 0:5 -o sts.task.jsonl\n\n"
      "A task of other files: CSV, TSV (.tsv, .txt) or JSON lines, plain or gzip.");
  const auto text = [&](const char* option, std::string& value, const char* help) {
    return verb->add_option(option, value, help)->type_name("TEXT");
  };
  verb->add_option("KIND", command->kind,
                   "sts, classification, clustering, reranking, preference, or a HUME task's name")
      ->type_name("")
      ->required();
  verb->add_option("FILE", command->files, "the items")->type_name("")->required();
  verb->add_option("-o,--output", command->output, "the task to write")
      ->required()
      ->type_name("FILE")
      ->check(not_empty());
  verb->add_option("--map", command->map, "an item's field and the column that holds it")
      ->type_name("FIELD=COLUMN")
      ->allow_extra_args(false);
  verb->add_option("--train", command->train, "training items of a classification")
      ->type_name("FILE...");
  verb->add_option("--format", command->format, "csv, tsv or jsonl, where the ending does not tell")
      ->type_name("FORMAT")
      ->check(one_of("csv, tsv, jsonl"));
  verb->add_flag("--no-header", command->no_header, "columns have no names but 1, 2, ...");
  verb->add_option("--labels", command->labels, "the label set, separated by commas")
      ->type_name("A,B,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  text("--scale", command->scale, "of ratings, grades or strength: LOW:HIGH");
  verb->add_option("--groups", command->groups, "clustering: how many groups to make")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000));
  text("--name", command->name, "the task's name");
  text("--instruction", command->instruction, "what a person reads and a model is given");
  text("--language", command->language, "of the texts: en, ar, ...");
  text("--licence", command->licence, "of the data");
  text("--origin", command->origin, "where the data come from");
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
