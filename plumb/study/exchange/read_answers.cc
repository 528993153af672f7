#include "plumb/study/exchange/read_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "plumb/base/files.h"
#include "plumb/base/number.h"
#include "plumb/study/exchange/json_array.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/tasks/codec.h"
#include "plumb/text/csv.h"
#include "plumb/text/records.h"

namespace plumb::study {
namespace {

using tasks::Kind;

using Answers = std::vector<ForeignAnswer>;

constexpr std::array<std::string_view, 4> kFormatNames = {"answers", "argilla", "label-studio",
                                                          "doccano"};

// The texts of an object, its lists too, which an item is known by.
std::vector<std::string> texts_of(const Json& object) {
  std::vector<std::string> texts;
  for (const Json& value : object) {
    if (value.is_string()) texts.push_back(value.get<std::string>());
    if (!value.is_array()) continue;
    for (const Json& one : value) {
      if (one.is_string()) texts.push_back(one.get<std::string>());
    }
  }
  return texts;
}

// The texts that A and B stand for, where the names of their fields tell. to_name: what Label
// Studio says of a comparison, the names of the left and the right text.
std::vector<std::string> sides_of(const Json& fields, const std::string& to_name = "") {
  const auto is_text = [&fields](const std::string& name) {
    return fields.is_object() && fields.contains(name) && fields[name].is_string();
  };
  const std::size_t comma = std::min(to_name.find(','), to_name.size());
  const std::string left = to_name.substr(0, comma), right = to_name.substr(left.size());
  using Names = std::pair<std::string, std::string>;
  for (const auto& [a, b] : {Names(left, right.empty() ? "" : right.substr(1)),
                             Names("left", "right"), Names("a", "b"), Names("A", "B")}) {
    if (is_text(a) && is_text(b)) return {fields[a], fields[b]};
  }
  return {};
}

std::string word(const Json& object, const char* field) {
  return object.is_object() ? tasks::word_field(object, field, "") : "";
}

std::string plain_choice(const std::string& name) {
  for (const auto& [theirs, ours] : std::initializer_list<std::pair<const char*, const char*>>{
           {"left", "A"}, {"right", "B"}, {"a", "A"}, {"b", "B"}, {"both_bad", "both bad"}}) {
    if (name == theirs) return ours;
  }
  return name;
}

// A field in the form that the format has it in; `otherwise` where it is missing or null.
Result<Json> field_of(const std::string& where, const Json& object, const std::string& field,
                      Json otherwise) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return otherwise;
  if (found->type() == otherwise.type()) return *found;
  return bad_answer(where, fmt::format("\"{}\" is of type {}, not {}", field, found->type_name(),
                                       otherwise.type_name()));
}

// The same of a list of objects.
Result<Json> objects_of(const std::string& where, const Json& object, const std::string& field) {
  PLUMB_TRY(list, field_of(where, object, field, Json::array()));
  for (const Json& entry : list) {
    if (entry.is_object()) continue;
    return bad_answer(where, fmt::format("an entry of \"{}\" is of type {}, not object", field,
                                         entry.type_name()));
  }
  return std::move(list);
}

// What another program calls an answer, as the kind of task has it.
Result<Json> answer_of(const std::string& where, Kind kind, const Json& given) {
  const Json& value =
      given.is_array() && given.size() == 1 && kind != Kind::kReranking ? given[0] : given;
  const auto wrong = [&](std::string_view wanted) {
    return bad_answer(where,
                      fmt::format("the answer {} is not {}", to_text(given).substr(0, 60), wanted));
  };
  if (kind == Kind::kSts) {
    const auto number = number_of(value);
    return number ? Result<Json>(Json{{"rating", *number}}) : wrong("a number");
  }
  if (kind == Kind::kReranking) {
    if (value.is_array() &&
        std::ranges::all_of(value, [](const Json& v) { return v.is_number(); })) {
      return Json{{"grades", value}};
    }
    return wrong("a list of numbers, one a candidate");
  }
  if (!value.is_string()) return wrong("one name");
  const auto& name = value.get_ref<const std::string&>();
  if (kind == Kind::kPreference) return Json{{"choice", plain_choice(name)}};
  return Json{{kind == Kind::kClustering ? "group" : "label", name}};
}

// --- plumb's own ---

// A cell of a table as the field that it stands for.
Json cell_json(const std::string& column, std::string cell) {
  if (column == "grades" || column == "scores") {
    Json list = Json::array();
    for (std::size_t begin = 0; begin < cell.size();) {
      const std::size_t end = std::min(cell.find(' ', begin), cell.size());
      const Json one = cell.substr(begin, end - begin);
      const auto number = number_of(one);
      if (end > begin) list.push_back(number ? Json(*number) : one);
      begin = end + 1;
    }
    return list;
  }
  for (const char* field : {"rating", "strength", "active_ms", "idle_ms"}) {
    const auto number = column == field ? number_of(cell) : std::nullopt;
    if (number) return *number;
  }
  return unguarded_cell(std::move(cell));
}

Json fields_of(const Record& record, bool table) {
  if (!table) return record.fields;
  Json json = Json::object();
  for (const auto& [column, cell] : record.fields.items()) {
    if (!cell.get_ref<const std::string&>().empty()) {
      json[column] = cell_json(column, cell.get<std::string>());
    }
  }
  return json;
}

// A time in whole milliseconds; nothing where it is below 0, which no time is.
std::optional<std::int64_t> milliseconds(const Json& json, const char* field) {
  const auto found = json.find(field);
  if (found == json.end()) return std::nullopt;
  const auto number = number_of(*found);
  return number && *number >= 0 ? std::optional(std::llround(*number)) : std::nullopt;
}

Result<void> check_header(const std::string& where, const Json& json, std::string_view items) {
  const std::string schema = word(json, "schema"), theirs = word(json, "items");
  if (schema != "plumb.answers/1") {
    return bad_answer(where, fmt::format("schema \"{}\" is not \"plumb.answers/1\"", schema));
  }
  if (theirs.empty() || theirs == items) return {};
  return bad_answer(where, fmt::format("the answers belong to other items (hash {}, here {})",
                                       theirs.substr(0, 12), items.substr(0, 12)));
}

Result<ForeignAnswer> own_answer(const std::string& where, const Json& json) {
  if (word(json, "item").empty()) {
    std::vector<std::string> names;
    for (const auto& [name, value] : json.items()) names.push_back(name);
    return bad_answer(where,
                      fmt::format("there is no \"item\"; there are {}", fmt::join(names, ", ")));
  }
  const std::string kind_name = tasks::word_field(json, "kind", "person");
  const auto kind = tasks::parse_rater_kind(kind_name);
  if (kind != tasks::RaterKind::kPerson && kind != tasks::RaterKind::kSimulated) {
    return bad_answer(where,
                      fmt::format("a rater of kind \"{}\"; a study holds people's answers, or "
                                  "simulated ones",
                                  kind_name));
  }
  const std::string flagged = word(json, "flagged");
  return ForeignAnswer{.where = where,
                       .rater = word(json, "rater"),
                       .kind = *kind,
                       .item = word(json, "item"),
                       .texts = {},
                       .answer = json,
                       .comment = word(json, "comment"),
                       .flagged = flagged == "true" || flagged == "1",
                       .at_ms = parse_utc(word(json, "at")),
                       .active_ms = milliseconds(json, "active_ms"),
                       .idle_ms = milliseconds(json, "idle_ms")};
}

Result<ForeignAnswers> read_own(const std::filesystem::path& path, const std::string& task,
                                std::string_view items, const ReadOptions& options) {
  PLUMB_TRY(reader, RecordReader::open(path.string(), {}));
  ForeignAnswers read;
  tasks::AnswerRows rows(task, !options.leave_others_out);
  const std::string ending =
      path.extension() == ".gz" ? path.stem().extension().string() : path.extension().string();
  const bool table = ending == ".csv" || ending == ".tsv" || ending == ".txt";
  while (true) {
    PLUMB_TRY(record, reader.next());
    if (!record) break;
    const Json json = fields_of(*record, table);
    if (json.contains("schema")) {
      auto fits = check_header(record->where, json, items);
      if (!fits) return tl::unexpected(fits.error());
      continue;
    }
    if (table) {
      PLUMB_TRY(ours, rows.take(record->where, json));
      if (!ours) continue;
    }
    PLUMB_TRY(answer, own_answer(record->where, json));
    read.answers.push_back(std::move(answer));
  }
  PLUMB_TRY(others, rows.left_out(path.string()));
  read.of_other_tasks = others;
  return read;
}

// --- Argilla ---

// The only question of a record, or the one that was asked for.
Result<std::string> question_of(const std::string& where, const std::vector<std::string>& names,
                                const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  if (names.size() == 1) return names.front();
  return bad_answer(where, names.empty()
                               ? std::string("the record has no \"responses\"")
                               : fmt::format("several questions, {}; --question names one",
                                             fmt::join(names, ", ")));
}

// {question: [{"value", "user_id"}]} of either form.
Result<Json> responses_of(const std::string& where, const Json& record) {
  if (record.contains("responses") && record["responses"].is_object()) return record["responses"];
  constexpr std::string_view kEnding = ".responses";
  Json all = Json::object();
  for (const auto& [field, values] : record.items()) {
    if (!field.ends_with(kEnding) || !values.is_array()) continue;
    PLUMB_TRY(users, field_of(where, record, field + ".users", Json::array()));
    PLUMB_TRY(states, field_of(where, record, field + ".status", Json::array()));
    Json& one = all[field.substr(0, field.size() - kEnding.size())] = Json::array();
    for (std::size_t i = 0; i < values.size(); ++i) {
      one.push_back({{"value", values[i]},
                     {"user_id", i < users.size() ? users[i] : Json()},
                     {"status", i < states.size() ? states[i] : Json()}});
    }
  }
  return all;
}

Result<void> take_argilla(const std::string& where, const Json& record, Kind kind,
                          const ReadOptions& options, Answers& answers) {
  PLUMB_TRY(responses, responses_of(where, record));
  std::vector<std::string> names;
  for (const auto& [name, values] : responses.items()) names.push_back(name);
  if (names.empty()) return {};  // nobody has answered it
  PLUMB_TRY(question, question_of(where, names, options.question));
  PLUMB_TRY(given, objects_of(where, responses, question));
  for (const Json& response : given) {
    const std::string status = word(response, "status");
    if (status == "draft" || status == "discarded") continue;
    PLUMB_TRY(answer, answer_of(where, kind, response.value("value", Json())));
    const Json& fields = record.contains("fields") ? record["fields"] : record;
    answers.push_back({.where = where,
                       .rater = word(response, "user_id"),
                       .item = word(record, "id"),
                       .texts = texts_of(fields),
                       .sides = sides_of(fields),
                       .answer = std::move(answer)});
  }
  return {};
}

// --- Label Studio ---

// The value of a region of an annotation; null where it is of a type that answers nothing here.
Json region_value(const Json& region) {
  const Json value = region.value("value", Json::object());
  for (const char* field : {"choices", "rating", "number", "selected", "text"}) {
    if (value.contains(field)) return value[field];
  }
  return nullptr;
}

std::string who_of(const Json& annotation) {
  const Json by = annotation.value("completed_by", Json());
  if (!by.is_object()) return word(annotation, "completed_by");
  return by.contains("email") ? word(by, "email") : word(by, "id");
}

Result<void> take_annotation(const std::string& where, const Json& data, const Json& record,
                             const Json& annotation, Kind kind, const ReadOptions& options,
                             Answers& answers) {
  PLUMB_TRY(is_cancelled, field_of(where, annotation, "was_cancelled", false));
  if (is_cancelled.get<bool>()) return {};
  PLUMB_TRY(regions, objects_of(where, annotation, "result"));
  std::vector<std::string> names;
  std::string to_name;
  Json value;
  for (const Json& region : regions) {
    const std::string name = word(region, "from_name");
    const Json given = region_value(region);
    if (given.is_null() || (!options.question.empty() && name != options.question)) continue;
    names.push_back(name);
    to_name = word(region, "to_name");
    value = given;
  }
  if (names.empty()) return bad_answer(where, "an annotation without an answer");
  if (auto one = question_of(where, names, options.question); !one) {
    return tl::unexpected(one.error());
  }
  PLUMB_TRY(answer, answer_of(where, kind, value));
  const auto lead = annotation.find("lead_time");
  std::optional<std::int64_t> active;
  if (lead != annotation.end() && lead->is_number()) {
    active = std::llround(1000 * lead->get<double>());
  }
  answers.push_back({.where = where,
                     .rater = who_of(annotation),
                     .item = data.contains("id") ? word(data, "id") : word(record, "id"),
                     .texts = texts_of(data),
                     .sides = sides_of(data, to_name),
                     .answer = std::move(answer),
                     .at_ms = parse_utc(word(annotation, "created_at")),
                     .active_ms = active});
  return {};
}

Result<void> take_label_studio(const std::string& where, const Json& record, Kind kind,
                               const ReadOptions& options, Answers& answers) {
  if (!record.contains("annotations") || !record["annotations"].is_array()) {
    return bad_answer(where, "a task without \"annotations\"; export as JSON, not as JSON-MIN");
  }
  const Json data = record.value("data", Json::object());
  PLUMB_TRY(annotations, objects_of(where, record, "annotations"));
  for (const Json& annotation : annotations) {
    auto taken = take_annotation(where, data, record, annotation, kind, options, answers);
    if (!taken) return taken;
  }
  return {};
}

// --- doccano ---

Result<void> take_doccano(const std::string& where, const Json& record, Kind kind,
                          const ReadOptions& options, Answers& answers) {
  const Json label = record.value("label", Json::array());
  if (label.is_array() && label.empty()) return {};  // not annotated
  PLUMB_TRY(answer, answer_of(where, kind, label));
  const Json comments = record.value("Comments", Json::array());
  answers.push_back({.where = where,
                     .rater = options.rater,
                     .item = word(record, "id"),
                     .texts = texts_of(record),
                     .sides = sides_of(record),
                     .answer = std::move(answer),
                     .comment = comments.is_array() && !comments.empty() && comments[0].is_string()
                                    ? comments[0].get<std::string>()
                                    : ""});
  return {};
}

using Take = Result<void> (*)(const std::string&, const Json&, Kind, const ReadOptions&, Answers&);

Result<ForeignAnswers> read_documents(const std::filesystem::path& path, Kind kind,
                                      const ReadOptions& options, Take take) {
  PLUMB_TRY(text, read_file(path));
  ForeignAnswers all;
  auto read =
      for_each_object(path.string(), text, [&](const std::string& where, const Json& record) {
        return take(where, record, kind, options, all.answers);
      });
  if (!read) return tl::unexpected(read.error());
  return all;
}

// "+01:00" in minutes; nothing where it is no offset.
std::optional<int> offset_minutes(std::string_view text) {
  if (text == "Z" || text.empty()) return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  int hours = 0, minutes = 0;
  if (std::from_chars(text.data() + 1, text.data() + 3, hours).ptr != text.data() + 3 ||
      std::from_chars(text.data() + 4, text.data() + 6, minutes).ptr != text.data() + 6) {
    return std::nullopt;
  }
  return (text[0] == '-' ? -1 : 1) * (60 * hours + minutes);
}

}  // namespace

