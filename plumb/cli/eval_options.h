// What `plumb eval run` and `plumb eval score` share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "plumb/cli/ask_options.h"
#include "plumb/cli/options.h"
#include "plumb/evals/suites/suite.h"
#include "plumb/report/eval_report.h"

namespace plumb::cli {

// SUITE, --data, --items, --shots, --labelled, and how results leave.
struct SuiteArguments {
  std::string suite, data, labelled;
  std::size_t items = 0, shots = 5;
  SamplingOptions sampling;
  OutputOptions output;

  void declare(CLI::App& verb);
  evals::SuiteOptions options() const { return {data, items, shots}; }
  // Level, seed and the labelled completions.
  Result<evals::RunOptions> run_options() const;
};

// --cache, --concurrency, of what asks a server.
struct ServerOptions {
  std::string cache;
  int concurrency = 4;

  void declare(CLI::App& verb);
  // A file for the replies of this server.
  std::string log(const std::string& server) const;
};

Result<void> write_evaluation(const report::EvalContext& context, const OutputOptions& output);

// The verbs, one file each.
void add_eval(CLI::App& app, Program& program);
void add_eval_pairs(CLI::App& eval, Program& program);
void add_eval_run(CLI::App& eval, Program& program);
void add_eval_score(CLI::App& eval, Program& program);

}  // namespace plumb::cli
