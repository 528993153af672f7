// The lock of a studio: one program at a time may write to a database.
//
// Held as a lock on FILE.lock, which the system releases however its holder ends; the file names
// the holder's process and stays.
#pragma once

#include <filesystem>

#include "plumb/base/result.h"

namespace plumb::study {

class LockFile {
 public:
  // kBusy, naming the process that holds it.
  static Result<LockFile> acquire(const std::filesystem::path& database);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace plumb::study
