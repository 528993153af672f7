#include "plumb/text/byte_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"

namespace plumb {
namespace {

constexpr std::size_t kBlock = 1 << 18;
constexpr std::string_view kGzipMagic = "\x1f\x8b";

}  // namespace

struct ByteReader::State {
  std::string name;
  int descriptor = -1;
  Sha256 hash;
  std::string raw = std::string(kBlock, '\0');  // as it lies on the disk
  std::string_view packed;                      // of `raw`, what is not yet unpacked
  std::string buffer;                           // unpacked; what was not given out starts at begin
  std::size_t begin = 0, given = 0, read = 0, total = 0;
  bool ended = false, gzip = false, in_member = false;
  z_stream stream = {};

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (gzip) inflateEnd(&stream);
    if (descriptor >= 0) ::close(descriptor);
  }

  Result<std::string_view> block();
  Result<void> start();
  Result<void> fill();
  Result<void> unpack();
  std::string_view give(std::size_t count, std::size_t skip);
  auto bad(std::string_view what) const {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {}", name, what));
  }
};

// The next bytes on the disk; none at the end.
Result<std::string_view> ByteReader::State::block() {
  while (true) {
    const ssize_t got = ::read(descriptor, raw.data(), raw.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(file_error("read", name, errno));
    const std::string_view bytes(raw.data(), static_cast<std::size_t>(got));
    hash.add(bytes);
    read += bytes.size();
    return bytes;
  }
}

Result<void> ByteReader::State::start() {
  PLUMB_TRY(first, block());
  gzip = first.starts_with(kGzipMagic);
  if (!gzip) {
    buffer = first;
    ended = first.empty();
    return {};
  }
  packed = first;
  constexpr int kGzipWindow = 15 + 16;
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) {
    gzip = false;
    return fail(ErrorKind::kExhausted, fmt::format("{}: out of memory", name));
  }
  in_member = true;
  return {};
}

// Drops what was given out and puts more behind the rest, or finds the end.
Result<void> ByteReader::State::fill() {
  buffer.erase(0, begin);
  begin = 0;
  if (gzip) return unpack();
  PLUMB_TRY(bytes, block());
  buffer.append(bytes);
  ended = bytes.empty();
  return {};
}

Result<void> ByteReader::State::unpack() {
  if (packed.empty()) {
    PLUMB_TRY(bytes, block());
    packed = bytes;
  }
  if (packed.empty()) {
    ended = true;
    return in_member ? Result<void>(bad("the gzip file is cut short; fetch it again"))
                     : Result<void>{};
  }
  if (!in_member) {  // gzip files may stand one after another
    if (inflateReset(&stream) != Z_OK) return bad("the gzip file is damaged; fetch it again");
    in_member = true;
  }
  const std::size_t old = buffer.size();
  buffer.resize(old + kBlock);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(buffer.data() + old);
  stream.avail_out = kBlock;
  const int code = inflate(&stream, Z_NO_FLUSH);
  packed.remove_prefix(packed.size() - stream.avail_in);
  buffer.resize(old + kBlock - stream.avail_out);
  if (code == Z_STREAM_END) in_member = false;
  if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
    return bad("the gzip file is damaged; fetch it again");
  }
  return {};
}

std::string_view ByteReader::State::give(std::size_t count, std::size_t skip) {
  const std::string_view bytes = std::string_view(buffer).substr(begin, count);
  begin += bytes.size() + skip;
  given += bytes.size() + skip;
  return bytes;
}

ByteReader::ByteReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ByteReader::ByteReader(ByteReader&&) noexcept = default;
ByteReader& ByteReader::operator=(ByteReader&&) noexcept = default;
ByteReader::~ByteReader() = default;

Result<ByteReader> ByteReader::open(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->name = path.string();
  state->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (state->descriptor < 0) return tl::unexpected(file_error("read", path, errno));
  struct stat status {};
  if (::fstat(state->descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    state->total = static_cast<std::size_t>(status.st_size);
  }
  if (auto started = state->start(); !started) return tl::unexpected(started.error());
  return ByteReader(std::move(state));
}

Result<std::optional<std::string_view>> ByteReader::until(char end, std::size_t limit) {
  State& state = *state_;
  std::size_t scanned = 0;  // behind `begin`
  while (true) {
    const std::size_t at = state.buffer.find(end, state.begin + scanned);
    if (at != std::string::npos) return state.give(at - state.begin, 1);
    scanned = state.buffer.size() - state.begin;
    if (scanned > limit) {
      return state.bad(fmt::format("more than {} bytes from byte {} on without an end of the {}",
                                   limit, state.given, end == '\n' ? "line" : "word"));
    }
    if (state.ended) break;
    if (auto filled = state.fill(); !filled) return tl::unexpected(filled.error());
  }
  if (scanned == 0) return std::nullopt;
  return state.give(scanned, 0);
}

Result<std::string_view> ByteReader::take(std::size_t count) {
  State& state = *state_;
  while (!state.ended && state.buffer.size() - state.begin < count) {
    if (auto filled = state.fill(); !filled) return tl::unexpected(filled.error());
  }
  return state.give(count, 0);
}

std::size_t ByteReader::offset() const { return state_->given; }
std::size_t ByteReader::bytes_read() const { return state_->read; }
std::size_t ByteReader::bytes_total() const { return state_->total; }

Result<std::string> ByteReader::sha256() {
  while (true) {
    PLUMB_TRY(bytes, state_->block());
    if (bytes.empty()) break;
  }
  state_->ended = true;
  return state_->hash.hex();
}

}  // namespace plumb
