// Exports that are a file a task, of all tasks of a study at once: as a tar archive, or as a
// folder. What `plumb study export` writes and the server sends.
//
//   write_archive(study, "answers", sink);   // pairs.answers.jsonl, labels.answers.jsonl, ...
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "plumb/base/result.h"
#include "plumb/study/exchange/export.h"

namespace plumb::server {

// "answers", "adjudicated" or "gold": the ending of a task's file; "": the format is of no task's.
std::string_view task_file_ending(std::string_view format);

// How many lines were written, of all tasks. Answers are of one snapshot, in constant memory.
// REQUIRES: task_file_ending(format) is not "".
Result<std::size_t> write_archive(const study::Study& study, std::string_view format,
                                  const study::Sink& sink);

// The same as files in a folder, which is made where there is none; each is written as a whole.
Result<std::size_t> write_folder(const study::Study& study, std::string_view format,
                                 const std::filesystem::path& folder);

}  // namespace plumb::server
