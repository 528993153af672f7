// The two parsers behind mteb_file.h; nobody else includes this.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "plumb/base/result.h"
#include "plumb/gap/mteb_file.h"

namespace plumb::gap::internal {

inline constexpr std::size_t kPadding = simdjson::SIMDJSON_PADDING;

// Of an entry: the items that its score is of, which plumb writes.
inline constexpr std::string_view kItemsKey = "n_items";

// Reranking files give their agreement no name.
void name_metric(Agreement& agreement);

// One pass over the current layout. Values that are not kept are skipped unread, so it is several
// times faster than parsing the file; what it cannot vouch for it leaves to WholeParser.
class FastParser {
 public:
  // buffer: `length` bytes of text and at least kPadding more. Nothing: another layout, another
  // order of keys, or not JSON.
  std::optional<RawFile> parse(const std::string& buffer, std::size_t length);

 private:
  simdjson::ondemand::parser parser_;
};

// Both layouts, and the words for what is wrong.
class WholeParser {
 public:
  Result<RawFile> parse(const std::string& text, std::string_view where);

 private:
  simdjson::dom::parser parser_;
};

}  // namespace plumb::gap::internal
