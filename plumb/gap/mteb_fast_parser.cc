#include <string>
#include <utility>

#include "plumb/gap/mteb_parsers.h"

namespace plumb::gap::internal {
namespace {

namespace ondemand = simdjson::ondemand;

// In this file simdjson's errors are exceptions; FastParser::parse is the border that they do not
// pass.

// The number; nothing for null and for the bare words NaN and Infinity.
std::optional<double> number(ondemand::value value) {
  double result = 0;
  if (value.get_double().get(result) != simdjson::SUCCESS) return std::nullopt;
  return result;
}

std::string_view text(ondemand::value value) {
  std::string_view result;
  return value.get_string().get(result) == simdjson::SUCCESS ? result : std::string_view();
}

// A key as it is spelled in the file; no key that plumb reads has an escape in it, or is longer.
std::string_view spelled(ondemand::field& field) {
  const std::string_view start(field.key().raw(), kPadding);
  return start.substr(0, start.find('"'));
}

void keep_score(std::string_view key, ondemand::value value, Scores& scores) {
  const std::string_view metric = kept_metric(key);
  if (metric.empty()) return;
  if (const auto score = number(value)) scores.emplace_back(metric, *score);
}

Scores read_experiment(ondemand::object object) {
  Scores scores;
  for (ondemand::field field : object) {
    const std::string_view key = spelled(field);
    if (is_main_metric(key)) keep_score(key, field.value(), scores);
  }
  return scores;
}

Agreement read_agreement(ondemand::object object) {
  Agreement agreement;
  for (ondemand::field field : object) {
    const std::string_view key = field.unescaped_key();
    if (const auto value = number(field.value())) {
      agreement.values.emplace(key, *value);
    } else if (key == "metric") {
      agreement.metric = text(field.value());
    } else if (key == "interpretation") {
      agreement.interpretation = text(field.value());
    }
  }
  name_metric(agreement);
  return agreement;
}

// An entry without a subset is left to WholeParser.
RawEntry read_entry(ondemand::object object) {
  RawEntry entry;
  for (ondemand::field field : object) {
    const std::string_view key = spelled(field);
    if (key == "main_score") {
      entry.main_score = number(field.value());
    } else if (key == kItemsKey) {
      entry.items = number(field.value());
    } else if (key == "hf_subset") {
      entry.subset = field.value().get_string();
    } else if (key == "languages") {
      for (ondemand::value language : field.value().get_array()) {
        entry.languages.push_back(language.get_string());
      }
    } else if (key == "scores_per_experiment") {
      for (ondemand::value experiment : field.value().get_array()) {
        entry.experiments.push_back(read_experiment(experiment.get_object()));
      }
    } else if (key == "cos_sim") {
      return {};  // older names
    } else if (key == "agreement") {
      entry.agreement = read_agreement(field.value().get_object());
    } else {
      keep_score(key, field.value(), entry.scores);
    }
  }
  return entry;
}

// The test split, which must be the only one.
std::vector<RawEntry> read_splits(ondemand::object splits) {
  std::vector<RawEntry> entries;
  for (ondemand::field field : splits) {
    const std::string_view split = field.unescaped_key();
    if (split != "test") return {};
    for (ondemand::value entry : field.value().get_array()) {
      entries.push_back(read_entry(entry.get_object()));
    }
  }
  return entries;
}

RawFile read_file(ondemand::object object) {
  RawFile file;
  for (ondemand::field field : object) {
    const std::string_view key = field.unescaped_key();
    if (key == "task_name") file.task = text(field.value());
    if (key == "dataset_revision") file.dataset_revision = text(field.value());
    if (key == "mteb_version") file.mteb_version = text(field.value());
    if (key == "scores") file.entries = read_splits(field.value().get_object());
  }
  return file;
}

bool is_complete(const RawFile& file) {
  if (file.task.empty() || file.entries.empty()) return false;
  for (const RawEntry& entry : file.entries) {
    if (entry.subset.empty()) return false;
  }
  return true;
}

}  // namespace

std::optional<RawFile> FastParser::parse(const std::string& buffer, std::size_t length) {
  try {
    ondemand::document document = parser_.iterate(buffer.data(), length, buffer.size());
    RawFile file = read_file(document.get_object());
    const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
    if (at_end && is_complete(file)) return file;
  } catch (const simdjson::simdjson_error&) {
    // WholeParser says what is wrong.
  }
  return std::nullopt;
}

}  // namespace plumb::gap::internal
