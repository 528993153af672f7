#include <fmt/format.h>

#include <string_view>

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/report/gap_report.h"

extern "C" {
extern const char plumb_web_report_begin[];
extern const char plumb_web_report_end[];
}

namespace plumb::report {
namespace {

constexpr std::string_view kPlaceholder = "__PLUMB_DATA__";

// JSON that cannot end the script element it stands in.
std::string script_safe(const std::string& json) {
  std::string text;
  for (const char c : json) text += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return text;
}

std::string page_of(const Json& data) {
  std::string page(plumb_web_report_begin, plumb_web_report_end);
  return page.replace(page.find(kPlaceholder), kPlaceholder.size(), script_safe(to_text(data)));
}

}  // namespace

std::string gap_page(const std::string& title, const std::string& command, const Json& leaderboard,
                     const Json& gap, const Json& audit, const Context& context) {
  Json data;
  data["schema"] = "plumb.gap-report/1";
  data["title"] = title;
  data["command"] = command;
  add_provenance(data, context);
  data["leaderboard"] = leaderboard;
  data["gap"] = gap;
  data["audit"] = audit;
  return page_of(data);
}

std::string items_page(const std::string& title, const std::string& command, const Json& results,
                       const Json& items) {
  return page_of({{"schema", "plumb.items-report/1"},
                  {"title", title},
                  {"command", command},
                  {"version", kVersion},
                  {"results", results},
                  {"items", items}});
}

}  // namespace plumb::report
