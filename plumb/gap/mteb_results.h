// Reads trees of MTEB result files, as the results repository of MTEB and `mteb run` lay them out:
//
//   results/<model>/<revision>/<Task>.json      scores, one file a task
//   results/<model>/<revision>/model_meta.json  name, revision, declared training data (optional)
//
// Both layouts of a file are read: {"task_name", "scores": {split: [{"hf_subset", "main_score",
// ...}]}} and the one before MTEB 1.11, {"mteb_dataset_name", split: {subset: {...}}}. Bare NaN and
// Infinity are taken as missing values.
#pragma once

#include <filesystem>

#include "plumb/base/result.h"
#include "plumb/gap/figures.h"

namespace plumb::gap {

// Every directory below `root` that holds result files is one revision of one rater; a `results`
// folder in `root` is taken for the root. Hidden folders are skipped. Errors name the file:
// kNotFound (no tree, no result files), kNotAllowed, kBadInput (not JSON, a score outside its
// range, an unknown subset, two files for one cell).
Result<Figures> read_mteb_tree(const std::filesystem::path& root, const LoadOptions& options);

}  // namespace plumb::gap
