#include "plumb/report/diagnostics_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include "plumb/report/common.h"
#include "plumb/tasks/codec.h"

namespace plumb::report {
namespace {

using gap::Confusion;
using gap::ItemDiagnosis;
using gap::ItemDiagnostics;
using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Task;
using Places = std::vector<std::size_t>;

constexpr std::size_t kShown = 5;

// What people and models say where the gold says otherwise.
Json says_json(const Task& task, std::size_t item, double says) {
  switch (task.kind) {
    case Kind::kSts:
      return says > 0 ? "higher" : "lower";
    case Kind::kPreference:
      return tasks::choice_name(static_cast<tasks::Choice>(says));
    case Kind::kReranking:
      return task.items[item].texts[static_cast<std::size_t>(says) + 1];
    default:
      break;
  }
  return task.labels.empty() ? Json(says) : Json(task.labels[static_cast<std::size_t>(says)]);
}

Json ids_json(const Task& task, const Places& places) {
  Json ids = Json::array();
  for (const std::size_t i : places) ids.push_back(task.items[i].id);
  return ids;
}

std::string examples(const Task& task, const Places& places,
                     const std::function<std::string(std::size_t)>& detail) {
  std::string text;
  for (std::size_t k = 0; k < std::min(places.size(), kShown); ++k) {
    text +=
        fmt::format("{}{} ({})", k == 0 ? "" : ", ", task.items[places[k]].id, detail(places[k]));
  }
  return printable(text);
}

struct Mistake {
  double count;
  std::size_t gold, answer;
};

// The labels that are taken for others, the most frequent first.
std::vector<Mistake> mistakes_of(const Confusion& confusion) {
  std::vector<Mistake> mistakes;
  for (std::size_t gold = 0; gold < confusion.counts.size(); ++gold) {
    for (std::size_t answer = 0; answer < confusion.counts.size(); ++answer) {
      const double count = confusion.counts[gold][answer];
      if (gold != answer && count > 0) mistakes.push_back({count, gold, answer});
    }
  }
  std::ranges::stable_sort(mistakes, std::greater(), &Mistake::count);
  return mistakes;
}

std::vector<std::string> confusion_row(const Task& task, const Confusion& confusion) {
  const std::vector<Mistake> mistakes = mistakes_of(confusion);
  double total = 0;
  for (const Mistake& mistake : mistakes) total += mistake.count;
  std::string text;
  for (std::size_t k = 0; k < std::min(mistakes.size(), kShown); ++k) {
    text += fmt::format("{}{} for {} ({:g})", k == 0 ? "" : ", ", task.labels[mistakes[k].answer],
                        task.labels[mistakes[k].gold], mistakes[k].count);
  }
  return {"wrong labels, " + confusion.name, fmt::format("{:g}", total), printable(text)};
}

// The answer of one rater to an item; of several runs a list.
Json answers_json(const Task& task, std::span<const AnswerSheet> sheets, std::size_t item) {
  std::vector<std::pair<std::string, Json>> raters;
  for (const AnswerSheet& sheet : sheets) {
    auto found = std::ranges::find(raters, sheet.rater, &std::pair<std::string, Json>::first);
    if (found == raters.end()) {
      raters.emplace_back(sheet.rater, Json::array());
      found = raters.end() - 1;
    }
    const auto& answer = sheet.answers[item];
    found->second.push_back(answer ? tasks::answer_json(task, *answer) : Json(nullptr));
  }
  Json json = Json::object();
  for (auto& [name, answers] : raters) {
    json[name] = answers.size() == 1 ? std::move(answers[0]) : std::move(answers);
  }
  return json;
}

Json item_json(const Task& task, std::span<const AnswerSheet> sheets, std::size_t i,
               const ItemDiagnosis& diagnosis) {
  const tasks::Item& item = task.items[i];
  Json json = {{"item", item.id},
               {"texts", item.texts},
               {"gold", item.gold.empty() ? Json(nullptr) : tasks::answer_json(task, item.gold)},
               {"answers", answers_json(task, sheets, i)},
               {"disagreement", or_null(diagnosis.disagreement)},
               {"people", or_null(diagnosis.people)},
               {"models", or_null(diagnosis.models)}};
  if (diagnosis.against_gold) json["against_gold"] = says_json(task, i, *diagnosis.against_gold);
  return json;
}

}  // namespace

Json diagnostics_json(const ItemDiagnostics& found, const Task& task) {
  Json json = {{"good_models", found.good_models},
               {"disagreements", ids_json(task, found.disagreements)},
               {"likely_gold_errors", Json::array()},
               {"people_ahead", ids_json(task, found.people_ahead)},
               {"models_ahead", ids_json(task, found.models_ahead)},
               {"confusions", Json::array()}};
  for (const std::size_t i : found.likely_gold_errors) {
    json["likely_gold_errors"].push_back(
        {{"item", task.items[i].id}, {"says", says_json(task, i, *found.items[i].against_gold)}});
  }
  for (const Confusion& confusion : found.confusions) {
    json["confusions"].push_back(
        {{"rater", confusion.name}, {"labels", task.labels}, {"counts", confusion.counts}});
  }
  return json;
}

Table diagnostics_table(const ItemDiagnostics& found, const Task& task) {
  Table table{{{"which items"}, {"n", Align::kRight}, {"clearest cases"}}, {}};
  const auto add = [&](const char* title, const Places& places, const auto& detail) {
    table.rows.push_back({title, fmt::format("{}", places.size()), examples(task, places, detail)});
  };
  const auto closeness = [&](std::size_t i) {
    return fmt::format("{:.2f} : {:.2f}", *found.items[i].people, *found.items[i].models);
  };
  add("annotators disagree", found.disagreements,
      [&](std::size_t i) { return fmt::format("{:.2f}", *found.items[i].disagreement); });
  if (!found.good_models.empty()) {
    add("likely gold errors", found.likely_gold_errors, [&](std::size_t i) {
      const Json says = says_json(task, i, *found.items[i].against_gold);
      return tasks::word_field({{"says", says}}, "says", "").substr(0, 40);
    });
    add("people ahead of models", found.people_ahead, closeness);
    add("models ahead of people", found.models_ahead, closeness);
  }
  for (const Confusion& confusion : found.confusions) {
    table.rows.push_back(confusion_row(task, confusion));
  }
  return table;
}

Json listed_items_json(const Task& task, std::span<const AnswerSheet> sheets,
                       const ItemDiagnostics& found, std::size_t most) {
  std::set<std::size_t> listed;
  for (const Places* places : {&found.disagreements, &found.likely_gold_errors, &found.people_ahead,
                               &found.models_ahead}) {
    for (std::size_t k = 0; k < std::min(most, places->size()); ++k) listed.insert((*places)[k]);
  }
  // Baselines say nothing about an item.
  std::vector<AnswerSheet> asked;
  for (const AnswerSheet& sheet : sheets) {
    const bool person = sheet.kind == tasks::RaterKind::kPerson;
    if (person || std::ranges::find(found.good_models, sheet.rater) != found.good_models.end()) {
      asked.push_back(sheet);
    }
  }
  Json items = Json::array();
  for (const std::size_t i : listed) items.push_back(item_json(task, asked, i, found.items[i]));
  return items;
}

std::string items_lines(const Task& task, std::span<const AnswerSheet> sheets,
                        const gap::ItemComparison& comparison, const ItemDiagnostics& found) {
  std::string text;
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    Json json = item_json(task, sheets, i, found.items[i]);
    json["scores"] = Json::object();
    for (const gap::RaterRow& row : comparison.rows) {
      if (row.per_item.empty() || std::isnan(row.per_item[i])) continue;
      json["scores"][row.name] = row.per_item[i];
    }
    text += to_text(json) + "\n";
  }
  return text;
}

}  // namespace plumb::report
