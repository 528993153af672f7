#include "plumb/mismatch/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "plumb/stats/best_of_n.h"
#include "plumb/tasks/codec.h"
#include "plumb/text/records.h"

namespace plumb::mismatch {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

Result<std::string> field(const Record& record, const std::string& column) {
  if (record.fields.contains(column)) return tasks::word_field(record.fields, column.c_str(), "");
  std::vector<std::string> names;
  for (const auto& [name, value] : record.fields.items()) names.push_back(name);
  return bad(fmt::format("{}: there is no column \"{}\"; there are {}", record.where, column,
                         fmt::join(names, ", ")));
}

Result<double> number(const Record& record, const std::string& column) {
  PLUMB_TRY(text, field(record, column));
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value))
    return value;
  return bad(fmt::format("{}: \"{}\" of column \"{}\" is not a finite number", record.where, text,
                         column));
}

// Nothing of an empty cell, or of null: not measured.
Result<std::optional<double>> reward_of(const Record& record, const std::string& column) {
  const auto cell = record.fields.find(column);
  const auto is_empty = [](const Json& value) {
    return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
  };
  if (cell != record.fields.end() && is_empty(*cell)) return std::optional<double>();
  PLUMB_TRY(value, number(record, column));
  return std::optional(value);
}

Result<double> distance(const Record& record, const CurveColumns& columns) {
  PLUMB_TRY(x, number(record, columns.x));
  if (columns.meaning == Distance::kBest) {
    if (x >= 1) return std::sqrt(std::max(0.0, stats::best_of_n_kl(x)));
    return bad(fmt::format("{}: the best of {} samples; n is 1 or more", record.where, x));
  }
  if (x >= 0) return columns.meaning == Distance::kKl ? std::sqrt(x) : x;
  return bad(fmt::format("{}: {} is {}; a distance is not negative", record.where, columns.x, x));
}

// A curve while its rows come in.
struct Growing {
  Curve curve;
  std::string y;
  std::unordered_map<std::string, std::uint32_t> prompts;
  std::map<std::uint32_t, std::vector<double>> starts;  // rewards at distance 0, by prompt
  std::vector<std::string> where;                       // of the rows
  std::set<std::uint32_t> without_start;                // prompts with an empty start
  std::size_t partial = 0;                              // rows whose samples lack some rewards

  std::uint32_t number_of(const std::string& prompt) {
    return prompts.emplace(prompt, static_cast<std::uint32_t>(prompts.size())).first->second;
  }
  void leave_out(double d, const std::string& prompt) {
    ++curve.left_out;
    if (d == 0) without_start.insert(number_of(prompt));
  }
  void add(double d, double reward, const std::string& prompt, std::string place) {
    const std::uint32_t number = number_of(prompt);
    if (d == 0) {
      starts[number].push_back(reward);
      return;
    }
    curve.d.push_back(d);
    curve.reward.push_back(reward);
    curve.cluster.push_back(number);
    where.push_back(std::move(place));
  }
};

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Takes out rows whose prompt has a start, and an empty one.
void leave_out_startless(Growing& growing) {
  Curve& curve = growing.curve;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < curve.d.size(); ++i) {
    const std::uint32_t prompt = curve.cluster[i];
    if (growing.without_start.contains(prompt) && !growing.starts.contains(prompt)) {
      ++curve.left_out;
      continue;
    }
    curve.d[kept] = curve.d[i];
    curve.reward[kept] = curve.reward[i];
    curve.cluster[kept] = prompt;
    growing.where[kept++] = growing.where[i];
  }
  curve.d.resize(kept);
  curve.reward.resize(kept);
  curve.cluster.resize(kept);
}

// Whether a table of measured runs says that samples behind the row lack the reward.
bool is_partial(const Record& record, const std::string& y) {
  const std::string column = "without_" + y;
  const auto cell = record.fields.find(column);
  if (cell == record.fields.end()) return false;
  const auto count = number(record, column);
  return count && *count > 0;
}

void say_partial(Growing& growing) {
  if (growing.partial == 0) return;
  growing.curve.notes.push_back(fmt::format(
      "{} of {} rows are means over samples of which some lack {} (without_{}), and wrong where "
      "what is missing hangs on the answer.",
      growing.partial, growing.where.size(), growing.y, growing.y));
}

void say_left_out(Curve& curve) {
  if (curve.left_out == 0) return;
  const bool one = curve.left_out == 1;
  curve.notes.push_back(
      fmt::format("{} row{} without a reward, or without one at {} start, {} "
                  "left out; what is left is wrong where that hangs on the "
                  "reward.",
                  curve.left_out, one ? "" : "s", one ? "its" : "their", one ? "is" : "are"));
  if (curve.d.empty()) curve.doubt = "no row has a reward";
}

Result<Curve> finish(Growing growing, bool has_prompts) {
  Curve& curve = growing.curve;
  say_partial(growing);
  leave_out_startless(growing);
  say_left_out(curve);
  curve.shifted = !growing.starts.empty();
  for (std::size_t i = 0; curve.shifted && i < curve.d.size(); ++i) {
    const auto start = growing.starts.find(curve.cluster[i]);
    if (start == growing.starts.end()) {
      return bad(
          fmt::format("{}: its prompt has no row at distance 0, and others have; give all "
                      "prompts a start, or none",
                      growing.where[i]));
    }
    curve.reward[i] -= mean(start->second);
  }
  // Numbers without gaps: a prompt may have a start and nothing else.
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  for (std::uint32_t& cluster : curve.cluster) {
    cluster = numbers.emplace(cluster, static_cast<std::uint32_t>(numbers.size())).first->second;
  }
  curve.prompts = numbers.size();
  if (!has_prompts) curve.cluster.clear(), curve.prompts = 0;
  return std::move(curve);
}

}  // namespace

Result<std::vector<Curve>> read_curves(const std::string& path, const CurveColumns& columns) {
  PLUMB_TRY(records, read_records(path, {}));
  if (records.empty()) return bad(fmt::format("{}: the table has no rows", path));
  std::string prompt_column = columns.prompt;
  if (prompt_column.empty() && records[0].fields.contains("prompt")) prompt_column = "prompt";
  std::vector<Growing> growing;
  std::unordered_map<std::string, std::size_t> places;
  for (const Record& record : records) {
    PLUMB_TRY(d, distance(record, columns));
    std::string group, prompt;
    if (!columns.by.empty()) {
      PLUMB_TRY(value, field(record, columns.by));
      group = value + "/";
    }
    if (!prompt_column.empty()) {
      PLUMB_TRY(value, field(record, prompt_column));
      prompt = value;
    }
    for (const std::string& y : columns.y) {
      PLUMB_TRY(reward, reward_of(record, y));
      const auto [place, is_new] = places.emplace(group + y, growing.size());
      if (is_new) {
        growing.emplace_back().curve.name = group + y;
        growing.back().y = y;
      }
      Growing& one = growing[place->second];
      if (reward) {
        one.add(d, *reward, prompt, record.where);
        one.partial += is_partial(record, y) ? 1 : 0;
      } else {
        one.leave_out(d, prompt);
      }
    }
  }
  std::vector<Curve> curves;
  for (Growing& one : growing) {
    PLUMB_TRY(curve, finish(std::move(one), !prompt_column.empty()));
    curves.push_back(std::move(curve));
  }
  if (std::ranges::any_of(curves, [](const Curve& curve) { return curve.doubt.empty(); })) {
    return curves;
  }
  return bad(fmt::format("{}: no row has a number in {}", path, fmt::join(columns.y, ", ")));
}

}  // namespace plumb::mismatch
