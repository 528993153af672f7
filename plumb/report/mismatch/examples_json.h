// Completions side by side, as the pages of runs take them.
#pragma once

#include "plumb/base/json.h"
#include "plumb/mismatch/measure/run_details.h"

namespace plumb::report {

// {"stages": [{"name","step","note"}], "prompts": [{"prompt", "samples": [{"completion","proxy",
// "gold"} or null]}]}; long texts are cut between characters, and say so.
Json examples_json(const mismatch::Examples& examples);

}  // namespace plumb::report
