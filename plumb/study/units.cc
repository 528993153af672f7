#include "plumb/study/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plumb/base/random.h"
#include "plumb/tasks/codec.h"

namespace plumb::study {
namespace {

using tasks::Kind;

constexpr std::size_t kLongestGroupName = 200;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

// The fields of an item's gold, as an answer has them.
Json gold_of(const tasks::Task& task, const tasks::Item& item) {
  if (item.gold.empty()) return nullptr;
  if (task.kind == Kind::kReranking) return {{"grades", item.gold}};
  return tasks::answer_json(task, item.gold);
}

Unit unit_of(const tasks::Task& task, const tasks::Item& item) {
  tasks::Item bare = item;
  bare.gold.clear();
  return {item.id, tasks::item_json(task, bare), gold_of(task, item)};
}

Unit pool_of(const tasks::Task& task) {
  Json texts = Json::array(), groups = Json::object();
  for (const tasks::Item& item : task.items) {
    texts.push_back({{"id", item.id}, {"text", item.texts[0]}});
    if (!item.gold.empty()) {
      groups[item.id] = task.labels[static_cast<std::size_t>(item.gold[0])];
    }
  }
  const bool known = groups.size() == task.items.size();
  return {"pool", {{"texts", std::move(texts)}}, known ? Json{{"groups", groups}} : Json()};
}

Result<Json> checked_groups(const Json& body, const Json& answer) {
  const Json* groups =
      answer.is_object() && answer.contains("groups") ? &answer["groups"] : nullptr;
  if (groups == nullptr || !groups->is_object()) {
    return bad("\"groups\" must be an object of text ids and group names");
  }
  Json checked = Json::object();
  for (const Json& text : body["texts"]) {
    const auto& id = text["id"].get_ref<const std::string&>();
    const auto found = groups->find(id);
    if (found == groups->end()) return bad(fmt::format("text \"{}\" is in no group", id));
    if (!found->is_string() || found->get_ref<const std::string&>().empty() ||
        found->get_ref<const std::string&>().size() > kLongestGroupName) {
      return bad(fmt::format("the group of text \"{}\" must be a name of 1 to {} bytes", id,
                             kLongestGroupName));
    }
    checked[id] = *found;
  }
  if (checked.size() == groups->size()) return Json{{"groups", std::move(checked)}};
  for (const auto& [id, name] : groups->items()) {
    if (!checked.contains(id)) return bad(fmt::format("the pool has no text \"{}\"", id));
  }
  return bad("\"groups\" names a text twice");
}

// Of reranking the list that was given, grades or scores; of the others what they were read as.
Json canonical(const tasks::Task& header, const tasks::Answer& parsed, const Json& answer) {
  if (header.kind != Kind::kReranking) return tasks::answer_json(header, parsed);
  const bool scores = answer.contains("scores") && !answer["scores"].is_null();
  return {{scores ? "scores" : "grades", parsed}};
}

Result<void> check_strength(const tasks::Answer& preference) {
  const auto choice = static_cast<tasks::Choice>(static_cast<int>(preference[0]));
  const bool is_sided = choice == tasks::Choice::kA || choice == tasks::Choice::kB;
  if (is_sided || preference[1] == 0) return {};
  return bad(
      fmt::format("\"{}\" prefers neither side, and has no \"strength\"", choice_name(choice)));
}

using Fields = std::initializer_list<const char*>;

// The lists that an order rearranges.
constexpr Fields kBodyLists = {"candidates", "texts"};
constexpr Fields kAnswerLists = {"grades", "scores"};

std::string swapped(const std::string& choice) {
  if (choice == "A") return "B";
  return choice == "B" ? "A" : choice;
}

bool is_swapped(Kind kind, const Order& order) {
  return kind == Kind::kPreference && order == Order{1, 0};
}

Json with_swapped_choice(Json answer) {
  if (answer.is_object() && answer.contains("choice") && answer["choice"].is_string()) {
    answer["choice"] = swapped(answer["choice"].get<std::string>());
  }
  return answer;
}

// list[place] = list[order[place]] of each of these lists, or the way back.
Json rearranged(Json json, Fields fields, const Order& order, bool back) {
  for (const char* field : fields) {
    if (!json.is_object() || !json.contains(field) || !json[field].is_array() ||
        json[field].size() != order.size()) {
      continue;
    }
    Json list = json[field];
    for (std::size_t place = 0; place < order.size(); ++place) {
      if (back) {
        list[order[place]] = json[field][place];
      } else {
        list[place] = json[field][order[place]];
      }
    }
    json[field] = std::move(list);
  }
  return json;
}

// A tie on one side alone counts half.
double concordance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0, pairs = 0;
  const auto sign = [](double x) { return (x > 0) - (x < 0); };
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const int first = sign(a[i] - a[j]), second = sign(b[i] - b[j]);
      sum += first == second ? 1 : first == 0 || second == 0 ? 0.5 : 0;
      pairs += 1;
    }
  }
  return pairs == 0 ? 1 : sum / pairs;
}

