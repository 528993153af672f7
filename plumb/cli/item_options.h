// What the verbs share that compare raters on the items of one task: `plumb score TASK`, `plumb gap
// TASK --humans FILE...` and `plumb report gap TASK --humans FILE...`.
#pragma once

#include <string>
#include <vector>

#include "plumb/cli/ask_options.h"
#include "plumb/cli/options.h"
#include "plumb/gap/item_diagnostics.h"
#include "plumb/tasks/scoring.h"

namespace plumb::cli {

// Resamples of single items cost more than those of a few subsets.
inline constexpr std::size_t kItemResamples = 2000;

// Says on stderr how many rows of a table of answers were left out as of other tasks.
void say_left_out(const std::string& path, std::size_t rows);

// Everything that was read, asked and found.
struct ItemResults {
  tasks::Task task;
  std::vector<tasks::AnswerSheet> sheets;
  gap::ItemGapOptions options;
  gap::ItemComparison comparison;
  gap::ItemDiagnostics diagnostics;
};

struct ItemOptions {
  std::vector<std::string> humans, answers;
  std::string metric;
  std::size_t cutoff = 0;
  std::string ties = "expected";
  std::string missing = "leave-out";
  std::string items_file;
  std::string mteb_folder, subset = "default";
  AskOptions models;

  // people: the verb has --humans, and --models of its own.
  void declare(CLI::App& verb, bool people);
  // Makes all options but --humans need it, and the named ones exclude it.
  static void bind_to_humans(CLI::App& verb, std::initializer_list<const char*> excluded);
  // Help of SOURCE and --resamples, where --humans gives them another meaning and default.
  static void say_what_humans_change(CLI::App& verb);

  // Whether --human asks for the published rules. kUsage: a rule that single answers do not have.
  static Result<bool> published_rule(const std::string& human, bool given);

  // Reads the task and the sheets, asks the models, adds the baselines, compares, and writes
  // --items and --mteb.
  Result<ItemResults> compute(const std::string& path, const SamplingOptions& sampling,
                              bool corrected, bool published) const;
  Result<void> print(const ItemResults& results, const OutputOptions& output) const;

 private:
  tasks::MetricOptions metric_options() const;
  Result<std::vector<tasks::AnswerSheet>> read_humans(const tasks::Task& task) const;
  Result<void> write_files(const ItemResults& results) const;
};

}  // namespace plumb::cli
