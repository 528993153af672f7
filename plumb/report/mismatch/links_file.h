// Reads what `plumb report links --json` wrote, plumb.links-report/1, where it comes from somebody
// else: a studio shows it only if it is what the page draws.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "plumb/base/result.h"

namespace plumb::report {

inline constexpr std::size_t kLongestLinksReport = std::size_t{4} << 20;  // bytes

struct LinksFile {
  std::string title;
  std::string sentence;  // what the links say, in one
};

// name: for messages. kBadInput: no such report, with the field that is missing or of another kind;
// longer than kLongestLinksReport.
Result<LinksFile> check_links_report(std::string_view text, const std::string& name);

}  // namespace plumb::report
