#include "plumb/report/page.h"

#include <string_view>

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

}  // namespace

std::string html_page(const Json& data) {
  std::string page(plumb_web_report_begin, plumb_web_report_end);
  return page.replace(page.find(kPlaceholder), kPlaceholder.size(), script_safe(to_text(data)));
}

}  // namespace plumb::report
