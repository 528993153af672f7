#include "plumb/study/db/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "plumb/base/files.h"

namespace plumb::study {
namespace {

std::string holder_of(int descriptor) {
  std::array<char, 32> bytes{};
  const ssize_t count = ::pread(descriptor, bytes.data(), bytes.size(), 0);
  std::string process(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  process.resize(std::min(process.find('\n'), process.size()));
  return process.empty() ? "another program" : "process " + process;
}

}  // namespace

Result<LockFile> LockFile::acquire(const std::filesystem::path& database) {
  const std::filesystem::path path = database.string() + ".lock";
  LockFile lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.descriptor_ < 0) return tl::unexpected(file_error("lock", path, errno));
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return tl::unexpected(file_error("lock", path, errno));
    return fail(ErrorKind::kBusy, fmt::format("{}: {} is writing to it; stop it, or do this there",
                                              database.string(), holder_of(lock.descriptor_)));
  }
  const std::string process = fmt::format("{}\n", ::getpid());
  const bool named = ::ftruncate(lock.descriptor_, 0) == 0 &&
                     ::pwrite(lock.descriptor_, process.data(), process.size(), 0) > 0;
  static_cast<void>(named);  // on a full disk the lock holds all the same
  return lock;
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace plumb::study
