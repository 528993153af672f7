// What the verbs share: how results leave the program, where options are declared, how errors end
// it.
//
// A verb is one file that declares its options on a CLI::App and leaves an action in `Program`.
// Data goes to stdout, everything else to stderr.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "plumb/base/json.h"
#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/gap/figures.h"
#include "plumb/report/table.h"
#include "plumb/stats/standings.h"

namespace plumb::cli {

// The action of the verb that was named; set by its callback, run once parsing is done.
struct Program {
  CLI::App* app;
  std::function<Result<void>()> action;
};

// --json, --csv, --markdown, -o FILE.
struct OutputOptions {
  bool json = false;
  bool csv = false;
  bool markdown = false;
  std::string file;

  void declare(CLI::App& verb);
};

// One result in all its forms; only the form that was asked for is made.
struct Output {
  std::function<Json()> json;
  std::function<report::Table()> records;  // CSV
  std::function<std::string(const report::Terminal&)> text;
  std::function<std::string()> markdown;
};
Result<void> write(const Output& output, const OutputOptions& options);

// The bytes on stdout, all of them; kExhausted where it is closed or full.
Result<void> write_stdout(std::string_view text);

// Checks of values, whose errors say what would have been right.
CLI::Validator one_of(std::string_view names);  // "refuse, keep, skip"
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high);
CLI::Validator number(double low, double high);
CLI::Validator not_empty();

// --resamples, --level, --seed, --threads. A verb whose --level is another thing names the level of
// the intervals differently.
struct SamplingOptions {
  stats::ResampleOptions values;
  double level = 0.95;

  void declare(CLI::App& verb, const char* level_option = "--level");
};

// SOURCE, --unknown-subsets, and the progress bar while it is read.
struct SourceOptions {
  std::string source;
  std::string unknown_subsets = "refuse";

  void declare(CLI::App& verb, bool required);
  Result<gap::Figures> load(int threads) const;
};

// An option of a whole number from `low` to 10^9, or of a number.
void declare_count(CLI::App& verb, const char* name, std::size_t& value, std::uint64_t low,
                   const char* help);
void declare_number(CLI::App& verb, const char* name, double& value, double low, double high,
                    const char* help);

// --seed and --threads as every verb has them.
void add_seed(CLI::App& verb, std::uint64_t& seed);
void add_threads(CLI::App& verb, int& threads);

// A bar on a terminal for what takes over two seconds, a line now and then otherwise.
Progress progress_bar(std::string what);

// stdout as it is: bold on a terminal where NO_COLOR is not set, and as wide as that terminal.
report::Terminal terminal_of_stdout();

// The verbs, one file each.
void add_leaderboard(CLI::App& app, Program& program);
void add_gap(CLI::App& app, Program& program);
void add_score(CLI::App& app, Program& program);
void add_embed(CLI::App& app, Program& program);
void add_task(CLI::App& app, Program& program);
void add_agree(CLI::App& app, Program& program);
void add_study(CLI::App& app, Program& program);
void add_reward(CLI::App& app, Program& program);
void add_policy(CLI::App& app, Program& program);
void add_mismatch(CLI::App& app, Program& program);
void add_report(CLI::App& app, Program& program);
void add_doctor(CLI::App& app, Program& program);
void add_completion(CLI::App& app, Program& program);
void add_tokens(CLI::App& app, Program& program);
void add_lm(CLI::App& app, Program& program);

}  // namespace plumb::cli
