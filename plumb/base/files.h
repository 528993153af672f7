// Files read and written whole, with errors that name the file.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb {

// The error for errno `code` after an operation on `path`: kNotFound, kNotAllowed, kExhausted (disk
// or handles) or kBadInput, with the system's words. `doing` is the operation: "read", "write",
// "list".
Error file_error(std::string_view doing, const std::filesystem::path& path, int code);

Result<std::string> read_file(const std::filesystem::path& path);

// Reads the file into the front of `buffer`, which grows where it must and never shrinks, and
// returns how many bytes there are. For reading many files with one allocation.
Result<std::size_t> read_file_into(const std::filesystem::path& path, std::string& buffer);

// Writes beside `path`, flushes to the disk, then renames over it: a reader finds the old bytes or
// the new ones, never a part, and a failure leaves the old ones in place.
// A device or a pipe (/dev/stdout) is written to as it is.
Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

// The same, of several parts one after another.
Result<void> write_file_atomic(const std::filesystem::path& path,
                               std::span<const std::string_view> parts);

}  // namespace plumb
