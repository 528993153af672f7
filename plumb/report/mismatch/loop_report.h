// Rounds of asking (mismatch/loop) in the forms in which they leave the program.
#pragma once

#include <string>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/mismatch/loop/loop.h"
#include "plumb/report/table.h"

namespace plumb::report {

// plumb.mismatch-loop/1
Json mismatch_loop_json(const mismatch::LoopReport& report);

Table mismatch_loop_records(const mismatch::LoopReport& report);  // a row a finished round
Table mismatch_loop_table(const mismatch::LoopReport& report);    // the same for people

// Paragraphs: how to read it, what the rounds came to, and what a waiting loop waits for.
std::vector<std::string> mismatch_loop_notes(const mismatch::LoopReport& report);

}  // namespace plumb::report
