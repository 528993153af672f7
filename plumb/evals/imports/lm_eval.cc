#include "plumb/evals/imports/lm_eval.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/evals/imports/lm_eval_metrics.h"
#include "plumb/stats/intervals.h"

namespace plumb::evals {
namespace {

// Tasks by how their names begin.
struct KnownChance {
  std::string_view task;
  double chance;
};
constexpr KnownChance kChances[] = {
    {"mmlu", 0.25},   {"arc_", 0.25}, {"hellaswag", 0.25}, {"openbookqa", 0.25}, {"sciq", 0.25},
    {"logiqa", 0.25}, {"race", 0.25}, {"piqa", 0.5},       {"winogrande", 0.5},  {"boolq", 0.5},
    {"copa", 0.5},    {"wsc", 0.5},   {"rte", 0.5},        {"cola", 0.5},        {"sst2", 0.5},
    {"qnli", 0.5},    {"wic", 0.5},   {"mrpc", 0.5}};

// "acc,none" -> "acc", "none".
std::pair<std::string, std::string> split_metric(const std::string& key) {
  const std::size_t comma = key.find(',');
  if (comma == std::string::npos) return {key, ""};
  return {key.substr(0, comma), key.substr(comma + 1)};
}

std::optional<double> stderr_of(const Json& task, const std::string& metric,
                                const std::string& filter) {
  const std::string key = metric + "_stderr" + (filter.empty() ? "" : "," + filter);
  const auto found = task.find(key);
  if (found == task.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

// A field of an object that is an object itself; null otherwise.
const Json* part_of(const Json& json, const std::string& name) {
  const auto found = json.find(name);
  return found == json.end() || !found->is_object() ? nullptr : &*found;
}

std::size_t count_of(const Json& json, const std::string& name) {
  const auto found = json.find(name);
  return found == json.end() || !found->is_number_unsigned() ? 0 : found->get<std::size_t>();
}

// The tasks and groups of which a group is made; empty of a task.
std::vector<std::string> parts_of_group(const Json& json, const std::string& name) {
  std::vector<std::string> parts;
  const Json* groups = part_of(json, "group_subtasks");
  if (groups == nullptr || !groups->contains(name)) return parts;
  for (const Json& part : (*groups)[name]) {
    if (part.is_string()) parts.push_back(part.get<std::string>());
  }
  return parts;
}

// The items of a task, or of all tasks below a group; 0 where the file does not say.
std::size_t items_of(const Json& json, const std::string& name, std::set<std::string>& seen) {
  if (!seen.insert(name).second) return 0;
  if (const Json* counts = part_of(json, "n-samples")) {
    if (const Json* count = part_of(*counts, name)) return count_of(*count, "effective");
    if (const std::size_t n = count_of(*counts, name)) return n;
  }
  if (const Json* task = part_of(json["results"], name)) {
    for (const char* field : {"sample_len", "samples"}) {
      if (const std::size_t n = count_of(*task, field)) return n;
    }
  }
  std::size_t sum = 0;
  for (const std::string& part : parts_of_group(json, name)) {
    const std::size_t n = items_of(json, part, seen);
    if (n == 0) return 0;
    sum += n;
  }
  return sum;
}

// A figure of results.json, taken apart.
struct StatedFigure {
  double value;
  std::optional<double> error;
  std::size_t n;
  bool group;
};

// Whether the standard error is that of n zeros and ones (harness: with n - 1), as far as its
// digits show; 0 has lost it.
bool is_of_truths(const StatedFigure& figure) {
  if (!figure.error) return !figure.group;
  if (*figure.error == 0 || figure.n < 2) return true;
  const double n = static_cast<double>(figure.n);
  const double expected = std::sqrt(figure.value * (1 - figure.value) / (n - 1));
  constexpr double kRounding = 0.05;
  return std::abs(*figure.error - expected) <= kRounding * expected;
}

std::optional<stats::Interval> interval_of(const StatedFigure& figure, std::string_view metric,
                                           const Scale& scale, double level) {
  const bool share = is_harness_share(metric) && figure.value >= 0 && figure.value <= 1;
  if (share && figure.n > 0 && is_of_truths(figure)) {
    const double n = static_cast<double>(figure.n);
    return stats::wilson(figure.value * n, n, level);
  }
  if (!figure.error || *figure.error <= 0) return std::nullopt;
  const double reach = stats::normal_quantile((1 + level) / 2) * *figure.error;
  const stats::Interval ci{figure.value - reach, figure.value + reach};
  const bool within = scale.ceiling && figure.value >= 0 && figure.value <= 1;
  return within ? stats::Interval{std::max(ci.low, 0.0), std::min(ci.high, 1.0)} : ci;
}

std::string note_of(const StatedFigure& figure) {
  std::vector<std::string_view> notes;
  if (figure.group) notes.emplace_back("group");
  if (figure.n == 0) notes.emplace_back("n is not stated");
  if (figure.error == 0.0) notes.emplace_back("its standard error is 0");
  return fmt::format("{}", fmt::join(notes, "; "));
}

EvalRow result_row(const Json& json, const std::string& name, const std::string& key,
                   const Json& value, double level) {
  const auto [metric, filter] = split_metric(key);
  const Scale scale = harness_scale(name, metric);
  std::set<std::string> seen;
  StatedFigure figure{.value = 0,
                      .error = stderr_of(json["results"][name], metric, filter),
                      .n = items_of(json, name, seen),
                      .group = !parts_of_group(json, name).empty()};
  const std::string joined = joined_metric(metric, filter);
  if (!value.is_number()) {
    return make_row(name, joined, figure.n, stats::undefined("its file states NaN"), {}, scale);
  }
  figure.value = value.get<double>();
  EvalRow row = make_row(name, joined, figure.n, figure.value,
                         interval_of(figure, metric, scale, level), scale);
  row.note = note_of(figure);
  return row;
}

bool is_metric(const std::string& key, const Json& value) {
  return (value.is_number() || value.is_null()) && key.find("_stderr") == std::string::npos &&
         key != "alias" && key != "samples" && key != "sample_len" && key != "name" && key != " ";
}

}  // namespace

std::optional<double> harness_chance(std::string_view task) {
  const auto* found = std::ranges::find_if(
      kChances, [&](const KnownChance& known) { return task.starts_with(known.task); });
  return found == std::end(kChances) ? std::nullopt : std::optional(found->chance);
}

bool is_harness_share(std::string_view metric) {
  return metric.starts_with("acc") || metric.ends_with("_acc") ||
         metric.starts_with("exact_match") || metric.starts_with("pass@");
}

Scale harness_scale(std::string_view task, std::string_view metric) {
  if (metric.starts_with("acc")) {
    const auto chance = harness_chance(task);
    return chance ? choice_scale(*chance) : kShareScale;
  }
  return is_harness_share(metric) || metric.starts_with("f1") ? kShareScale : kOpenScale;
}

std::string joined_metric(const std::string& metric, const std::string& filter) {
  return filter.empty() || filter == "none" ? metric : metric + "," + filter;
}

std::string harness_task(const std::filesystem::path& file) {
  std::string name = file.stem().string();
  if (name.starts_with("samples_")) name.erase(0, 8);
  const std::size_t last = name.rfind('_');
  if (last == std::string::npos) return name;
  const std::string_view date = std::string_view(name).substr(last + 1);
  const bool is_date = date.size() >= 10 && date[0] >= '0' && date[0] <= '9' && date[4] == '-';
  if (is_date) name.resize(last);
  return name;
}

Result<std::vector<EvalRow>> read_harness_results(const std::string& file, double level) {
  PLUMB_TRY(text, read_file(file));
  const Json json = Json::parse(without_nonfinite_words(text).text, nullptr, false);
  if (!json.is_object() || !json.contains("results") || !json["results"].is_object()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: no results.json of lm-evaluation-harness (\"results\" with a task "
                            "each)",
                            file));
  }
  std::vector<EvalRow> rows;
  for (const auto& [name, task] : json["results"].items()) {
    if (!task.is_object()) {
      return fail(ErrorKind::kBadInput, fmt::format("{}: task \"{}\" is no object", file, name));
    }
    for (const auto& [key, value] : task.items()) {
      if (is_metric(key, value)) rows.push_back(result_row(json, name, key, value, level));
    }
  }
  if (rows.empty()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: \"results\" holds no metric", file));
  }
  return rows;
}

}  // namespace plumb::evals
