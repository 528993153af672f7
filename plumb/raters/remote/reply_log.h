// What a language model answered, kept: an append-only file of JSON lines, one a reply, each with
// the SHA-256 of its record. A run that was interrupted finds there what it need not ask again, and
// anyone can check afterwards what was asked and what came back.
//
//   {"sha256":"<of the record's bytes>","record":{"key":"..","reply":{..}, ..}}
//
// A line that is damaged or cut short is counted and never used. Processes that share a file see
// each other's records: the first record of a key stands for all of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "plumb/base/json.h"
#include "plumb/base/result.h"

namespace plumb::raters {

class ReplyLog {
 public:
  // Reads the file, or makes it and its folder.
  static Result<std::unique_ptr<ReplyLog>> open(const std::filesystem::path& path);
  ~ReplyLog();
  ReplyLog(const ReplyLog&) = delete;
  ReplyLog& operator=(const ReplyLog&) = delete;

  std::optional<Json> find(const std::string& key) const;

  // Appends the record {"key": key, "reply": reply, ...context}, unless another process has
  // written one of that key by now. Returns the reply that stands.
  Result<Json> add(const std::string& key, const Json& reply, const Json& context);

  std::size_t damaged() const;  // lines

 private:
  ReplyLog(std::filesystem::path path, int file) : path_(std::move(path)), file_(file) {}

  Result<void> catch_up();
  void take_line(std::string_view line);
  Result<void> append(std::string_view line);

  std::filesystem::path path_;
  int file_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Json> replies_;
  std::size_t read_ = 0;       // bytes
  bool at_line_start_ = true;  // the file ends with a line break, or is empty
  std::size_t damaged_ = 0;
};

}  // namespace plumb::raters
