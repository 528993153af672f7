#include "plumb/mismatch/curves.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
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
  std::unordered_map<std::string, std::uint32_t> prompts;
  std::map<std::uint32_t, std::vector<double>> starts;  // rewards at distance 0, by prompt
  std::vector<std::string> where;                       // of the rows

  void add(double d, double reward, const std::string& prompt, std::string place) {
    const auto next = static_cast<std::uint32_t>(prompts.size());
    const std::uint32_t number = prompts.emplace(prompt, next).first->second;
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

Result<Curve> finish(Growing growing, bool has_prompts) {
  Curve& curve = growing.curve;
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
      PLUMB_TRY(reward, number(record, y));
      const auto [place, is_new] = places.emplace(group + y, growing.size());
      if (is_new) growing.emplace_back().curve.name = group + y;
      growing[place->second].add(d, reward, prompt, record.where);
    }
  }
  std::vector<Curve> curves;
  for (Growing& one : growing) {
    PLUMB_TRY(curve, finish(std::move(one), !prompt_column.empty()));
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace plumb::mismatch
