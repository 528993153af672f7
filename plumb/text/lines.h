// Lines of a text file, plain or gzip, in constant memory.
//
//   PLUMB_TRY(reader, LineReader::open("items.jsonl.gz"));
//   while (true) {
//     PLUMB_TRY(line, reader.next());          // std::optional<std::string_view>
//     if (!line) break;
//     use(reader.where(), *line);              // "items.jsonl.gz:17"
//   }
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb {

// Where in `text` the first byte stands that is no UTF-8 (RFC 3629); nothing if all is well.
std::optional<std::size_t> first_bad_utf8(std::string_view text);

class LineReader {
 public:
  // What lines may hold.
  enum class Content { kUtf8, kAnyBytes };

  // "-" reads what standard input holds. Gzip is known by its first bytes, not by its name.
  // Errors: see file_error().
  static Result<LineReader> open(const std::filesystem::path& path,
                                 Content content = Content::kUtf8);

  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  // The next line without its end (LF or CR LF), valid until the next call; nothing at the end. A
  // byte order mark at the start is skipped. kBadInput, with file and line: bytes that are no
  // UTF-8 where they must be, a gzip file that is damaged or cut short, a line over 64 MiB.
  Result<std::optional<std::string_view>> next();

  std::size_t line() const;   // of the last one, from 1
  std::string where() const;  // "file:line"

  // Bytes of the file that were read, and its size (0 where that is unknown): how far it is.
  std::size_t bytes_read() const;
  std::size_t bytes_total() const;

 private:
  struct State;
  explicit LineReader(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace plumb
