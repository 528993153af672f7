#include "plumb/report/mismatch/perturbation_report.h"

#include <fmt/format.h>

#include "plumb/base/version.h"
#include "plumb/report/common.h"

namespace plumb::report {
namespace {

using mismatch::PerturbationResult;
using Share = std::optional<stats::ClusteredShare>;

std::optional<double> value_of(const Share& share) {
  return share ? std::optional(share->value) : std::nullopt;
}

std::optional<stats::Interval> ci_of(const Share& share) {
  return share ? std::optional(share->ci) : std::nullopt;
}

std::optional<double> shift_of(const PerturbationResult& result) {
  return result.shift.point ? std::optional(*result.shift.point) : std::nullopt;
}

std::string percent(const Share& share) {
  return share ? fixed(100 * share->value, 1) : std::string("-");
}

std::string percent_interval(const Share& share) {
  if (!share) return "-";
  return interval(stats::Interval{100 * share->ci.low, 100 * share->ci.high}, 1);
}

void add_share(Json& json, const std::string& name, const Share& share) {
  json[name] = or_null(value_of(share));
  json[name + "_ci"] = or_null(ci_of(share));
}

std::string verdict_of(const PerturbationResult& result) {
  return result.row.verdict && result.ordered.share ? std::string(verdict_name(*result.row.verdict))
                                                    : std::string();
}

Json result_json(const PerturbationResult& result) {
  const std::string verdict = verdict_of(result);
  Json json = {{"perturbation", result.perturbation}, {"kind", result.kind},
               {"meaning", result.meaning},           {"texts", result.changed},
               {"shift", or_null(shift_of(result))},  {"shift_ci", or_null(result.shift.interval)}};
  if (!result.shift.point) json["reason"] = result.shift.point.error().reason;
  json["turned_pairs"] = result.turned.n;
  add_share(json, "turned", result.turned.share);
  json["overtaken_pairs"] = result.overtaken.n;
  add_share(json, "overtaken", result.overtaken.share);
  json["ordered_pairs"] = result.ordered.n;
  add_share(json, "ordered", result.ordered.share);
  add_share(json, "ordered_before", result.ordered_before.share);
  json["verdict"] = verdict.empty() ? Json(nullptr) : Json(verdict);
  json["detectable"] = or_null(result.row.detectable);
  return json;
}

}  // namespace

Json reward_perturbation_json(const PerturbationContext& context) {
  Json json = {{"schema", "plumb.reward-perturb/1"},
               {"version", kVersion},
               {"reward", context.reward},
               {"file", context.file},
               {"comparisons", context.comparisons},
               {"seen_left_out", context.seen_left_out},
               {"pairs", context.pairs},
               {"prompts", context.prompts},
               {"deviation", context.deviation},
               {"transitive", "by construction: a score a completion"}};
  add_share(json, "ties", context.ties.equal);
  json["margin"] = context.options.margin;
  add_share(json, "near", context.ties.near);
  json["perturbations"] = Json::array();
  for (const PerturbationResult& result : context.results)
    json["perturbations"].push_back(result_json(result));
  json["level"] = context.options.sampling.level;
  json["resamples"] = context.options.sampling.resamples;
  json["seed"] = context.options.sampling.seed;
  json["notes"] = context.notes;
  json["provenance"] = context.provenance;
  return json;
}

Table reward_perturbation_table(const PerturbationContext& context) {
  constexpr auto kRight = Align::kRight;
  const std::string level = fmt::format("{:g} %", 100 * context.options.sampling.level);
  Table table{{{"perturbation"},
               {"texts", kRight, 2},
               {"shift", kRight},
               {level, kRight},
               {"turned, %", kRight, 1},
               {"overtaken, %", kRight, 1},
               {"right before, %", kRight, 3},
               {"right, %", kRight},
               {level, kRight},
               {"verdict"}},
              {}};
  for (const PerturbationResult& result : context.results) {
    table.rows.push_back({printable(result.perturbation), fmt::format("{}", result.changed),
                          with_sign(shift_of(result), 3),
                          signed_interval(to_optional(result.shift.interval), 3),
                          percent(result.turned.share), percent(result.overtaken.share),
                          percent(result.ordered_before.share), percent(result.ordered.share),
                          percent_interval(result.ordered.share), verdict_of(result)});
  }
  return table;
}

Table reward_perturbation_records(const PerturbationContext& context) {
  Table table{columns({"perturbation", "kind", "meaning", "texts", "shift", "shift_low",
                       "shift_high", "turned", "turned_low", "turned_high", "overtaken",
                       "overtaken_low", "overtaken_high", "ordered_before", "ordered",
                       "ordered_low", "ordered_high", "verdict"}),
              {}};
  for (const PerturbationResult& r : context.results) {
    const auto shift = to_optional(r.shift.interval);
    const auto turned = ci_of(r.turned.share), overtaken = ci_of(r.overtaken.share),
               ordered = ci_of(r.ordered.share);
    table.rows.push_back({r.perturbation, r.kind, r.meaning, fmt::format("{}", r.changed),
                          exact(shift_of(r)), low(shift), high(shift),
                          exact(value_of(r.turned.share)), low(turned), high(turned),
                          exact(value_of(r.overtaken.share)), low(overtaken), high(overtaken),
                          exact(value_of(r.ordered_before.share)), exact(value_of(r.ordered.share)),
                          low(ordered), high(ordered), verdict_of(r)});
  }
  return table;
}

std::string reward_perturbation_heading(const PerturbationContext& context) {
  return fmt::format("{}: {} pairs of {} prompts of {}\n", printable(context.reward), context.pairs,
                     context.prompts, printable(context.file));
}

std::string reward_perturbation_notes(const PerturbationContext& context) {
  std::string notes = fmt::format(
      "Texts: those that the perturbation changes. Shift: how far their score moves, in deviations "
      "of "
      "scores within prompts ({:.3g}); interval over prompts. Turned: pairs whose order is another "
      "when both sides change. Overtaken: pairs in which the side that scored less scores more "
      "once it alone changes. Right: pairs ordered right although the worse side is changed, "
      "against the same pairs before; the verdict is of that share against a half. A score a "
      "completion is transitive by construction and knows no order of the two sides; what it has "
      "is ties: {} % of pairs, and {} % within {:g} deviations.",
      context.deviation, percent(context.ties.equal), percent(context.ties.near),
      context.options.margin);
  for (const std::string& note : context.notes) notes += " " + note;
  return notes;
}

}  // namespace plumb::report
