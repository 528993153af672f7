#include "plumb/text/lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>

#include "plumb/base/files.h"

namespace plumb {
namespace {

constexpr std::size_t kBuffer = 1 << 18, kLongestLine = 64 << 20;

struct CloseGz {
  void operator()(gzFile file) const { gzclose_r(file); }
};

}  // namespace

std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + size > text.size()) return i;
    unsigned char low = 0x80, high = 0xbf;  // of the second byte: no long forms, no surrogates
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
    if (byte(i + 1) < low || byte(i + 1) > high) return i;
    for (std::size_t k = 2; k < size; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return i;
    }
    i += size;
  }
  return std::nullopt;
}

struct LineReader::State {
  std::string name;
  std::unique_ptr<gzFile_s, CloseGz> file;
  std::string buffer;  // what was read and not yet returned starts at `begin`
  std::size_t begin = 0;
  std::size_t scanned = 0;  // no line end before it
  std::size_t line = 0;
  std::size_t total = 0;
  bool ended = false;
  bool checks = true;  // that lines are UTF-8

  Result<void> fill();
  Result<std::string_view> take(std::size_t end, std::size_t skip);
  auto bad(std::string_view what) const {
    return fail(ErrorKind::kBadInput, fmt::format("{}:{}: {}", name, line + 1, what));
  }
};

// Drops what was returned and reads more behind the rest.
Result<void> LineReader::State::fill() {
  buffer.erase(0, begin);
  scanned -= begin;
  begin = 0;
  if (buffer.size() > kLongestLine) return bad("the line is longer than 64 MiB");
  const std::size_t old = buffer.size();
  buffer.resize(old + kBuffer);
  const int got = gzread(file.get(), buffer.data() + old, kBuffer);
  buffer.resize(old + static_cast<std::size_t>(got > 0 ? got : 0));
  if (got == kBuffer) return {};
  int code = Z_OK;
  const char* why = gzerror(file.get(), &code);
  if (code == Z_ERRNO) return tl::unexpected(file_error("read", name, errno));
  if (code == Z_BUF_ERROR) return bad("the gzip file is cut short; fetch it again");
  if (code != Z_OK && code != Z_STREAM_END) {
    return bad(fmt::format("the gzip file is damaged ({}); fetch it again", why));
  }
  ended = got <= 0;
  return {};
}

// The line that ends before `end`, and what follows it is `skip` bytes further.
Result<std::string_view> LineReader::State::take(std::size_t end, std::size_t skip) {
  std::string_view text = std::string_view(buffer).substr(begin, end - begin);
  begin = scanned = end + skip;
  if (line == 0 && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (const auto at = checks ? first_bad_utf8(text) : std::nullopt) {
    return bad(fmt::format("byte {} of the line is not UTF-8; convert the file first", *at + 1));
  }
  ++line;
  return text;
}

LineReader::LineReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

Result<LineReader> LineReader::open(const std::filesystem::path& path, Content content) {
  const int descriptor =
      path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(file_error("read", path, errno));
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(descriptor);
    return tl::unexpected(file_error("read", path, EISDIR));
  }
  auto state = std::make_unique<State>();
  state->checks = content == Content::kUtf8;
  state->name = path == "-" ? "standard input" : path.string();
  state->total = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
  state->file.reset(gzdopen(descriptor, "rb"));
  if (!state->file) {
    ::close(descriptor);
    return fail(ErrorKind::kExhausted, fmt::format("{}: out of memory", state->name));
  }
  gzbuffer(state->file.get(), kBuffer);
  return LineReader(std::move(state));
}

Result<std::optional<std::string_view>> LineReader::next() {
  State& state = *state_;
  while (true) {
    const std::size_t end = state.buffer.find('\n', state.scanned);
    if (end != std::string::npos) return state.take(end, 1);
    state.scanned = state.buffer.size();
    if (state.ended) break;
    if (auto filled = state.fill(); !filled) return tl::unexpected(filled.error());
  }
  if (state.begin == state.buffer.size()) return std::nullopt;
  return state.take(state.buffer.size(), 0);
}

std::size_t LineReader::line() const { return state_->line; }

std::string LineReader::where() const { return fmt::format("{}:{}", state_->name, state_->line); }

std::size_t LineReader::bytes_read() const {
  const auto at = gzoffset(state_->file.get());
  return at < 0 ? 0 : static_cast<std::size_t>(at);
}

std::size_t LineReader::bytes_total() const { return state_->total; }

}  // namespace plumb
