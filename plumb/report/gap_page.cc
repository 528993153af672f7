#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/report/gap_report.h"
#include "plumb/report/page.h"

namespace plumb::report {

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
  return html_page(data);
}

std::string items_page(const std::string& title, const std::string& command, const Json& inputs,
                       const Json& results, const Json& items) {
  return html_page({{"schema", "plumb.items-report/1"},
                    {"title", title},
                    {"command", command},
                    {"version", kVersion},
                    {"inputs", inputs},
                    {"results", results},
                    {"items", items}});
}

}  // namespace plumb::report
