// The command line that a result names: whoever runs it again gets the same result.
//
//   given_command(*verb);   // "plumb mismatch measure trl.csv --map proxy=reward"
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace plumb::cli {

// The verb with its arguments and the options that were given, in the order in which they are
// declared, as a shell reads it back. Left out is what does not change the result: --threads,
// --output and, of verbs that make tables, their form. REQUIRES: the verb was parsed.
std::string given_command(const CLI::App& verb);

}  // namespace plumb::cli
