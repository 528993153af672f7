#include <fmt/format.h>

#include <array>
#include <utility>

#include "plumb/base/files.h"
#include "plumb/base/utf8.h"
#include "plumb/evals/imports/entries.h"
#include "plumb/evals/imports/published.h"
#include "plumb/text/json_line.h"

namespace plumb::evals {
namespace {

constexpr double kTie = 1.5;
constexpr const char* kAgreement = "Human agreement";

// The preference as AlpacaEval writes it, from 0 to 1; nothing where there is none.
Result<std::optional<double>> preference_of(const Record& record) {
  PLUMB_TRY(preference, number_field(record, "preference"));
  if (!preference) return std::optional<double>();
  const double value = *preference == 0 ? kTie : *preference;
  if (value < 1 || value > 2) {
    return bad_record(record, fmt::format("\"preference\" is {}, not 0 or from 1 to 2", value));
  }
  return std::optional(value - 1);
}

Result<Annotation> annotation_of(const Record& record, double preference) {
  PLUMB_TRY(instruction, needed_text(record, "instruction"));
  PLUMB_TRY(reference, text_field(record, "generator_1"));
  PLUMB_TRY(model, text_field(record, "generator_2"));
  PLUMB_TRY(first, needed_text(record, "output_1"));
  PLUMB_TRY(second, needed_text(record, "output_2"));
  PLUMB_TRY(difficulty, number_field(record, "instruction_difficulty"));
  Annotation annotation{.where = record.where,
                        .instruction = std::move(instruction),
                        .model = std::move(model),
                        .reference = std::move(reference),
                        .judgement = {.item = 0, .preference = preference},
                        .comparison = {.preference = preference,
                                       .length = static_cast<double>(count_characters(second)),
                                       .reference = static_cast<double>(count_characters(first)),
                                       .difficulty = difficulty}};
  PLUMB_TRY(swapped, truth_field(record, "is_switched_outputs"));
  annotation.judgement.model_first = swapped.value_or(false);
  return annotation;
}

constexpr std::array<std::string_view, 2> kChosen = {"score_chosen", "scores_chosen"};
constexpr std::array<std::string_view, 2> kRejected = {"score_rejected", "scores_rejected"};

std::optional<double> score_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_array() && value.size() == 1 && value[0].is_number()) return value[0].get<double>();
  return std::nullopt;
}

constexpr std::array<std::string_view, 2> kChosenText = {"text_chosen", "chosen"};
constexpr std::array<std::string_view, 2> kRejectedText = {"text_rejected", "rejected"};

// Of a text, or of the messages of a conversation.
std::optional<double> length_of(const Json* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) {
    return static_cast<double>(count_characters(value->get_ref<const std::string&>()));
  }
  if (!value->is_array()) return std::nullopt;
  double length = 0;
  for (const Json& message : *value) {
    const auto content = message.is_object() ? message.find("content") : message.end();
    if (content == message.end() || !content->is_string()) return std::nullopt;
    length += *length_of(&*content);
  }
  return length;
}

// The value of a pair in a list of as many as there are pairs.
const Json* entry_of(const Json* list, std::size_t pairs, std::size_t place) {
  const bool is_column = list != nullptr && list->is_array() && list->size() == pairs;
  return is_column ? &(*list)[place] : nullptr;
}

// A number that must be there, also as a list of one.
Result<double> needed_score(const Record& record, const std::string& name) {
  const auto found = record.fields.find(name);
  const auto score = found == record.fields.end() ? std::nullopt : score_of(*found);
  if (score) return *score;
  return needed_number(record, name);
}

