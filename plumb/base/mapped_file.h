// A file as memory. Pages are read when they are touched, and shared between processes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "plumb/base/result.h"

namespace plumb {

// A regular file mapped read-only. Moves, never copies. A file that another process shortens while
// it is mapped ends this process; files that plumb writes are replaced, never shortened.
class MappedFile {
 public:
  // kNotFound, kNotAllowed, or kBadInput where the path is no regular file.
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace plumb
