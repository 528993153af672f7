// Small pieces that the reports of this folder share.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/report/gap_report.h"
#include "plumb/report/table.h"
#include "plumb/stats/score.h"

namespace plumb::report {

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json or_null(const std::optional<stats::Interval>& ci);
Json or_null(const std::optional<std::pair<int, int>>& ranks);
Json or_null(const stats::IntervalScore& ci);

std::optional<stats::Interval> to_optional(const stats::IntervalScore& ci);

// One bound of an interval with every digit; "" for nothing.
std::string low(const std::optional<stats::Interval>& ci);
std::string high(const std::optional<stats::Interval>& ci);

// The same of a rank's interval; its range is "1-7", or "-".
std::string rank_low(const std::optional<std::pair<int, int>>& ranks);
std::string rank_high(const std::optional<std::pair<int, int>>& ranks);
std::string rank_range(const std::optional<std::pair<int, int>>& ranks);

// "e5-mistral-7b-instruct" of "intfloat/e5-mistral-7b-instruct".
std::string short_name(const std::string& name);

std::vector<Column> columns(std::initializer_list<std::string_view> titles);

// "version" and "inputs": the table of figures with its hash, origin and licence.
void add_provenance(Json& json, const Context& context);

}  // namespace plumb::report