double rand_index(const Json& a, const Json& b) {
  double same = 0, pairs = 0;
  for (auto i = a.begin(); i != a.end(); ++i) {
    for (auto j = a.begin(); j != i; ++j) {
      const bool first = *i == *j;
      const bool second = b.value(i.key(), Json()) == b.value(j.key(), Json());
      same += first == second ? 1 : 0;
      pairs += 1;
    }
  }
  return pairs == 0 ? 1 : same / pairs;
}

std::vector<double> grades_of(const Json& answer) {
  return answer.contains("scores") ? answer["scores"].get<std::vector<double>>()
                                   : answer["grades"].get<std::vector<double>>();
}

}  // namespace

Result<std::vector<Unit>> units_of(const tasks::Task& task) {
  std::vector<Unit> units;
  if (task.kind != Kind::kClustering) {
    for (const tasks::Item& item : task.items) units.push_back(unit_of(task, item));
    return units;
  }
  if (task.items.size() > kLargestPool) {
    return bad(
        fmt::format("task \"{}\" is a pool of {} texts; nobody sorts more than {} at once: "
                    "draw fewer by `plumb task sample`",
                    task.name, task.items.size(), kLargestPool));
  }
  units.push_back(pool_of(task));
  return units;
}

Result<Json> checked_answer(const tasks::Task& header, const Json& body, const Json& answer) {
  if (!answer.is_object()) return bad("an answer is an object");
  if (header.kind == Kind::kClustering) return checked_groups(body, answer);
  const auto has = [&answer](const char* field) {
    return answer.contains(field) && !answer[field].is_null();
  };
  if (has("grades") && has("scores")) return bad("\"grades\" and \"scores\": give one of them");
  PLUMB_TRY(item, tasks::parse_item(header, body));
  tasks::GroupNames none;
  PLUMB_TRY(parsed, tasks::parse_answer(header, item, answer, none));
  if (parsed && header.kind == Kind::kPreference) {
    if (auto fits = check_strength(*parsed); !fits) return tl::unexpected(fits.error());
  }
  if (parsed) return canonical(header, *parsed, answer);
  return bad(fmt::format("there is no answer to a {} item in it", tasks::kind_name(header.kind)));
}

std::size_t options_of(tasks::Kind kind, const Json& body) {
  if (kind == Kind::kPreference) return 2;
  for (const char* field : kBodyLists) {
    if (body.contains(field)) return body[field].size();
  }
  return 0;
}

Order draw_order(std::uint64_t seed, std::string_view purpose, std::int64_t annotator,
                 std::int64_t item, std::size_t options) {
  Order order(options);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Stream stream(seed, fmt::format("order of options, {}, annotator {}", purpose, annotator),
                static_cast<std::uint64_t>(item));
  shuffle(std::span(order), stream);
  return order;
}

std::string order_text(const Order& order) { return fmt::format("{}", fmt::join(order, " ")); }

Json shown_body(tasks::Kind kind, const Json& body, const Order& order) {
  if (kind != Kind::kPreference) return rearranged(body, kBodyLists, order, false);
  Json shown = body;
  if (is_swapped(kind, order)) std::swap(shown["a"], shown["b"]);
  return shown;
}

Json stored_answer(tasks::Kind kind, const Json& shown, const Order& order) {
  if (is_swapped(kind, order)) return with_swapped_choice(shown);
  return kind == Kind::kReranking ? rearranged(shown, kAnswerLists, order, true) : shown;
}

Json shown_answer(tasks::Kind kind, const Json& stored, const Order& order) {
  if (is_swapped(kind, order)) return with_swapped_choice(stored);
  return kind == Kind::kReranking ? rearranged(stored, kAnswerLists, order, false) : stored;
}

double closeness(const tasks::Task& header, const Json& a, const Json& b) {
  switch (header.kind) {
    case Kind::kSts: {
      const double range = header.scale->high - header.scale->low;
      return 1 - std::abs(a["rating"].get<double>() - b["rating"].get<double>()) / range;
    }
    case Kind::kReranking:
      return concordance(grades_of(a), grades_of(b));
    case Kind::kClustering:
      return rand_index(a["groups"], b["groups"]);
    case Kind::kClassification:
      return a["label"] == b["label"] ? 1 : 0;
    case Kind::kPreference:
      break;
  }
  return a["choice"] == b["choice"] ? 1 : 0;
}

}  // namespace plumb::study
