#include "plumb/report/mismatch/population_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plumb/base/version.h"
#include "plumb/report/common.h"

namespace plumb::report {
namespace {

using mismatch::MetricCorrelation;
using mismatch::PopulationReport;
using mismatch::Verdict;

std::optional<double> number(const Json& record, const std::string& field) {
  const Json value = record.value(field, Json());
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<stats::Interval> interval_of(const Json& ci) {
  if (!ci.is_array() || ci.size() != 2) return std::nullopt;
  return stats::Interval{ci[0], ci[1]};
}

std::optional<double> value_of(const stats::Score& score) {
  return score ? std::optional(*score) : std::nullopt;
}

Json correlation_json(const MetricCorrelation& row) {
  Json json = {{"metric", row.metric},
               {"target", row.target},
               {"turned", row.turned},
               {"n", row.models},
               {"spearman", or_null(value_of(row.spearman.point))},
               {"spearman_ci", or_null(row.spearman.interval)},
               {"pearson", or_null(value_of(row.pearson.point))},
               {"pearson_ci", or_null(row.pearson.interval)},
               {"p", row.p},
               {"adjusted_p", row.adjusted_p},
               {"verdict", mismatch::verdict_name(row.verdict)},
               {"detectable", row.detectable}};
  if (!row.spearman.point) json["reason"] = row.spearman.point.error().reason;
  return json;
}

// The metrics that a line of the population has, in its order.
std::vector<std::string> metrics_of(const PopulationReport& report) {
  std::vector<std::string> names;
  for (const auto& [name, value] : report.members.at(0).items()) {
    if (value.is_number() && name != "gold") names.push_back(name);
  }
  return names;
}

std::string sentence_of(const PopulationReport& report, const std::string& target) {
  std::vector<std::string> aligned, inverted;
  std::size_t rows = 0, decoupled = 0, models = 0;
  double detectable = 0;
  for (const MetricCorrelation& row : report.correlations) {
    if (row.target != target) continue;
    ++rows;
    models = row.models;
    detectable = row.detectable;
    if (row.verdict == Verdict::kAligned) aligned.push_back(row.metric);
    if (row.verdict == Verdict::kInverted) inverted.push_back(row.metric);
    decoupled += row.verdict == Verdict::kDecoupled ? 1 : 0;
  }
  const auto list = [](const std::vector<std::string>& names) {
    return names.empty() ? std::string() : fmt::format(" ({})", fmt::join(names, ", "));
  };
  return fmt::format(
      "Over {} reward models {} of {} metrics rise with the gold of {}{}, {} fall with it{}, {} "
      "have nothing to do with it, and of {} the population says too little; a correlation of {} "
      "would have been found with power 0.8.",
      models, aligned.size(), rows, target, list(aligned), inverted.size(), list(inverted),
      decoupled, rows - aligned.size() - inverted.size() - decoupled, fixed(detectable, 2));
}

std::string attack_sentence(const PopulationReport& report, const Json& attack) {
  const std::string of = attack["attack"]["of"];
  const auto victim = std::ranges::find_if(
      report.members, [&](const Json& member) { return member["reward_model"] == of; });
  return fmt::format(
      "Another head on {} keeps its loss on the validation votes ({} nats, before {}) and earns a "
      "gold of {} {} where the reward model earned {} {}: so little does that loss say of it. Its "
      "metrics on \"people\" are kept by construction; the row is no part of the correlations.",
      of, fixed(attack["attack"]["loss"].get<double>(), 3),
      fixed(attack["attack"]["loss_before"].get<double>(), 3),
      fixed(attack["gold"].get<double>(), 2), interval(interval_of(attack["gold_ci"]), 2),
      fixed(victim->at("gold").get<double>(), 2), interval(interval_of(victim->at("gold_ci")), 2));
}

}  // namespace

Json mismatch_population_json(const PopulationReport& report, const std::string& run) {
  Json json = {{"schema", "plumb.mismatch-population/1"},
               {"version", kVersion},
               {"run", run},
               {"models", report.members.size()},
               {"base_gold", report.base_gold},
               {"base_gold_ci", or_null(report.base_gold_ci)},
               {"correlations", Json::array()},
               {"reward_models", report.members},
               {"attacks", report.attacks},
               {"notes", report.notes}};
  for (const MetricCorrelation& row : report.correlations) {
    json["correlations"].push_back(correlation_json(row));
  }
  return json;
}

Table mismatch_population_records(const PopulationReport& report) {
  Table table{columns({"reward_model", "layers", "data", "noise", "seed", "attack_of", "gold",
                       "gold_low", "gold_high"}),
              {}};
  const std::vector<std::string> metrics = metrics_of(report);
  for (const std::string& metric : metrics) table.columns.push_back({metric});
  for (const auto* list : {&report.members, &report.attacks}) {
    for (const Json& member : *list) {
      const Json& made = member["configuration"];
      const auto ci = interval_of(member["gold_ci"]);
      std::vector<std::string> row = {
          member["reward_model"],
          to_text(made["layers"]),
          to_text(made["data"]),
          to_text(made["noise"]),
          to_text(made["seed"]),
          member.contains("attack") ? member["attack"]["of"].get<std::string>() : "",
          exact(number(member, "gold")),
          low(ci),
          high(ci)};
      for (const std::string& metric : metrics) row.push_back(exact(number(member, metric)));
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table population_correlation_table(const PopulationReport& report) {
  Table table{{{"metric"},
               {"gold of"},
               {"Spearman", Align::kRight},
               {"interval", Align::kRight},
               {"Pearson", Align::kRight, 2},
               {"interval", Align::kRight, 2},
               {"p, Holm", Align::kRight, 1},
               {"verdict"}},
              {}};
  for (const MetricCorrelation& row : report.correlations) {
    table.rows.push_back({row.metric + (row.turned ? " (less is better)" : ""), row.target,
                          with_sign(value_of(row.spearman.point), 2),
                          signed_interval(to_optional(row.spearman.interval), 2),
                          with_sign(value_of(row.pearson.point), 2),
                          signed_interval(to_optional(row.pearson.interval), 2),
                          fixed(row.adjusted_p, 3), std::string(verdict_name(row.verdict))});
  }
  return table;
}

Table population_member_table(const PopulationReport& report) {
  Table table{{{"reward model"},
               {"gold", Align::kRight},
               {"interval", Align::kRight},
               {"base accuracy", Align::kRight},
               {"best accuracy", Align::kRight, 1},
               {"shifted accuracy", Align::kRight, 2},
               {"base log loss", Align::kRight, 3},
               {"rloo gold", Align::kRight, 1}},
              {}};
  const bool rloo = report.members.at(0).contains("rloo");
  if (!rloo) table.columns.pop_back();
  std::vector<const Json*> order;
  for (const Json& member : report.members) order.push_back(&member);
  std::ranges::stable_sort(order, std::greater{},
                           [](const Json* one) { return one->at("gold").get<double>(); });
  for (const Json& attack : report.attacks) order.push_back(&attack);
  for (const Json* one : order) {
    table.rows.push_back(
        {one->at("reward_model"), fixed(number(*one, "gold"), 2),
         interval(interval_of(one->at("gold_ci")), 2), fixed(number(*one, "base_accuracy"), 3),
         fixed(number(*one, "best_accuracy"), 3), fixed(number(*one, "shifted_accuracy"), 3),
         fixed(number(*one, "base_log_loss"), 3)});
    if (rloo) {
      table.rows.back().push_back(one->contains("rloo") ? fixed(number(one->at("rloo"), "gold"), 2)
                                                        : "-");
    }
  }
  return table;
}

std::vector<std::string> mismatch_population_notes(const PopulationReport& report) {
  const Json& policy = report.members.at(0)["policy"];
  std::vector<std::string> notes = {fmt::format(
      "Gold is that of the best of {} by each reward model, {} nats from plain sampling, on {} "
      "prompts; plain sampling earns {} {}. Metrics: on pairs of held-out prompts (base; people: "
      "the "
      "same with errors in the votes), among the quarter that the reward model itself puts highest "
      "(best), on prompts of half the words (shifted).",
      policy["n"].get<int>(), fixed(policy["kl"].get<double>(), 2), policy["prompts"].get<int>(),
      fixed(report.base_gold, 2), interval(report.base_gold_ci, 2))};
  notes.push_back(sentence_of(report, "best of n"));
  if (report.members.at(0).contains("rloo")) notes.push_back(sentence_of(report, "rloo"));
  for (const Json& attack : report.attacks) notes.push_back(attack_sentence(report, attack));
  notes.insert(notes.end(), report.notes.begin(), report.notes.end());
  return notes;
}

}  // namespace plumb::report
