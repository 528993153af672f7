// plumb embed TASK --model M -o FILE: the vectors of a task's texts, to be looked up again.
#include <fmt/format.h>

#include <memory>

#include "plumb/cli/ask_options.h"
#include "plumb/cli/options.h"
#include "plumb/raters/embedders/vector_file.h"
#include "plumb/raters/embedding_rater.h"
#include "plumb/tasks/task_file.h"

namespace plumb::cli {
namespace {

using raters::EmbeddedTask;
using raters::RowName;
using raters::TextRole;

struct EmbedCommand {
  std::string task, model, output;
  int threads = 0;
  EmbedderOptions embedders;

  Result<void> run() const;
};

// The text and role of each row: those of texts, then those of queries.
std::vector<RowName> row_names(const tasks::Task& task, const EmbeddedTask& embedded) {
  const std::size_t texts = embedded.texts.rows(), queries = embedded.queries.rows();
  std::vector<RowName> names(texts + queries);
  const auto name = [&](std::size_t row, const std::string& text, TextRole role) {
    names[row].text = text;
    names[row].role = role;
  };
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    for (std::size_t part = 0; part < embedded.rows[i].size(); ++part) {
      const std::size_t row = embedded.rows[i][part];
      const std::string& text = task.items[i].texts[part];
      if (queries > 0 && part == 0) {
        name(texts + row, text, TextRole::kQuery);
      } else {
        name(row, text, queries > 0 ? TextRole::kDocument : TextRole::kText);
      }
    }
  }
  for (std::size_t i = 0; i < task.train.size(); ++i) {
    name(embedded.train_rows[i], task.train[i].texts[0], TextRole::kText);
  }
  return names;
}

Result<void> EmbedCommand::run() const {
  PLUMB_TRY(read, tasks::read_task(task, progress_bar("reading " + task)));
  PLUMB_TRY(embedder, embedders.open(model, &read));
  PLUMB_TRY(embedded, raters::embed_task(read, *embedder, {0, threads, progress_bar(model)}));
  EmbedderOptions::tell_notes(*embedder);
  const std::vector<RowName> rows = row_names(read, embedded);
  const auto all = raters::Vectors::stacked(std::move(embedded.texts), std::move(embedded.queries));
  PLUMB_TRY(names, raters::write_vector_file(output, all, rows));
  fmt::print(stderr, "{}: {} vectors of {} numbers; {}: their texts\n", output, all.rows(),
             all.dimension(), names.string());
  return {};
}

}  // namespace

void add_embed(CLI::App& app, Program& program) {
  auto command = std::make_shared<EmbedCommand>();
  CLI::App* verb = app.add_subcommand(
      "embed",
      "Example:\n  plumb embed sts.task.jsonl --model http://localhost:8080/v1#bge-m3 -o bge.npy\n"
      "  plumb score sts.task.jsonl --model bge.npy\n\n"
      "The vectors of every text of a task, with a file beside that says of what text each row "
      "is. Whatever takes --model takes that file.");
  verb->add_option("TASK", command->task, "a task file (docs/formats.md)")
      ->type_name("")
      ->check(not_empty())
      ->required();
  verb->add_option("--model", command->model, "the model (docs/embedders.md)")
      ->type_name("MODEL")
      ->check(not_empty())
      ->required();
  verb->add_option("-o,--output", command->output, "FILE.npy or FILE.safetensors")
      ->type_name("FILE")
      ->check(not_empty())
      ->required();
  add_threads(*verb, command->threads);
  command->embedders.declare(*verb);
  verb->callback([command, &program] { program.action = [command] { return command->run(); }; });
}

}  // namespace plumb::cli
