#include "plumb/evals/imports/lm_eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/number.h"
#include "plumb/evals/imports/entries.h"
#include "plumb/evals/scoring/choice.h"
#include "plumb/evals/scoring/intervals.h"
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

Scale scale_of(std::string_view task, std::string_view metric) {
  if (metric.starts_with("acc")) {
    const auto chance = harness_chance(task);
    return chance ? choice_scale(*chance) : kShareScale;
  }
  return metric.starts_with("exact_match") || metric.starts_with("f1") ? kShareScale : kOpenScale;
}

// "acc,none" -> "acc", "none".
std::pair<std::string, std::string> split_metric(const std::string& key) {
  const std::size_t comma = key.find(',');
  if (comma == std::string::npos) return {key, ""};
  return {key.substr(0, comma), key.substr(comma + 1)};
}

std::string joined_metric(const std::string& metric, const std::string& filter) {
  return filter.empty() || filter == "none" ? metric : metric + "," + filter;
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
  const Scale scale = scale_of(name, metric);
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

// A line of samples, taken apart.
struct HarnessSample {
  std::string filter;
  std::size_t document = 0;
  std::map<std::string, double> metrics;
  std::optional<ChoiceItem> item;
  ChoiceScores scores;
};

// The continuation of each request: {"gen_args_0": {"arg_0": .., "arg_1": ..}}, or [[.., ..], ..].
std::vector<std::string> continuations(const Json& arguments) {
  std::vector<std::string> texts;
  const auto add = [&](const Json& text) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  };
  if (arguments.is_object()) {
    for (std::size_t i = 0; arguments.contains(fmt::format("gen_args_{}", i)); ++i) {
      add(arguments[fmt::format("gen_args_{}", i)].value("arg_1", Json()));
    }
  } else if (arguments.is_array()) {
    for (const Json& one : arguments) add(one.is_array() && one.size() > 1 ? one[1] : Json());
  }
  return texts;
}

// [choices] of {"filtered_resps": [["-3.2", "False"], ..]}; empty where they are something else.
std::vector<double> log_likelihoods(const Json& responses) {
  std::vector<double> values;
  if (!responses.is_array()) return {};
  for (const Json& one : responses) {
    const auto value = one.is_array() && one.size() == 2 ? number_of(one[0]) : std::nullopt;
    if (!value) return {};
    values.push_back(*value);
  }
  return values;
}

std::string without_delimiter(std::string text) {
  if (text.starts_with(' ')) text.erase(0, 1);
  return text;
}

void read_choices(const Record& record, HarnessSample& sample) {
  auto values = log_likelihoods(record.fields.value("filtered_resps", Json()));
  const auto texts = continuations(record.fields.value("arguments", Json()));
  const auto gold = number_of(record.fields.value("target", Json()));
  if (values.size() < 2 || values.size() != texts.size() || !gold) return;
  if (*gold < 0 || *gold >= static_cast<double>(values.size()) || *gold != std::floor(*gold))
    return;
  ChoiceItem item{{}, static_cast<std::size_t>(*gold)};
  for (const std::string& text : texts) item.choices.push_back(without_delimiter(text));
  sample.item = std::move(item);
  sample.scores.log_likelihoods = std::move(values);
}

Result<HarnessSample> read_sample(const Record& record) {
  constexpr std::array<std::string_view, 9> kMetrics = {
      "acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match",
      "f1",  "bleu",     "rouge1",    "brier_score"};
  HarnessSample sample;
  PLUMB_TRY(document, needed_number(record, "doc_id"));
  PLUMB_TRY(filter, text_field(record, "filter"));
  sample.document = static_cast<std::size_t>(document);
  sample.filter = std::move(filter);
  for (const std::string_view metric : kMetrics) {
    PLUMB_TRY(value, number_field(record, metric));
    if (value) sample.metrics[std::string(metric)] = *value;
  }
  read_choices(record, sample);
  return sample;
}

// A stated accuracy that the log-likelihoods contradict.
Result<void> check_accuracy(const Record& record, const HarnessSample& sample) {
  const auto stated = sample.metrics.find("acc");
  if (!sample.item || stated == sample.metrics.end()) return {};
  const double computed = judge_choices(*sample.item, sample.scores).acc;
  const bool tie = computed != 0 && computed != 1;
  if (tie || computed == stated->second) return {};
  return bad_record(record, fmt::format("\"acc\" is {}, but by its log-likelihoods it is {}",
                                        stated->second, computed));
}

void add_filter(std::vector<EvalRow>& rows, const std::string& task, const std::string& filter,
                std::span<const HarnessSample> samples, double level) {
  std::vector<ChoiceItem> items;
  std::vector<ChoiceScores> scores;
  for (const HarnessSample& sample : samples) {
    if (!sample.item) continue;
    items.push_back(*sample.item);
    scores.push_back(sample.scores);
  }
  std::set<std::string> computed;
  if (items.size() == samples.size()) {
    for (EvalRow& row : choice_rows(task, items, scores, level)) {
      computed.insert(row.metric);
      row.metric = joined_metric(row.metric, filter);
      rows.push_back(std::move(row));
    }
  }
  for (const auto& [metric, first] : samples.front().metrics) {
    if (computed.contains(metric)) continue;
    std::vector<double> values;
    for (const HarnessSample& sample : samples) {
      const auto found = sample.metrics.find(metric);
      if (found != sample.metrics.end()) values.push_back(found->second);
    }
    if (values.size() != samples.size()) continue;
    const RowName name{task, joined_metric(metric, filter)};
    const Scale scale = scale_of(task, metric);
    const bool share =
        scale.ceiling && std::ranges::all_of(values, [](double v) { return v >= 0 && v <= 1; });
    rows.push_back(share ? share_row(name, values, {}, scale, level)
                         : mean_row(name, values, kOpenScale, level));
  }
}

}  // namespace

std::optional<double> harness_chance(std::string_view task) {
  const auto* found = std::ranges::find_if(
      kChances, [&](const KnownChance& known) { return task.starts_with(known.task); });
  return found == std::end(kChances) ? std::nullopt : std::optional(found->chance);
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

Result<std::vector<EvalRow>> read_harness_samples(const std::string& file, double level) {
  PLUMB_TRY(records, read_entries(file));
  std::map<std::string, std::vector<HarnessSample>> filters;
  std::set<std::pair<std::string, std::size_t>> seen;
  std::string task = harness_task(file);
  std::string stated;
  for (const Record& record : records) {
    PLUMB_TRY(sample, read_sample(record));
    PLUMB_TRY(name, text_field(record, "task"));
    if (!stated.empty() && name != stated) {
      return bad_record(record, fmt::format("a sample of {} among those of {}", name, stated));
    }
    stated = name;
    if (!seen.emplace(sample.filter, sample.document).second) {
      return bad_record(record,
                        fmt::format("document {} stands here a second time", sample.document));
    }
    if (const auto checked = check_accuracy(record, sample); !checked) {
      return tl::unexpected(checked.error());
    }
    filters[sample.filter].push_back(std::move(sample));
  }
  if (!stated.empty()) task = stated;
  std::vector<EvalRow> rows;
  for (const auto& [filter, samples] : filters) add_filter(rows, task, filter, samples, level);
  if (rows.empty()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: no line states a metric", file));
  }
  return rows;
}

}  // namespace plumb::evals