tl::unexpected<Error> bad_answer(const std::string& where, std::string_view message) {
  return fail(ErrorKind::kBadInput, fmt::format("{}: {}", where, message));
}

std::optional<AnswerFormat> parse_answer_format(std::string_view name) {
  const auto* found = std::ranges::find(kFormatNames, name);
  if (found == kFormatNames.end()) return std::nullopt;
  return static_cast<AnswerFormat>(found - kFormatNames.begin());
}

std::optional<std::int64_t> parse_utc(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() < kShape.size()) return std::nullopt;
  std::array<int, 6> parts{};
  constexpr std::array<std::size_t, 6> kStarts = {0, 5, 8, 11, 14, 17};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const char* begin = text.data() + kStarts[i];
    const char* end = begin + (i == 0 ? 4 : 2);
    if (std::from_chars(begin, end, parts[i]).ptr != end) return std::nullopt;
  }
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok()) return std::nullopt;
  std::string_view rest = text.substr(kShape.size());
  std::int64_t ms = 0;
  if (rest.starts_with('.')) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    double fraction = 0;
    const std::string digits = "0" + std::string(rest.substr(0, end));
    std::from_chars(digits.data(), digits.data() + digits.size(), fraction);
    ms = std::llround(1000 * fraction);
    rest.remove_prefix(end);
  }
  const auto offset = offset_minutes(rest);
  if (!offset) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return (((days * 24 + parts[3]) * 60 + parts[4] - *offset) * 60 + parts[5]) * 1000 + ms;
}

Result<ForeignAnswers> read_foreign_answers(const std::filesystem::path& path,
                                            const tasks::Task& header,
                                            std::string_view items_sha256,
                                            const ReadOptions& options) {
  ReadOptions given = options;
  if (given.rater.empty()) given.rater = path.stem().string();
  switch (options.format) {
    case AnswerFormat::kAnswers:
      return read_own(path, header.name, items_sha256, given);
    case AnswerFormat::kArgilla:
      return read_documents(path, header.kind, given, take_argilla);
    case AnswerFormat::kLabelStudio:
      return read_documents(path, header.kind, given, take_label_studio);
    case AnswerFormat::kDoccano:
      break;
  }
  return read_documents(path, header.kind, given, take_doccano);
}

}  // namespace plumb::study
