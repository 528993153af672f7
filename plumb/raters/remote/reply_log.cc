#include "plumb/raters/remote/reply_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/raters/remote/http_client.h"

namespace plumb::raters {
namespace {

constexpr std::string_view kBefore = R"({"sha256":")", kBetween = R"(","record":)", kAfter = "}";
constexpr std::size_t kDigest = 64;
constexpr int kDeepest = 80;  // levels of a record, which holds what a server sent

// The file for this process alone, among those that ask; waits for its turn.
class Locked {
 public:
  explicit Locked(int file) : file_(file) {
    while (::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~Locked() { ::flock(file_, LOCK_UN); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  int file_;
};

// The record's bytes, where the line is whole.
std::optional<std::string_view> record_of(std::string_view line) {
  constexpr std::size_t kRecord = kBefore.size() + kDigest + kBetween.size();
  if (line.size() < kRecord + kAfter.size() || !line.starts_with(kBefore) ||
      !line.ends_with(kAfter) ||
      line.substr(kBefore.size() + kDigest, kBetween.size()) != kBetween) {
    return std::nullopt;
  }
  const auto record = line.substr(kRecord, line.size() - kRecord - kAfter.size());
  if (line.substr(kBefore.size(), kDigest) != sha256(record)) return std::nullopt;
  return record;
}

}  // namespace

Result<std::unique_ptr<ReplyLog>> ReplyLog::open(const std::filesystem::path& path) {
  std::error_code code;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), code);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return tl::unexpected(file_error("write", path, errno));
  std::unique_ptr<ReplyLog> log(new ReplyLog(path, file));
  const Locked locked(file);
  if (auto read = log->catch_up(); !read) return tl::unexpected(read.error());
  return log;
}

ReplyLog::~ReplyLog() { ::close(file_); }

std::optional<Json> ReplyLog::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = replies_.find(key);
  return found == replies_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t ReplyLog::damaged() const {
  const std::lock_guard lock(mutex_);
  return damaged_;
}

void ReplyLog::take_line(std::string_view line) {
  const auto bytes = record_of(line);
  const Json record = bytes ? parse_shallow(*bytes, kDeepest) : Json();
  const bool sound = record.is_object() && record.contains("key") && record["key"].is_string() &&
                     record.contains("reply");
  if (!sound) {
    ++damaged_;
    return;
  }
  replies_.emplace(record["key"].get<std::string>(), record["reply"]);
}

// Takes in what has been written since. REQUIRES: the file is locked.
Result<void> ReplyLog::catch_up() {
  struct stat found {};
  if (::fstat(file_, &found) != 0) return tl::unexpected(file_error("read", path_, errno));
  const auto size = static_cast<std::size_t>(found.st_size);
  if (size < read_) read_ = 0;  // someone has cut it
  std::string bytes(size - read_, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = ::pread(file_, bytes.data() + filled, bytes.size() - filled,
                                  static_cast<off_t>(read_ + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(file_error("read", path_, errno));
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  std::string_view rest(bytes.data(), filled);
  if (!rest.empty()) at_line_start_ = rest.ends_with('\n');
  if (size == 0) at_line_start_ = true;
  read_ += filled;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) take_line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

Result<void> ReplyLog::append(std::string_view line) {
  while (!line.empty()) {
    const ssize_t count = ::write(file_, line.data(), line.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(file_error("write", path_, errno));
    read_ += static_cast<std::size_t>(count);
    at_line_start_ = line[static_cast<std::size_t>(count) - 1] == '\n';
    line.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<Json> ReplyLog::add(const std::string& key, const Json& reply, const Json& context) {
  Json record = {{"key", key}, {"reply", reply}};
  record.update(context);
  const std::string bytes = to_text(record);
  const std::lock_guard lock(mutex_);
  const Locked locked(file_);
  if (auto read = catch_up(); !read) return tl::unexpected(read.error());
  const auto found = replies_.find(key);
  if (found != replies_.end()) return found->second;
  const std::string line = fmt::format("{}{}{}{}{}{}{}", at_line_start_ ? "" : "\n", kBefore,
                                       sha256(bytes), kBetween, bytes, kAfter, "\n");
  if (auto written = append(line); !written) return tl::unexpected(written.error());
  replies_.emplace(key, reply);
  return reply;
}

}  // namespace plumb::raters
