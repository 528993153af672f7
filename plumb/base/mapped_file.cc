#include "plumb/base/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "plumb/base/files.h"

namespace plumb {

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return tl::unexpected(file_error("read", path, errno));
  struct stat found {};
  const int code = ::fstat(file, &found) == 0 ? 0 : errno;
  void* data = nullptr;
  int map_code = 0;
  const auto size = static_cast<std::size_t>(found.st_size);
  if (code == 0 && S_ISREG(found.st_mode) && size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) map_code = errno;
  }
  ::close(file);
  if (code != 0) return tl::unexpected(file_error("read", path, code));
  if (!S_ISREG(found.st_mode)) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: not a regular file", path.string()));
  }
  if (map_code != 0) return tl::unexpected(file_error("map", path, map_code));
  return MappedFile(static_cast<const std::byte*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace plumb
