#include "plumb/report/reward_eval_report.h"

#include <fmt/format.h>

#include "plumb/base/version.h"
#include "plumb/report/common.h"

namespace plumb::report {
namespace {

std::optional<double> value_of(const stats::Score& score) {
  return score ? std::optional(*score) : std::nullopt;
}

std::optional<stats::Interval> scaled(const stats::Interval& ci, double by) {
  return stats::Interval{by * ci.low, by * ci.high};
}

// Of a trivial reward only the accuracy has a meaning.
struct Baseline {
  const char* id;
  const char* title;
  const rlhf::PairAccuracy* accuracy;
};

std::array<Baseline, 2> lengths_of(const rlhf::RewardEvaluation& evaluation) {
  return {{{"longest", "longest last turn", &evaluation.longest},
           {"shortest", "shortest last turn", &evaluation.shortest}}};
}

Json accuracy_json(const rlhf::PairAccuracy& accuracy) {
  return {{"accuracy", accuracy.strict.value},
          {"accuracy_ci", {accuracy.strict.ci.low, accuracy.strict.ci.high}},
          {"accuracy_half_tie", accuracy.half_tie.value},
          {"accuracy_half_tie_ci", {accuracy.half_tie.ci.low, accuracy.half_tie.ci.high}},
          {"ties", accuracy.ties}};
}

Json reliability_json(const rlhf::RewardEvaluation& evaluation) {
  Json bins = Json::array();
  for (std::size_t i = 0; i < evaluation.reliability.size(); ++i) {
    const stats::ReliabilityBin& bin = evaluation.reliability[i];
    const stats::Interval& ci = evaluation.reliability_ci[i];
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"n", bin.n},
                    {"confidence", bin.confidence},
                    {"accuracy", bin.accuracy},
                    {"accuracy_ci", {ci.low, ci.high}}});
  }
  return bins;
}

// The fields of one reward, as they stand at the top and in "rewards".
Json reward_json(const EvaluatedReward& reward) {
  const rlhf::RewardEvaluation& e = reward.evaluation;
  Json json = {{"name", reward.name}, {"n", e.accuracy.n}};
  json.update(accuracy_json(e.accuracy));
  json["ece"] = e.calibration.debiased;
  json["ece_ci"] = or_null(e.calibration_ci);
  json["ece_raw"] = e.calibration.raw;
  json["ece_null_upper"] = e.calibration.null_upper;
  json["brier"] = or_null(value_of(e.brier));
  json["brier_ci"] = or_null(e.brier_ci);
  json["log_loss"] = or_null(value_of(e.log_loss));
  json["log_loss_ci"] = or_null(e.log_loss_ci);
  json["temperature"] = or_null(value_of(e.temperature));
  if (!e.temperature) json["temperature_reason"] = e.temperature.error().reason;
  json["temperature_ci"] = or_null(e.temperature_ci);
  json["truncated"] = reward.truncated;
  json["reliability"] = reliability_json(e);
  json["provenance"] = reward.provenance;
  return json;
}

Json baselines_json(const rlhf::RewardEvaluation& evaluation) {
  Json json = Json::object();
  for (const Baseline& baseline : lengths_of(evaluation)) {
    json[baseline.id] = accuracy_json(*baseline.accuracy);
  }
  json["constant"] = {{"accuracy", 0.0},
                      {"accuracy_half_tie", 0.5},
                      {"ties", evaluation.accuracy.n},
                      {"brier", evaluation.constant_brier}};
  return json;
}

std::vector<std::string> accuracy_cells(const std::string& title,
                                        const rlhf::PairAccuracy& accuracy) {
  return {title, fixed(100 * accuracy.strict.value, 2),
          interval(scaled(accuracy.strict.ci, 100), 2), fixed(100 * accuracy.half_tie.value, 2),
          fmt::format("{}", accuracy.ties)};
}

}  // namespace

Json reward_eval_json(const RewardEvalContext& context) {
  const rlhf::RewardEvaluation& first = context.rewards[0].evaluation;
  Json json = {{"schema", "plumb.reward-eval/1"}, {"version", kVersion}};
  json.update(reward_json(context.rewards[0]));
  json["noise_ceiling"] = or_null(value_of(first.noise_ceiling));
  if (!first.noise_ceiling) json["noise_ceiling_reason"] = first.noise_ceiling.error().reason;
  json["noise_ceiling_ci"] = or_null(first.noise_ceiling_ci);
  json["baselines"] = baselines_json(first);
  json["file"] = context.data->file;
  json["comparisons"] = context.data->comparisons.size();
  json["seen_left_out"] = context.seen_left_out;
  json["level"] = context.options.level;
  json["resamples"] = context.options.sampling.resamples;
  json["seed"] = context.options.sampling.seed;
  json["notes"] = context.notes;
  if (context.rewards.size() == 1) return json;
  json["rewards"] = Json::array();
  for (const EvaluatedReward& reward : context.rewards) {
    json["rewards"].push_back(reward_json(reward));
  }
  return json;
}

