#include "plumb/raters/embedders/vector_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>

#include "plumb/base/files.h"

namespace plumb::raters {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

constexpr std::string_view kFileHead = "plumb.vectors/1\n";
constexpr std::uint32_t kMagic = 0x31525650;  // "PVR1"
constexpr std::size_t kLargestDimension = 1 << 20, kPendingBytes = 1 << 20;

// What stands before the numbers of a record. Its own checksum comes last and covers the rest, so
// that a length is never believed unchecked.
struct RecordHead {
  std::uint32_t magic = kMagic;
  std::uint32_t dimension = 0;
  CacheKey key = {};
  std::uint64_t values_checksum = 0;
  std::uint64_t head_checksum = 0;

  std::string_view covered() const {
    return {reinterpret_cast<const char*>(this), offsetof(RecordHead, head_checksum)};
  }
  bool is_sound() const {
    return magic == kMagic && dimension > 0 && dimension <= kLargestDimension &&
           head_checksum == checksum(covered());
  }
  std::size_t record_bytes() const { return sizeof(RecordHead) + dimension * sizeof(float); }
};
static_assert(sizeof(RecordHead) == 56);

struct HashKey {
  std::size_t operator()(const CacheKey& key) const {
    std::size_t result = 0;
    std::memcpy(&result, key.data(), sizeof(result));
    return result;
  }
};

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// How many bytes could be read at the place: fewer than asked for at the end of the file or where
// the disk fails.
std::size_t read_at(int descriptor, std::uint64_t place, char* to, std::size_t count) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got =
        ::pread(descriptor, to + done, count - done, static_cast<off_t>(place + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

int write_at(int descriptor, std::uint64_t place, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(put));
    place += static_cast<std::uint64_t>(put);
  }
  return 0;
}

// Held by the one who appends; released when its holder ends, however it ends.
class FileLock {
 public:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {
    while (::flock(descriptor_, LOCK_EX) != 0) {
      if (errno != EINTR) {
        code_ = errno;
        return;
      }
    }
  }
  ~FileLock() { ::flock(descriptor_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  int code() const { return code_; }

 private:
  int descriptor_;
  int code_ = 0;
};

}  // namespace

CacheKey cache_key(std::string_view model, std::string_view prompt, std::string_view text) {
  Sha256 hash;
  for (const std::string_view part : {model, prompt, text}) {
    hash.add(fmt::format("{}:", part.size()));
    hash.add(part);
  }
  return hash.digest();
}

struct VectorCache::State {
  std::filesystem::path path;
  int descriptor = -1;
  mutable std::mutex mutex;
  std::unordered_map<CacheKey, std::uint64_t, HashKey> places;  // of a record in the file
  std::unordered_map<CacheKey, std::vector<float>, HashKey> waiting;
  std::string pending;        // records that are not yet in the file
  std::uint64_t scanned = 0;  // the file is known up to here: where a record ends
  std::size_t damaged = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (descriptor >= 0) ::close(descriptor);
  }

  auto error(std::string_view doing, int code) const {
    return tl::unexpected(file_error(doing, path, code));
  }

  Result<std::uint64_t> catch_up();
  void scan(std::uint64_t size);
  std::optional<std::uint64_t> next_head(std::uint64_t place, std::uint64_t size) const;
  Result<std::uint64_t> size() const;
  Result<void> append();
  std::optional<std::vector<float>> read(std::uint64_t place, const CacheKey& key) const;
};

Result<std::uint64_t> VectorCache::State::size() const {
  const off_t end = ::lseek(descriptor, 0, SEEK_END);
  if (end < 0) return error("read", errno);
  return static_cast<std::uint64_t>(end);
}

// Under the lock: learns what others wrote and returns where the file ends. Its own head is written
// where the file is new, or its maker died, or somebody emptied it.
Result<std::uint64_t> VectorCache::State::catch_up() {
  PLUMB_TRY(end, size());
  if (end < scanned) {
    ++damaged;
    places.clear();
    scanned = 0;
  }
  if (scanned == 0) {
    std::string head(kFileHead.size(), '\0');
    head.resize(read_at(descriptor, 0, head.data(), head.size()));
    if (!kFileHead.starts_with(head)) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: not a cache of vectors, or damaged at its "
                                                    "start; name another file or delete this one",
                                                    path.string()));
    }
    if (head.size() < kFileHead.size()) {
      if (const int code = write_at(descriptor, 0, kFileHead)) return error("write", code);
    }
    scanned = kFileHead.size();
  }
  scan(end);
  return std::max(end, scanned);
}

// Learns the records between `scanned` and `size`. An unfinished one at the end is left for later.
void VectorCache::State::scan(std::uint64_t size) {
  while (scanned < size) {
    RecordHead head;
    const std::size_t got =
        read_at(descriptor, scanned, reinterpret_cast<char*>(&head), sizeof(head));
    if (got == sizeof(head) && head.is_sound()) {
      if (scanned + head.record_bytes() > size) return;
      places[head.key] = scanned;
      scanned += head.record_bytes();
      continue;
    }
    const auto next = next_head(scanned + 1, size);
    if (!next) return;
    ++damaged;
    scanned = *next;
  }
}

