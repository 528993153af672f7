#include "plumb/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "plumb/base/atomic_file.h"

namespace plumb {
namespace {

ErrorKind kind_of(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::kNotAllowed;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorKind::kExhausted;
    default:
      return ErrorKind::kBadInput;
  }
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

Error file_error(std::string_view doing, const std::filesystem::path& path, int code) {
  return Error{kind_of(code), fmt::format("{}: cannot {}: {}", path.string(), doing,
                                          std::generic_category().message(code))};
}

Result<std::size_t> read_file_into(const std::filesystem::path& path, std::string& buffer) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return tl::unexpected(file_error("read", path, errno));
  std::size_t filled = 0;
  for (;;) {
    if (filled == buffer.size()) buffer.resize(std::max<std::size_t>(2 * filled, 1 << 16));
    const ssize_t count = ::read(file.number(), buffer.data() + filled, buffer.size() - filled);
    if (count == 0) return filled;
    if (count < 0 && errno != EINTR) return tl::unexpected(file_error("read", path, errno));
    if (count > 0) filled += static_cast<std::size_t>(count);
  }
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::string bytes;
  PLUMB_TRY(length, read_file_into(path, bytes));
  bytes.resize(length);
  return bytes;
}

Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view bytes) {
  return write_file_atomic(path, std::span(&bytes, 1));
}

Result<void> write_file_atomic(const std::filesystem::path& path,
                               std::span<const std::string_view> parts) {
  PLUMB_TRY(file, AtomicFile::create(path));
  for (const std::string_view part : parts) {
    if (auto written = file.write(part); !written) return written;
  }
  return file.commit();
}

}  // namespace plumb
