#include "plumb/tasks/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plumb/base/nearest.h"

namespace plumb::tasks {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

std::string shown(const Json& value) {
  std::string text = to_text(value);
  if (text.size() > 40) text = text.substr(0, 40) + "...";
  return text;
}

const Json* find(const Json& json, const char* field) {
  const auto found = json.find(field);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> text_field(const Json& json, const char* field) {
  const Json* value = find(json, field);
  if (value == nullptr) return bad(fmt::format("\"{}\" is missing", field));
  if (!value->is_string()) {
    return bad(fmt::format("\"{}\" is {}, not a text in quotes", field, shown(*value)));
  }
  return value->get<std::string>();
}

Result<std::string> optional_text(const Json& json, const char* field) {
  return find(json, field) == nullptr ? Result<std::string>("") : text_field(json, field);
}

// An id, a label or a group: a text, or a whole number that stands for its digits.
Result<std::string> name_field(const Json& json, const char* field) {
  const Json* value = find(json, field);
  if (value != nullptr && value->is_number_integer()) return to_text(*value);
  return text_field(json, field);
}

Result<double> number(const Json& value, std::string_view field) {
  if (value.is_number() && std::isfinite(value.get<double>())) return value.get<double>();
  return bad(fmt::format("\"{}\" holds {}, not a number", field, shown(value)));
}

Result<double> on_scale(const Task& task, double value, std::string_view field) {
  if (!task.scale || (value >= task.scale->low && value <= task.scale->high)) return value;
  return bad(fmt::format("\"{}\" is {}, off the scale from {} to {}", field, value, task.scale->low,
                         task.scale->high));
}

Result<double> rating(const Task& task, const Json& value) {
  PLUMB_TRY(parsed, number(value, "rating"));
  return on_scale(task, parsed, "rating");
}

Result<double> label(const Task& task, const Json& json, const char* field) {
  PLUMB_TRY(name, name_field(json, field));
  const auto found = std::find(task.labels.begin(), task.labels.end(), name);
  if (found != task.labels.end()) return static_cast<double>(found - task.labels.begin());
  if (task.labels.empty()) {
    return bad(
        fmt::format("unknown {} \"{}\"; the header of the task names no \"labels\"", field, name));
  }
  const auto near = nearest(name, task.labels);
  return bad(fmt::format("unknown {} \"{}\"; {}", field, name,
                         near ? fmt::format("did you mean \"{}\"?", *near)
                              : fmt::format("the task has {}", fmt::join(task.labels, ", "))));
}

Result<Answer> numbers(const Task& task, const Json& values, const char* field, std::size_t wanted,
                       bool graded) {
  if (!values.is_array() || values.size() != wanted) {
    return bad(fmt::format("\"{}\" must be a list of {} numbers, one a candidate", field, wanted));
  }
  Answer result;
  for (const Json& value : values) {
    PLUMB_TRY(parsed, number(value, field));
    if (graded) {
      PLUMB_TRY(checked, on_scale(task, parsed, field));
      if (checked < 0)
        return bad(fmt::format("\"{}\" holds {}; a grade is not negative", field, parsed));
    }
    result.push_back(parsed);
  }
  return result;
}

Result<Answer> preference(const Task& task, const Json& json) {
  PLUMB_TRY(name, text_field(json, "choice"));
  const auto choice = parse_choice(name);
  if (!choice) {
    return bad(fmt::format("unknown choice \"{}\"; there are A, B, tie and both bad", name));
  }
  double strength = 0;
  if (const Json* value = find(json, "strength")) {
    PLUMB_TRY(parsed, number(*value, "strength"));
    PLUMB_TRY(checked, on_scale(task, parsed, "strength"));
    strength = checked;
  }
  return Answer{static_cast<double>(*choice), strength};
}

Result<std::vector<std::string>> texts_of(const Task& task, const Json& json) {
  std::vector<std::string> texts;
  const auto take = [&](const char* field) -> Result<void> {
    PLUMB_TRY(text, text_field(json, field));
    texts.push_back(std::move(text));
    return {};
  };
  std::vector<const char*> fields = {"text"};
  if (task.kind == Kind::kSts) fields = {"text1", "text2"};
  if (task.kind == Kind::kReranking) fields = {"query"};
  if (task.kind == Kind::kPreference) fields = {"prompt", "a", "b"};
  for (const char* field : fields) {
    if (auto taken = take(field); !taken) return tl::unexpected(taken.error());
  }
  if (task.kind != Kind::kReranking) return texts;
  const Json* candidates = find(json, "candidates");
  if (candidates == nullptr || !candidates->is_array() || candidates->empty()) {
    return bad("\"candidates\" must be a list of texts");
  }
  for (const Json& candidate : *candidates) {
    if (!candidate.is_string()) {
      return bad(fmt::format("\"candidates\" holds {}, not a text", shown(candidate)));
    }
    texts.push_back(candidate.get<std::string>());
  }
  return texts;
}

// Gold and answers of one kind stand under one name.
const char* answer_field(Kind kind) {
  switch (kind) {
    case Kind::kSts:
      return "rating";
    case Kind::kClassification:
      return "label";
    case Kind::kClustering:
      return "group";
    case Kind::kReranking:
      return "grades";
    case Kind::kPreference:
      break;
  }
  return "choice";
}

Result<Answer> gold_of(const Task& task, const Item& item, const Json& json) {
  const char* field = answer_field(task.kind);
  const Json* value = find(json, field);
  if (value == nullptr) return Answer{};
  switch (task.kind) {
    case Kind::kSts: {
      PLUMB_TRY(gold, rating(task, *value));
      return Answer{gold};
    }
    case Kind::kClassification:
    case Kind::kClustering: {
      PLUMB_TRY(gold, label(task, json, field));
      return Answer{gold};
    }
    case Kind::kReranking:
      return numbers(task, *value, field, item.texts.size() - 1, true);
    case Kind::kPreference:
      break;
  }
  return preference(task, json);
}

}  // namespace

std::string word_field(const Json& json, const char* field, std::string_view fallback) {
  const Json* value = find(json, field);
  if (value == nullptr) return std::string(fallback);
  return value->is_string() ? value->get<std::string>() : to_text(*value);
}

Json header_json(const Task& task) {
  Json json = {{"schema", "plumb.task/1"}, {"name", task.name}, {"kind", kind_name(task.kind)}};
  const auto set = [&](const char* field, const std::string& text) {
    if (!text.empty()) json[field] = text;
  };
  set("instruction", task.instruction);
  set("language", task.language);
  set("licence", task.licence);
  set("origin", task.origin);
  set("guideline", task.guideline);
  if (task.scale) json["scale"] = {task.scale->low, task.scale->high};
  if (!task.labels.empty()) json["labels"] = task.labels;
  if (task.groups) json["groups"] = *task.groups;
  return json;
}

namespace {

Result<std::optional<Scale>> scale_of(const Json& json, Kind kind) {
  const Json* value = find(json, "scale");
  if (value == nullptr) {
    if (kind != Kind::kSts) return std::nullopt;
    return bad("an sts task states the \"scale\" of its ratings, such as [0, 5]");
  }
  if (!value->is_array() || value->size() != 2) return bad("\"scale\" must be [lowest, highest]");
  PLUMB_TRY(low, number((*value)[0], "scale"));
  PLUMB_TRY(high, number((*value)[1], "scale"));
  if (low >= high) return bad(fmt::format("\"scale\" goes from {} to {}: it is empty", low, high));
  return Scale{low, high};
}

Result<std::vector<std::string>> labels_of(const Json& json, Kind kind) {
  std::vector<std::string> labels;
  const Json* value = find(json, "labels");
  if (value != nullptr && !value->is_array()) return bad("\"labels\" must be a list");
  for (const Json& entry : value == nullptr ? Json::array() : *value) {
    if (!entry.is_string())
      return bad(fmt::format("\"labels\" holds {}, not a text", shown(entry)));
    labels.push_back(entry.get<std::string>());
    if (std::count(labels.begin(), labels.end(), labels.back()) > 1) {
      return bad(fmt::format("\"labels\" holds \"{}\" twice", labels.back()));
    }
  }
  if (kind == Kind::kClassification && labels.empty()) {
    return bad("a classification task lists its \"labels\"");
  }
  return labels;
}

}  // namespace

Result<Task> parse_header(const Json& json) {
  if (!json.is_object()) return bad("the first line must be the task's header, an object");
  PLUMB_TRY(schema, text_field(json, "schema"));
  if (schema != "plumb.task/1") {
    return bad(
        fmt::format("schema \"{}\" is not \"plumb.task/1\"; `plumb task import` makes a task "
                    "of other files",
                    schema));
  }
  PLUMB_TRY(kind_text, text_field(json, "kind"));
  const auto kind = parse_kind(kind_text);
  if (!kind) {
    return bad(
        fmt::format("unknown kind \"{}\"; there are sts, classification, clustering, "
                    "reranking and preference",
                    kind_text));
  }
  Task task;
  task.kind = *kind;
  for (const auto& [field, member] : std::initializer_list<std::pair<const char*, std::string*>>{
           {"name", &task.name},
           {"instruction", &task.instruction},
           {"language", &task.language},
           {"licence", &task.licence},
           {"origin", &task.origin},
           {"guideline", &task.guideline}}) {
    PLUMB_TRY(text, optional_text(json, field));
    *member = text;
  }
  PLUMB_TRY(scale, scale_of(json, *kind));
  task.scale = scale;
  PLUMB_TRY(labels, labels_of(json, *kind));
  task.labels = labels;
  if (const Json* groups = find(json, "groups")) {
    if (!groups->is_number_integer() || groups->get<std::int64_t>() < 1) {
      return bad("\"groups\" must be a whole number above 0");
    }
    task.groups = groups->get<int>();
  }
  return task;
}

Json answer_json(const Task& task, const Answer& answer) {
  switch (task.kind) {
    case Kind::kSts:
      return {{"rating", answer[0]}};
    case Kind::kClassification:
      return {{"label", task.labels[static_cast<std::size_t>(answer[0])]}};
    case Kind::kClustering:
      return {{"group", fmt::format("{}", answer[0])}};
    case Kind::kReranking:
      return {{"scores", answer}};
    case Kind::kPreference:
      break;
  }
  Json json = {{"choice", choice_name(static_cast<Choice>(answer[0]))}};
  if (answer[1] != 0) json["strength"] = answer[1];
  return json;
}

Json item_json(const Task& task, const Item& item) {
  Json json = {{"id", item.id}};
  switch (task.kind) {
    case Kind::kSts:
      json["text1"] = item.texts[0];
      json["text2"] = item.texts[1];
      break;
    case Kind::kReranking:
      json["query"] = item.texts[0];
      json["candidates"] = std::vector<std::string>(item.texts.begin() + 1, item.texts.end());
      break;
    case Kind::kPreference:
      json["prompt"] = item.texts[0];
      json["a"] = item.texts[1];
      json["b"] = item.texts[2];
      break;
    default:
      json["text"] = item.texts[0];
  }
  if (item.gold.empty()) return json;
  if (task.kind == Kind::kReranking) {
    json["grades"] = item.gold;
  } else if (task.kind == Kind::kClustering) {
    json["group"] = task.labels[static_cast<std::size_t>(item.gold[0])];
  } else {
    json.update(answer_json(task, item.gold));
  }
  return json;
}

Result<Item> parse_item(const Task& task, const Json& json) {
  if (!json.is_object()) return bad("a line must be an object");
  Item item;
  PLUMB_TRY(id, name_field(json, "id"));
  if (id.empty()) return bad("\"id\" is empty");
  item.id = id;
  PLUMB_TRY(texts, texts_of(task, json));
  item.texts = std::move(texts);
  PLUMB_TRY(gold, gold_of(task, item, json));
  item.gold = std::move(gold);
  return item;
}

Result<std::optional<Answer>> parse_answer(const Task& task, const Item& item, const Json& json,
                                           GroupNames& groups) {
  if (task.kind == Kind::kReranking) {
    const Json* scores = find(json, "scores");
    const Json* grades = find(json, "grades");
    if (scores == nullptr && grades == nullptr) return std::nullopt;
    if (scores == nullptr) return numbers(task, *grades, "grades", item.texts.size() - 1, true);
    return numbers(task, *scores, "scores", item.texts.size() - 1, false);
  }
  if (find(json, answer_field(task.kind)) == nullptr) return std::nullopt;
  if (task.kind == Kind::kClustering) {
    PLUMB_TRY(name, name_field(json, "group"));
    const auto place = groups.emplace(name, static_cast<int>(groups.size())).first->second;
    return Answer{static_cast<double>(place)};
  }
  return gold_of(task, item, json);
}

}  // namespace plumb::tasks
