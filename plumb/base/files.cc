#include "plumb/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

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

// 0, or the errno of the first write or flush that failed.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int write_all(int descriptor, std::span<const std::string_view> parts) {
  int code = 0;
  for (const std::string_view part : parts) {
    if (code == 0) code = write_all(descriptor, part);
  }
  return code;
}

// A device or a pipe cannot be replaced, only written to.
bool is_special(const std::filesystem::path& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode);
}

Result<void> write_special(const std::filesystem::path& path,
                           std::span<const std::string_view> parts) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const int code = file.number() < 0 ? errno : write_all(file.number(), parts);
  if (code == 0) return {};
  return tl::unexpected(file_error("write", path, code));
}

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
  if (is_special(path)) return write_special(path, parts);
  std::string temporary = path.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.number() < 0) return tl::unexpected(file_error("write", path, errno));
  int code = write_all(file.number(), parts);
  if (code == 0 && ::fsync(file.number()) != 0) code = errno;
  if (code == 0 && ::fchmod(file.number(), 0644) != 0) code = errno;
  if (code == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) code = errno;
  if (code == 0) return {};
  ::unlink(temporary.c_str());
  return tl::unexpected(file_error("write", path, code));
}

}  // namespace plumb