Table reward_eval_table(const RewardEvalContext& context) {
  constexpr auto kRight = Align::kRight;
  Table table{{{"reward"},
               {"right, %", kRight},
               {fmt::format("{:g} % interval", 100 * context.options.level), kRight},
               {"ties half", kRight, 1},
               {"ties", kRight, 2},
               {"Brier", kRight, 3},
               {"ECE", kRight, 4},
               {"temperature", kRight, 5}},
              {}};
  for (const EvaluatedReward& reward : context.rewards) {
    const rlhf::RewardEvaluation& e = reward.evaluation;
    auto cells = accuracy_cells(printable(reward.name), e.accuracy);
    cells.insert(cells.end(), {fixed(value_of(e.brier), 4),
                               fixed(e.calibration.debiased, 4) + " " +
                                   interval(to_optional(e.calibration_ci), 3),
                               fixed(value_of(e.temperature), 2)});
    table.rows.push_back(std::move(cells));
  }
  const rlhf::RewardEvaluation& first = context.rewards[0].evaluation;
  for (const Baseline& baseline : lengths_of(first)) {
    auto cells = accuracy_cells(baseline.title, *baseline.accuracy);
    cells.insert(cells.end(), {"-", "-", "-"});
    table.rows.push_back(std::move(cells));
  }
  table.rows.push_back({"constant", fixed(0.0, 2), "-", fixed(50.0, 2),
                        fmt::format("{}", first.accuracy.n), fixed(first.constant_brier, 4), "-",
                        "-"});
  if (!first.noise_ceiling) return table;
  const auto ci = to_optional(first.noise_ceiling_ci);
  table.rows.push_back({"noise ceiling", fixed(100 * *first.noise_ceiling, 2),
                        interval(ci ? scaled(*ci, 100) : std::nullopt, 2), "-", "-", "-", "-",
                        "-"});
  return table;
}

Table reward_reliability_table(const EvaluatedReward& reward) {
  constexpr auto kRight = Align::kRight;
  Table table{{{"margin"},
               {"n", kRight},
               {"sure, %", kRight},
               {"right, %", kRight},
               {"interval", kRight, 1}},
              {}};
  for (std::size_t i = 0; i < reward.evaluation.reliability.size(); ++i) {
    const stats::ReliabilityBin& bin = reward.evaluation.reliability[i];
    table.rows.push_back({fmt::format("{:g} to {:g}", bin.low, bin.high), fmt::format("{}", bin.n),
                          fixed(100 * bin.confidence, 1), fixed(100 * bin.accuracy, 1),
                          interval(scaled(reward.evaluation.reliability_ci[i], 100), 1)});
  }
  return table;
}

Table reward_eval_records(const RewardEvalContext& context) {
  Table table{columns({"name", "kind", "n", "accuracy", "low", "high", "accuracy_half_tie", "ties",
                       "brier", "ece", "temperature"}),
              {}};
  const auto add = [&](const std::string& name, const char* kind, const rlhf::PairAccuracy& a,
                       std::optional<double> brier, std::optional<double> ece,
                       std::optional<double> temperature) {
    table.rows.push_back({name, kind, fmt::format("{}", a.n), exact(a.strict.value),
                          exact(a.strict.ci.low), exact(a.strict.ci.high), exact(a.half_tie.value),
                          fmt::format("{}", a.ties), exact(brier), exact(ece), exact(temperature)});
  };
  for (const EvaluatedReward& reward : context.rewards) {
    const rlhf::RewardEvaluation& e = reward.evaluation;
    add(reward.name, "reward model", e.accuracy, value_of(e.brier), e.calibration.debiased,
        value_of(e.temperature));
  }
  for (const Baseline& baseline : lengths_of(context.rewards[0].evaluation)) {
    add(baseline.id, "baseline", *baseline.accuracy, {}, {}, {});
  }
  const rlhf::RewardEvaluation& first = context.rewards[0].evaluation;
  const std::string n = fmt::format("{}", first.accuracy.n);
  table.rows.push_back({"constant", "baseline", n, exact(0.0), "", "", exact(0.5), n,
                        exact(first.constant_brier), "", ""});
  return table;
}

std::string reward_eval_heading(const RewardEvalContext& context) {
  return fmt::format("{}: {} comparisons, {} of different texts that someone decided\n",
                     printable(context.data->file), context.data->comparisons.size(),
                     context.rewards[0].evaluation.accuracy.n);
}

std::string reward_eval_notes(const RewardEvalContext& context) {
  std::string notes = fmt::format(
      "Right: the share of votes for the completion with the higher score; equal scores are wrong, "
      "or half right. Intervals of shares are {:g} %, Wilson's with the design effect of prompts "
      "that "
      "occur again. ECE is less what a calibrated model would show by chance.",
      100 * context.options.level);
  const stats::Score& ceiling = context.rewards[0].evaluation.noise_ceiling;
  if (ceiling) {
    notes += " Noise ceiling: no model can be expected to agree more often with one vote.";
  } else {
    notes += fmt::format(" How far people agree cannot be told: {}.", ceiling.error().reason);
  }
  for (const EvaluatedReward& reward : context.rewards) {
    if (reward.truncated == 0) continue;
    notes += fmt::format(
        " {}: {} texts are beyond the context, and were read without their "
        "beginning.",
        printable(reward.name), reward.truncated);
  }
  for (const std::string& note : context.notes) notes += " " + note;
  return notes;
}

}  // namespace plumb::report