// Where the first sound head at or after `place` stands.
std::optional<std::uint64_t> VectorCache::State::next_head(std::uint64_t place,
                                                           std::uint64_t size) const {
  const std::string_view magic(reinterpret_cast<const char*>(&kMagic), sizeof(kMagic));
  std::string block(1 << 16, '\0');
  while (place + sizeof(RecordHead) <= size) {
    const std::size_t got = read_at(descriptor, place, block.data(), block.size());
    const std::string_view bytes(block.data(), got);
    for (std::size_t at = 0; (at = bytes.find(magic, at)) < got; ++at) {
      if (at + sizeof(RecordHead) > got) break;
      RecordHead head;
      std::memcpy(static_cast<void*>(&head), bytes.data() + at, sizeof(head));
      if (head.is_sound()) return place + at;
    }
    if (got < block.size()) return std::nullopt;
    place += got - sizeof(RecordHead) + 1;
  }
  return std::nullopt;
}

// Under the lock nobody else writes, so what is unfinished at the end has lost its writer: new
// records take its place.
Result<void> VectorCache::State::append() {
  if (pending.empty()) return {};
  const FileLock lock(descriptor);
  if (lock.code() != 0) return error("lock", lock.code());
  PLUMB_TRY(end, catch_up());
  if (scanned < end) {
    ++damaged;
    if (::ftruncate(descriptor, static_cast<off_t>(scanned)) != 0) return error("write", errno);
  }
  if (const int code = write_at(descriptor, scanned, pending)) {
    const bool undone = ::ftruncate(descriptor, static_cast<off_t>(scanned)) == 0;
    return error(undone ? "write" : "write to or shorten", code);
  }
  scan(scanned + pending.size());
  pending.clear();
  waiting.clear();
  return {};
}

// Nothing: the record is not what was written under the key.
std::optional<std::vector<float>> VectorCache::State::read(std::uint64_t place,
                                                           const CacheKey& key) const {
  RecordHead head;
  if (read_at(descriptor, place, reinterpret_cast<char*>(&head), sizeof(head)) != sizeof(head) ||
      !head.is_sound() || head.key != key) {
    return std::nullopt;
  }
  std::vector<float> values(head.dimension);
  const std::size_t bytes = values.size() * sizeof(float);
  if (read_at(descriptor, place + sizeof(head), reinterpret_cast<char*>(values.data()), bytes) !=
          bytes ||
      checksum(bytes_of(values)) != head.values_checksum) {
    return std::nullopt;
  }
  return values;
}

VectorCache::VectorCache(std::unique_ptr<State> state) : state_(std::move(state)) {}

VectorCache::~VectorCache() { (void)state_->append(); }

Result<std::unique_ptr<VectorCache>> VectorCache::open(const std::filesystem::path& path) {
  std::error_code ignored;  // open() says what is wrong with the folder
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  auto state = std::make_unique<State>();
  state->path = path;
  state->descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (state->descriptor < 0) return tl::unexpected(file_error("write", path, errno));
  {
    const FileLock lock(state->descriptor);
    if (lock.code() != 0) return state->error("lock", lock.code());
    if (auto end = state->catch_up(); !end) return tl::unexpected(end.error());
  }
  return std::unique_ptr<VectorCache>(new VectorCache(std::move(state)));
}

std::optional<std::vector<float>> VectorCache::find(const CacheKey& key) {
  const std::lock_guard guard(state_->mutex);
  if (const auto found = state_->waiting.find(key); found != state_->waiting.end()) {
    return found->second;
  }
  const auto found = state_->places.find(key);
  if (found == state_->places.end()) return std::nullopt;
  auto vector = state_->read(found->second, key);
  if (!vector) {
    ++state_->damaged;
    state_->places.erase(found);
  }
  return vector;
}

Result<void> VectorCache::insert(const CacheKey& key, std::span<const float> vector) {
  const bool finite =
      std::all_of(vector.begin(), vector.end(), [](float x) { return std::isfinite(x); });
  if (vector.empty() || vector.size() > kLargestDimension || !finite) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: a vector of {} numbers{} cannot be kept", state_->path.string(),
                            vector.size(), finite ? "" : ", not all of them finite,"));
  }
  RecordHead head;
  head.dimension = static_cast<std::uint32_t>(vector.size());
  head.key = key;
  head.values_checksum = checksum(bytes_of(vector));
  head.head_checksum = checksum(head.covered());
  const std::lock_guard guard(state_->mutex);
  state_->pending.append(reinterpret_cast<const char*>(&head), sizeof(head));
  state_->pending.append(bytes_of(vector));
  state_->waiting[key].assign(vector.begin(), vector.end());
  return state_->pending.size() < kPendingBytes ? Result<void>{} : state_->append();
}

Result<void> VectorCache::flush() {
  const std::lock_guard guard(state_->mutex);
  if (auto appended = state_->append(); !appended) return appended;
  if (::fdatasync(state_->descriptor) != 0) return state_->error("write", errno);
  return {};
}

std::size_t VectorCache::size() const {
  const std::lock_guard guard(state_->mutex);
  std::size_t more = 0;
  for (const auto& [key, vector] : state_->waiting) more += state_->places.contains(key) ? 0 : 1;
  return state_->places.size() + more;
}

std::size_t VectorCache::damaged() const {
  const std::lock_guard guard(state_->mutex);
  return state_->damaged;
}

}  // namespace plumb::raters
