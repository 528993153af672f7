// A tar archive (POSIX ustar) as it is written: several files in one download, in constant memory.
//
//   append_tar_header(sink, "pairs.answers.jsonl", size);
//   sink(bytes); ...                                    // `size` of them
//   append_tar_padding(sink, size);
//   append_tar_end(sink);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plumb/base/result.h"
#include "plumb/study/exchange/export.h"

namespace plumb::server {

// kBadInput: a name over 255 bytes that no folder divides into 155 and 100.
Result<void> append_tar_header(const study::Sink& sink, const std::string& name,
                               std::uint64_t size);
Result<void> append_tar_padding(const study::Sink& sink, std::uint64_t size);
Result<void> append_tar_end(const study::Sink& sink);

// Header, bytes and padding.
Result<void> append_tar_file(const study::Sink& sink, const std::string& name,
                             std::string_view bytes);

// A name of a task or rater as a name of a file: without anything that leaves its folder.
std::string safe_file_name(std::string_view name);

}  // namespace plumb::server
