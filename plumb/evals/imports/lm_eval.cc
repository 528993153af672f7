#include "plumb/evals/imports/lm_eval.h"

#include <fmt/format.h>

#include <algorithm>
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

std::size_t items_of(const Json& json, const std::string& task) {
  const auto counts = json.find("n-samples");
  if (counts == json.end() || !counts->is_object() || !counts->contains(task)) return 0;
  const Json& count = (*counts)[task];
  const Json n = count.is_object() ? count.value("effective", Json()) : count;
  return n.is_number_unsigned() ? n.get<std::size_t>() : 0;
}

EvalRow result_row(const Json& json, const std::string& name, const Json& task,
                   const std::string& key, double value, double level) {
  const auto [metric, filter] = split_metric(key);
  const Scale scale = harness_scale(name, metric);
  std::optional<stats::Interval> ci;
  if (const auto error = stderr_of(task, metric, filter)) {
    const double reach = stats::normal_quantile((1 + level) / 2) * *error;
    ci = stats::Interval{value - reach, value + reach};
    if (scale.ceiling) ci = stats::Interval{std::max(ci->low, 0.0), std::min(ci->high, 1.0)};
  }
  EvalRow row =
      make_row(name, joined_metric(metric, filter), items_of(json, name), value, ci, scale);
  const auto groups = json.find("group_subtasks");
  if (groups != json.end() && groups->is_object() && groups->contains(name) &&
      !(*groups)[name].empty()) {
    row.note = "group";
  }
  return row;
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
      const bool is_metric = value.is_number() && key.find("_stderr") == std::string::npos &&
                             key != "alias" && key != "samples" && key != "sample_len";
      if (is_metric) rows.push_back(result_row(json, name, task, key, value.get<double>(), level));
    }
  }
  return rows;
}

}  // namespace plumb::evals
