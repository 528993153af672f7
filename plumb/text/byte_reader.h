// Bytes of a file, plain or gzip, in one pass and constant memory, with the hash of the file as it
// lies on the disk. For files of gigabytes of which little is kept; LineReader (lines.h) is for
// files whose every line counts.
//
//   PLUMB_TRY(reader, ByteReader::open("vectors.txt.gz"));
//   PLUMB_TRY(line, reader.until('\n'));
//   PLUMB_TRY(hash, reader.sha256());
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb {

class ByteReader {
 public:
  // Gzip is known by its first bytes. Errors: see file_error().
  static Result<ByteReader> open(const std::filesystem::path& path);

  ByteReader(ByteReader&&) noexcept;
  ByteReader& operator=(ByteReader&&) noexcept;
  ~ByteReader();

  // What stands before the next `end`, which is passed over, or before the end of the file; valid
  // until the next call. Nothing: the file has ended. kBadInput: a gzip file that is damaged or cut
  // short; more than `limit` bytes without an `end`.
  Result<std::optional<std::string_view>> until(char end, std::size_t limit = 64 << 20);

  // The next `count` bytes; fewer at the end of the file. Valid until the next call.
  Result<std::string_view> take(std::size_t count);

  std::size_t offset() const;  // bytes that were given out, unpacked

  // Bytes of the file that were read, and its size (0 where that is unknown).
  std::size_t bytes_read() const;
  std::size_t bytes_total() const;

  // Reads what is left. SHA-256 of the file, packed if it is packed. Nothing can be read after it.
  Result<std::string> sha256();

 private:
  struct State;
  explicit ByteReader(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace plumb
