// A file that is written part by part and appears whole.
//
//   PLUMB_TRY(file, AtomicFile::create(path));
//   for (...) PLUMB_TRY(written, file.write(part));
//   return file.commit();
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb {

// Written beside `path`, flushed to the disk and renamed over it by commit(): a reader finds the
// old bytes or all of the new ones. Without commit() nothing stays. A device or a pipe
// (/dev/stdout) is written to as it is. Errors: see file_error().
class AtomicFile {
 public:
  static Result<AtomicFile> create(const std::filesystem::path& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  Result<void> write(std::string_view bytes);
  Result<void> commit();

 private:
  AtomicFile(std::filesystem::path path, std::string temporary, int descriptor)
      : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  std::string temporary_;  // "": written in place
  int descriptor_;
};

}  // namespace plumb
