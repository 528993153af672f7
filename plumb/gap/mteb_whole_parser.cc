#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plumb/gap/mteb_parsers.h"

namespace plumb::gap::internal {
namespace {

namespace dom = simdjson::dom;

tl::unexpected<Error> bad(std::string_view where, std::string_view what) {
  return fail(ErrorKind::kBadInput, fmt::format("{}: {}", where, what));
}

std::string_view string_at(dom::object object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::optional<double> number_at(dom::object object, std::string_view key) {
  double value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

// The metric itself, or where older files nest it ("cos_sim": {"spearman": ...}).
std::optional<double> metric_at(dom::object entry, std::string_view metric) {
  if (const auto value = number_at(entry, metric)) return value;
  const std::string_view prefix = "cosine_";
  dom::object nested;
  if (!metric.starts_with(prefix) || entry["cos_sim"].get(nested) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return number_at(nested, metric.substr(prefix.size()));
}

// Files before MTEB 1.11 often name no main score: the metric that MTEB ranks that kind of task by.
std::optional<double> main_score_of(dom::object entry) {
  if (const auto value = number_at(entry, "main_score")) return value;
  dom::element main;
  if (entry["main_score"].get(main) == simdjson::SUCCESS) return std::nullopt;  // null: missing
  for (const std::string_view metric :
       {"cosine_spearman", "v_measure", "map", "ndcg_at_10", "accuracy", "f1", "spearman"}) {
    if (const auto value = metric_at(entry, metric)) return value;
  }
  return std::nullopt;
}

Scores kept_scores(dom::object object) {
  Scores scores;
  for (const dom::key_value_pair field : object) {
    const std::string_view metric = kept_metric(field.key);
    double value = 0;
    if (!metric.empty() && field.value.get(value) == simdjson::SUCCESS) {
      scores.emplace_back(metric, value);
    }
  }
  // Older files nest correlations.
  if (const auto nested = metric_at(object, "cosine_spearman");
      nested && object["cosine_spearman"].error() != simdjson::SUCCESS) {
    scores.emplace_back(kept_metric("cosine_spearman"), *nested);
  }
  return scores;
}

std::optional<Agreement> agreement_of(dom::object entry) {
  dom::object block;
  if (entry["agreement"].get(block) != simdjson::SUCCESS) return std::nullopt;
  Agreement agreement{
      std::string(string_at(block, "metric")), std::string(string_at(block, "interpretation")), {}};
  for (const dom::key_value_pair field : block) {
    double value = 0;
    if (field.value.get(value) == simdjson::SUCCESS) agreement.values.emplace(field.key, value);
  }
  name_metric(agreement);
  return agreement;
}

RawEntry read_entry(dom::object object, std::string_view subset) {
  RawEntry entry;
  entry.subset = subset;
  entry.main_score = number_at(object, "main_score");
  entry.items = number_at(object, kItemsKey);
  entry.scores = kept_scores(object);
  entry.agreement = agreement_of(object);
  dom::array items;
  if (object["languages"].get(items) == simdjson::SUCCESS) {
    for (dom::element item : items) {
      std::string_view name;
      if (item.get(name) == simdjson::SUCCESS) entry.languages.push_back(name);
    }
  }
  if (object["scores_per_experiment"].get(items) == simdjson::SUCCESS) {
    for (dom::element item : items) {
      dom::object experiment;
      if (item.get(experiment) == simdjson::SUCCESS) {
        entry.experiments.push_back(kept_scores(experiment));
      }
    }
  }
  return entry;
}

// {"scores": {split: [entry, ...]}}: the test split, or the first where there is none of that name.
Result<std::vector<RawEntry>> read_current_layout(dom::object splits, std::string_view where) {
  dom::array items;
  const bool has_test = splits["test"].get(items) == simdjson::SUCCESS;
  if (!has_test &&
      (splits.begin() == splits.end() || (*splits.begin()).value.get(items) != simdjson::SUCCESS)) {
    return bad(where, "\"scores\" holds no list of scores for any split; fetch the file again");
  }
  std::vector<RawEntry> entries;
  for (dom::element item : items) {
    dom::object object;
    if (item.get(object) != simdjson::SUCCESS || string_at(object, "hf_subset").empty()) {
      return bad(where, "an entry of \"scores\" names no \"hf_subset\"; fetch the file again");
    }
    entries.push_back(read_entry(object, string_at(object, "hf_subset")));
  }
  return entries;
}

RawEntry read_old_entry(dom::object object, std::string_view subset) {
  RawEntry entry = read_entry(object, subset);
  entry.main_score = main_score_of(object);
  return entry;
}

constexpr std::string_view kOldSplits[] = {"test", "validation", "dev"};

// {"mteb_dataset_name", "test": {subset: {...}} or {metric: ...}}, the layout before MTEB 1.11.
Result<std::vector<RawEntry>> read_old_layout(dom::object file, std::string_view where) {
  dom::object split;
  const bool found = std::ranges::any_of(kOldSplits, [&](std::string_view name) {
    return file[name].get(split) == simdjson::SUCCESS;
  });
  if (!found) {
    return bad(where, "no scores of a test or validation split; remove it from the tree");
  }
  std::vector<RawEntry> entries;
  if (main_score_of(split)) {
    entries.push_back(read_old_entry(split, "default"));
    return entries;
  }
  for (const dom::key_value_pair field : split) {
    dom::object object;
    if (field.value.get(object) == simdjson::SUCCESS) {
      entries.push_back(read_old_entry(object, field.key));
    }
  }
  return entries;
}

}  // namespace

void name_metric(Agreement& agreement) {
  if (agreement.metric.empty() && agreement.find("mean_spearman")) {
    agreement.metric = "mean_spearman";
  }
}

Result<RawFile> WholeParser::parse(const std::string& text, std::string_view where) {
  dom::element root;
  if (const auto code = parser_.parse(text).get(root); code != simdjson::SUCCESS) {
    return bad(where, fmt::format("not valid JSON ({}); fetch the file again, it may be cut short",
                                  simdjson::error_message(code)));
  }
  dom::object file;
  if (root.get(file) != simdjson::SUCCESS)
    return bad(where, "not a JSON object of MTEB scores; remove it from the tree");

  RawFile raw{string_at(file, "task_name"),
              string_at(file, "dataset_revision"),
              string_at(file, "mteb_version"),
              {}};
  dom::object splits;
  if (!raw.task.empty() && file["scores"].get(splits) == simdjson::SUCCESS) {
    PLUMB_TRY(entries, read_current_layout(splits, where));
    raw.entries = std::move(entries);
    return raw;
  }
  raw.task = string_at(file, "mteb_dataset_name");
  if (raw.task.empty()) {
    return bad(where,
               "not an MTEB result: no \"task_name\" with \"scores\"; remove it from the tree");
  }
  PLUMB_TRY(entries, read_old_layout(file, where));
  raw.entries = std::move(entries);
  return raw;
}

}  // namespace plumb::gap::internal
