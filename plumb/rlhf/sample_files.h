// Files of samples, before they are read: where they lie, and what they call their fields.
//
//   PLUMB_TRY(file, find_samples("runs/grpo"));
//   if (auto known = check_names(file, fields); !known) return known;
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "plumb/base/result.h"
#include "plumb/rlhf/samples.h"

namespace plumb::rlhf {

// Of a run folder its samples.jsonl; of a file itself. kNotFound where the folder has none, with
// what it has instead: runs, or files of another trainer.
Result<std::filesystem::path> find_samples(const std::filesystem::path& run);

// kBadInput: no line has a name that `fields` gives. A typing error would else pass for what was
// not measured. Reads as far as the last name's first line; pipes are left alone.
Result<void> check_names(const std::filesystem::path& file, const SampleFields& fields);

// What to do where no sample of a file has a "proxy" or a "gold", in words, with the names that the
// first one has.
std::string how_to_give(std::string_view field, const std::filesystem::path& file);

}  // namespace plumb::rlhf
