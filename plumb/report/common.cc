#include "plumb/report/common.h"

#include <fmt/format.h>

#include "plumb/base/version.h"

namespace plumb::report {

Json or_null(const std::optional<stats::Interval>& ci) {
  return ci ? Json{ci->low, ci->high} : Json(nullptr);
}

Json or_null(const std::optional<std::pair<int, int>>& ranks) {
  return ranks ? Json{ranks->first, ranks->second} : Json(nullptr);
}

Json or_null(const stats::IntervalScore& ci) { return or_null(to_optional(ci)); }

std::optional<stats::Interval> to_optional(const stats::IntervalScore& ci) {
  return ci ? std::optional(*ci) : std::nullopt;
}

std::string low(const std::optional<stats::Interval>& ci) {
  return ci ? exact(ci->low) : std::string();
}

std::string high(const std::optional<stats::Interval>& ci) {
  return ci ? exact(ci->high) : std::string();
}

std::string rank_low(const std::optional<std::pair<int, int>>& ranks) {
  return ranks ? fmt::format("{}", ranks->first) : std::string();
}

std::string rank_high(const std::optional<std::pair<int, int>>& ranks) {
  return ranks ? fmt::format("{}", ranks->second) : std::string();
}

std::string rank_range(const std::optional<std::pair<int, int>>& ranks) {
  return ranks ? fmt::format("{}-{}", ranks->first, ranks->second) : "-";
}

std::string short_name(const std::string& name) { return name.substr(name.rfind('/') + 1); }

std::vector<Column> columns(std::initializer_list<std::string_view> titles) {
  std::vector<Column> result;
  for (const std::string_view title : titles) result.push_back({std::string(title)});
  return result;
}

void add_provenance(Json& json, const Context& context) {
  json["version"] = kVersion;
  json["inputs"] = Json::array({{{"name", context.figures->name},
                                 {"sha256", content_hash(*context.figures)},
                                 {"origin", context.figures->origin},
                                 {"licence", context.figures->licence}}});
}

}  // namespace plumb::report