Result<std::vector<RewardPair>> pairs_of_columns(const std::string& file, const Json& json) {
  const Json* chosen = first_field(json, kChosen);
  const Json* rejected = first_field(json, kRejected);
  const auto subset = json.find("subset");
  const auto is_list = [](const Json* value) { return value != nullptr && value->is_array(); };
  if (!is_list(chosen) || !is_list(rejected) || subset == json.end() || !subset->is_array()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: the lists \"subset\", \"scores_chosen\" and \"scores_rejected\" "
                            "are not all there",
                            file));
  }
  if (chosen->size() != subset->size() || rejected->size() != subset->size()) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: {} subsets, {} chosen and {} rejected scores: the lists differ "
                            "in length",
                            file, subset->size(), chosen->size(), rejected->size()));
  }
  std::vector<RewardPair> pairs;
  for (std::size_t i = 0; i < subset->size(); ++i) {
    const auto a = score_of((*chosen)[i]), b = score_of((*rejected)[i]);
    if (!a || !b || !(*subset)[i].is_string()) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: pair {} has no subset and two scores", file, i + 1));
    }
    const auto length = [&](std::span<const std::string_view> names) {
      return length_of(entry_of(first_field(json, names), subset->size(), i));
    };
    pairs.push_back(
        {(*subset)[i].get<std::string>(), *a, *b, length(kChosenText), length(kRejectedText)});
  }
  return pairs;
}

}  // namespace

Result<Annotations> read_annotations(const std::string& file) {
  PLUMB_TRY(records, read_entries(file));
  Annotations read;
  for (const Record& record : records) {
    PLUMB_TRY(preference, preference_of(record));
    if (!preference) {
      ++read.without_preference;
      continue;
    }
    PLUMB_TRY(annotation, annotation_of(record, *preference));
    read.all.push_back(std::move(annotation));
  }
  return read;
}

Result<std::vector<LeaderboardEntry>> read_alpaca_leaderboard(const std::string& file) {
  PLUMB_TRY(records, read_entries(file));
  std::vector<LeaderboardEntry> entries;
  for (const Record& record : records) {
    PLUMB_TRY(model, text_field(record, record.fields.contains("name") ? "name" : ""));
    PLUMB_TRY(win_rate, needed_number(record, "win_rate"));
    PLUMB_TRY(length, needed_number(record, "avg_length"));
    PLUMB_TRY(controlled, number_field(record, "length_controlled_winrate"));
    entries.push_back({std::move(model), win_rate, length, controlled});
  }
  return entries;
}

Result<std::vector<JudgeEntry>> read_alpaca_judges(const std::string& file) {
  PLUMB_TRY(records, read_entries(file));
  std::vector<JudgeEntry> entries;
  for (const Record& record : records) {
    PLUMB_TRY(judge, text_field(record, record.fields.contains("name") ? "name" : ""));
    PLUMB_TRY(agreement, needed_number(record, kAgreement));
    PLUMB_TRY(annotations, needed_number(record, "# parsed"));
    PLUMB_TRY(longer, number_field(record, "Proba. prefer longer"));
    PLUMB_TRY(lists, number_field(record, "Proba. prefer lists"));
    PLUMB_TRY(first, number_field(record, "Proba. prefer 1"));
    if (agreement < 0 || agreement > 100 || annotations < 1) {
      return bad_record(record, "its agreement is no percentage, or it has no annotations");
    }
    entries.push_back(
        {std::move(judge), agreement, static_cast<std::size_t>(annotations), longer, lists, first});
  }
  return entries;
}

bool holds_alpaca_judges(const std::string& file) {
  auto reader = RecordReader::open(file, {});
  if (!reader) return false;
  const auto record = reader->next();
  return record && *record && (*record)->fields.contains(kAgreement);
}

Result<std::vector<RewardPair>> read_reward_bench(const std::string& file) {
  if (std::filesystem::path(file).extension() == ".json") {
    PLUMB_TRY(text, read_file(file));
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_object()) return pairs_of_columns(file, json);
    const std::string trouble = json.is_discarded() ? nonfinite_trouble(text) : "";
    if (!trouble.empty()) return fail(ErrorKind::kBadInput, fmt::format("{}: {}", file, trouble));
  }
  PLUMB_TRY(records, read_entries(file));
  std::vector<RewardPair> pairs;
  for (const Record& record : records) {
    PLUMB_TRY(subset, needed_text(record, "subset"));
    const char* plural = record.fields.contains("scores_chosen") ? "s" : "";
    PLUMB_TRY(chosen, needed_score(record, fmt::format("score{}_chosen", plural)));
    PLUMB_TRY(rejected, needed_score(record, fmt::format("score{}_rejected", plural)));
    pairs.push_back({std::move(subset), chosen, rejected,
                     length_of(first_field(record.fields, kChosenText)),
                     length_of(first_field(record.fields, kRejectedText))});
  }
  return pairs;
}

}  // namespace plumb::evals
