// The verbs of `plumb mismatch` that have files of their own.
#pragma once

#include "plumb/cli/options.h"

namespace plumb::cli {

void add_mismatch_study(CLI::App& mismatch, Program& program);

}  // namespace plumb::cli
