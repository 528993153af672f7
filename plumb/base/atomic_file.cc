#include "plumb/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "plumb/base/files.h"

namespace plumb {
namespace {

// A device or a pipe cannot be replaced, only written to.
bool is_special(const std::filesystem::path& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode);
}

}  // namespace

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path) {
  std::string temporary = is_special(path) ? "" : path.string() + ".XXXXXX";
  const int descriptor = temporary.empty() ? ::open(path.c_str(), O_WRONLY | O_CLOEXEC)
                                           : ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(file_error("write", path, errno));
  return AtomicFile(path, std::move(temporary), descriptor);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return tl::unexpected(file_error("write", path_, errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> AtomicFile::commit() {
  if (temporary_.empty()) return {};
  if (::fsync(descriptor_) != 0 || ::fchmod(descriptor_, 0644) != 0 ||
      ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return tl::unexpected(file_error("write", path_, errno));
  }
  temporary_.clear();
  return {};
}

}  // namespace plumb
