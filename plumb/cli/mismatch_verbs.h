// The verbs of `plumb mismatch` and `plumb report` that have files of their own.
#pragma once

#include <string>

#include "plumb/cli/options.h"

namespace plumb::cli {

void add_mismatch_measure(CLI::App& mismatch, Program& program);
void add_mismatch_chain(CLI::App& mismatch, Program& program);
void add_mismatch_population(CLI::App& mismatch, Program& program);
void add_mismatch_remedies(CLI::App& mismatch, Program& program);
void add_mismatch_loop(CLI::App& mismatch, Program& program);
void add_mismatch_links(CLI::App& mismatch, Program& program);
void add_mismatch_full(CLI::App& mismatch, Program& program);
void add_report_mismatch(CLI::App& report, Program& program);
void add_report_links(CLI::App& report, Program& program);
void add_report_full(CLI::App& report, Program& program);

// --run and --gold of a study in a folder that is taken up where it was killed.
void declare_run_and_gold(CLI::App& verb, std::string& folder, std::string& gold);

}  // namespace plumb::cli
