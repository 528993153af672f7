// A value of a JSON document that knows where it stands, so that every error names the file and the
// path.
#pragma once

#include <simdjson.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"

namespace plumb::tokens {

class JsonNode {
 public:
  // `file` outlives the node.
  JsonNode(simdjson::dom::element value, const std::string& file, std::string path)
      : value_(value), file_(&file), path_(std::move(path)) {}

  // kBadInput: "file: path: what".
  tl::unexpected<Error> bad(std::string_view what) const;

  Result<JsonNode> at(std::string_view key) const;  // must be there
  Result<std::optional<JsonNode>> find(
      std::string_view key) const;              // nothing where it is missing or null
  Result<std::vector<JsonNode>> items() const;  // of an array
  Result<void> only(std::initializer_list<std::string_view> keys)
      const;  // an object without other or repeated keys

  Result<std::string_view> text() const;
  Result<bool> flag() const;
  Result<std::int64_t> whole(std::int64_t low, std::int64_t high) const;

  // Of a key, with a value for where it is missing or null.
  Result<std::string_view> text_at(std::string_view key) const;
  Result<std::string_view> text_or(std::string_view key, std::string_view otherwise) const;
  Result<bool> flag_or(std::string_view key, bool otherwise) const;
  Result<std::int64_t> whole_or(std::string_view key, std::int64_t otherwise, std::int64_t low,
                                std::int64_t high) const;

  simdjson::dom::element value() const { return value_; }
  const std::string& path() const { return path_; }
  std::string kind() const;  // "a text", "a number", ...

  JsonNode child(simdjson::dom::element value, std::string_view key) const;
  JsonNode child(simdjson::dom::element value, std::size_t index) const;

 private:
  Result<simdjson::dom::object> object() const;

  simdjson::dom::element value_;
  const std::string* file_;
  std::string path_;
};

}  // namespace plumb::tokens
