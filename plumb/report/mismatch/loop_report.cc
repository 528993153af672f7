#include "plumb/report/mismatch/loop_report.h"

#include <fmt/format.h>

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/stats/intervals.h"

namespace plumb::report {
namespace {

using mismatch::LoopReport;

// The number or interval at a path of fields.
const Json& at(const Json& json, const char* first, const char* second) {
  static const Json nothing;
  if (!json.contains(first) || !json[first].contains(second)) return nothing;
  return json[first][second];
}

std::optional<double> number(const Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<stats::Interval> interval_of(const Json& ci) {
  if (!ci.is_array() || ci.size() != 2) return std::nullopt;
  return stats::Interval{ci[0], ci[1]};
}

// The gold of the last policy less that of the first, prompt by prompt.
std::string gain_sentence(const LoopReport& report) {
  if (report.rounds.size() < 2) return "";
  const Json& first = at(report.rounds.front(), "policy", "prompt_gold");
  const Json& last = at(report.rounds.back(), "policy", "prompt_gold");
  if (!first.is_array() || !last.is_array() || first.size() != last.size()) return "";
  std::vector<double> gains;
  double sum = 0;
  for (std::size_t p = 0; p < first.size(); ++p) {
    gains.push_back(last[p].get<double>() - first[p].get<double>());
    sum += gains.back();
  }
  const double gain = sum / static_cast<double>(gains.size());
  const auto ci = stats::student_interval(gains, 0.95);
  const bool apart = ci && (ci->low > 0 || ci->high < 0);
  return fmt::format(
      "The policy of the last round earns {} {} more gold than that of the first, paired over {} "
      "prompts{}.",
      with_sign(gain, 2), signed_interval(ci, 2), gains.size(),
      apart ? "" : ": not separable from nothing");
}

std::string waiting_sentence(const LoopReport& report) {
  return fmt::format("Round {} waits for people: its questions are {}.", *report.waiting_for,
                     report.task.string());
}

}  // namespace

Json mismatch_loop_json(const LoopReport& report) {
  return {{"schema", "plumb.mismatch-loop/1"},
          {"version", kVersion},
          {"run", report.options.folder.string()},
          {"choosing", mismatch::choosing_name(report.options.choosing)},
          {"people", report.options.people},
          {"rounds", report.rounds},
          {"waiting_for", or_null(report.waiting_for)},
          {"task", report.waiting_for ? Json(report.task.string()) : Json()}};
}

Table mismatch_loop_records(const LoopReport& report) {
  Table table{columns({"round", "chosen_by", "questions", "answers", "as_gold", "old_accuracy",
                       "old_accuracy_low", "old_accuracy_high", "old_log_loss", "trained_on", "kl",
                       "proxy", "gold", "gold_low", "gold_high"}),
              {}};
  for (const Json& round : report.rounds) {
    const auto old = interval_of(at(round, "prequential", "accuracy_ci"));
    const auto gold = interval_of(at(round, "policy", "gold_ci"));
    table.rows.push_back({to_text(round["round"]), round["chosen_by"], to_text(round["questions"]),
                          to_text(round["answers"]), exact(number(round["as_gold"])),
                          exact(number(at(round, "prequential", "accuracy"))), low(old), high(old),
                          exact(number(at(round, "prequential", "log_loss"))),
                          to_text(round["trained_on"]), exact(number(at(round, "policy", "kl"))),
                          exact(number(at(round, "policy", "proxy"))),
                          exact(number(at(round, "policy", "gold"))), low(gold), high(gold)});
  }
  return table;
}

Table mismatch_loop_table(const LoopReport& report) {
  Table table{{{"round", Align::kRight},
               {"chosen by"},
               {"answers", Align::kRight},
               {"as gold", Align::kRight, 2},
               {"old model right", Align::kRight},
               {"interval", Align::kRight},
               {"old log loss", Align::kRight, 1},
               {"KL", Align::kRight},
               {"proxy", Align::kRight, 3},
               {"gold", Align::kRight},
               {"interval", Align::kRight}},
              {}};
  for (const Json& round : report.rounds) {
    table.rows.push_back({to_text(round["round"]), round["chosen_by"], to_text(round["answers"]),
                          fixed(number(round["as_gold"]), 2),
                          fixed(number(at(round, "prequential", "accuracy")), 3),
                          interval(interval_of(at(round, "prequential", "accuracy_ci")), 2),
                          fixed(number(at(round, "prequential", "log_loss")), 3),
                          fixed(number(at(round, "policy", "kl")), 2),
                          fixed(number(at(round, "policy", "proxy")), 2),
                          fixed(number(at(round, "policy", "gold")), 2),
                          interval(interval_of(at(round, "policy", "gold_ci")), 2)});
  }
  return table;
}

std::vector<std::string> mismatch_loop_notes(const LoopReport& report) {
  if (report.rounds.empty()) return {waiting_sentence(report)};
  std::vector<std::string> notes = {
      "\"Old model right\": how often the reward model of the round before agrees with the new "
      "answers, on completions of the policy that it led to, before it has learnt them. KL, proxy "
      "and gold: of the policy that learns from the reward model of this round, on held-out "
      "prompts."};
  if (const std::string gain = gain_sentence(report); !gain.empty()) notes.push_back(gain);
  if (report.waiting_for) notes.push_back(waiting_sentence(report));
  return notes;
}

}  // namespace plumb::report
