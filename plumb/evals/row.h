// One figure of an evaluation, in the form that every user of evals/ takes: the verb, links,
// reports.
//
//   EvalRow row = make_row("mmlu", "acc", 200, 0.41, wilson(82, 200, 0.95), choice_scale(0.25));
//   if (row.at) ...  // no resolution there: left out of correlations
//
// A score is a number with an interval, or the reason why there is none. Guarantees: a row with a
// score and an interval says whether it stands at the floor or at the ceiling of its metric.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/stats/score.h"

namespace plumb::evals {

// Where a metric stops telling models apart.
enum class At { kFloor, kCeiling };
std::string_view at_name(At at);  // "floor", "ceiling"

// What a metric can show. Without a floor or a ceiling it has none (characters, ratings).
struct Scale {
  std::optional<double> chance = {};   // what guessing gets
  std::optional<double> floor = {};    // an interval that reaches down to it is at the floor
  std::optional<double> ceiling = {};  // an interval that reaches up to it is at the ceiling
};

// Right answers among k choices: chance is the floor. Shares that nobody guesses at (refusals): 0
// is the floor. Both have their ceiling at 1. Win rates: 0.5 is what an equal gets, 0 the floor.
Scale choice_scale(double chance);
inline constexpr Scale kShareScale{.floor = 0.0, .ceiling = 1.0};
inline constexpr Scale kWinRateScale{.chance = 0.5, .floor = 0.0, .ceiling = 1.0};
inline constexpr Scale kOpenScale{};

// Where an interval touches the floor or the ceiling; the floor where it spans both.
std::optional<At> place_of(const stats::Interval& ci, const Scale& scale);

struct EvalRow {
  std::string model = {};   // "": what was evaluated is known from elsewhere
  std::string eval = {};    // "xstest-safe"
  std::string metric = {};  // "full_refusal"
  std::size_t n = 0;        // items
  stats::Score score = stats::undefined("not measured");
  std::optional<stats::Interval> ci = {};  // of the score
  std::optional<double> chance = {};
  std::optional<At> at = {};
  std::string items = {};  // SHA-256 of the items: rows of different items are not compared
  std::string note = {};   // "corrected for ..."; "baseline: longest"
};

// A row with `at` and `chance` filled in by the scale.
EvalRow make_row(std::string eval, std::string metric, std::size_t n, const stats::Score& score,
                 std::optional<stats::Interval> ci, const Scale& scale);

// {"eval","metric","n","score","ci","chance","at"}, before them "model", after them
// "reason", "items" and "note", where there is one. `where` stands in errors; kBadInput names the
// field.
Json row_json(const EvalRow& row);
Result<EvalRow> parse_row(const Json& json, const std::string& where);

// The rows of a file of schema plumb.eval/1. kNotFound, kBadInput.
Result<std::vector<EvalRow>> read_rows(const std::filesystem::path& file);

}  // namespace plumb::evals
