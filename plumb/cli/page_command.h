// The command that makes a page again, for its provenance: the verb with everything that it was
// given and that decides what the page says.
//
//   page_command(*verb) == "plumb report gap sts.task.jsonl --humans people.jsonl --models bm25"
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace plumb::cli {

// Positional words first, then the options by their long names in the order given; quoted for a
// shell. Left out: where the page goes (--output) and what changes no byte of it (--threads).
// REQUIRES: the verb was parsed.
std::string page_command(const CLI::App& verb);

}  // namespace plumb::cli
