#include "plumb/server/exports/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace plumb::server {
namespace {

constexpr std::size_t kBlock = 512, kNameBytes = 100, kPrefixBytes = 155;

using Block = std::array<char, kBlock>;

void put(Block& block, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Where the name divides into a prefix and the rest; npos: nowhere.
std::size_t cut_of(const std::string& name) {
  if (name.size() <= kNameBytes) return 0;
  const std::size_t cut = name.find('/', name.size() - kNameBytes - 1);
  return cut > kPrefixBytes ? std::string::npos : cut;
}

}  // namespace

Result<void> append_tar_header(const study::Sink& sink, const std::string& name,
                               std::uint64_t size) {
  const std::size_t cut = cut_of(name);
  if (cut == std::string::npos) {
    return fail(ErrorKind::kBadInput,
                fmt::format("\"{}\" is too long for the name of a file", name));
  }
  Block block{};
  put(block, 0, cut == 0 ? name : name.substr(cut + 1));
  put(block, 100, "0000644");
  put(block, 108, "0000000");
  put(block, 116, "0000000");
  put(block, 124, fmt::format("{:011o}", size));
  put(block, 136, "00000000000");
  put(block, 148, "        ");
  put(block, 156, "0");
  put(block, 257, std::string_view("ustar\00000", 8));
  put(block, 345, name.substr(0, cut));
  const auto sum = std::accumulate(block.begin(), block.end(), 0U, [](unsigned total, char c) {
    return total + static_cast<unsigned char>(c);
  });
  put(block, 148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return sink({block.data(), block.size()});
}

Result<void> append_tar_padding(const study::Sink& sink, std::uint64_t size) {
  const std::size_t rest = size % kBlock;
  return rest == 0 ? Result<void>() : sink(std::string(kBlock - rest, '\0'));
}

Result<void> append_tar_end(const study::Sink& sink) { return sink(std::string(2 * kBlock, '\0')); }

Result<void> append_tar_file(const study::Sink& sink, const std::string& name,
                             std::string_view bytes) {
  if (auto done = append_tar_header(sink, name, bytes.size()); !done) return done;
  if (auto done = sink(bytes); !done) return done;
  return append_tar_padding(sink, bytes.size());
}

std::string safe_file_name(std::string_view name) {
  std::string safe;
  for (const char c : name.substr(0, 80)) {
    const bool odd = static_cast<unsigned char>(c) <= 0x20 || c == '/' || c == '\\' || c == ':' ||
                     c == '"' || c == 0x7f;
    safe += odd ? '_' : c;
  }
  // Not half a character.
  while (name.size() > 80 && !safe.empty() && static_cast<unsigned char>(safe.back()) >= 0x80) {
    safe.pop_back();
  }
  if (safe.empty() || safe.front() == '.') safe.insert(safe.begin(), '_');
  return safe;
}

}  // namespace plumb::server
