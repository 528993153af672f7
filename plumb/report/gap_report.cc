#include "plumb/report/gap_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "plumb/report/common.h"

namespace plumb::report {
namespace {

using gap::NamedScore;
using gap::SubsetGap;

Json named_json(const NamedScore& named) { return {{"name", named.name}, {"score", named.score}}; }

Json agreement_json(const gap::AgreementScore& agreement) {
  Json json = {
      {"metric", agreement.metric}, {"value", agreement.value}, {"ci", or_null(agreement.ci)}};
  if (!agreement.ci) json["reason"] = agreement.ci.error().reason;
  return json;
}

Json subset_json(const SubsetGap& gap) {
  Json json;
  json["task"] = gap.subset.task;
  json["type"] = tasks::type_name(gap.subset.type);
  json["subset"] = gap.subset.subset;
  json["language"] = gap.subset.language;
  json["n"] = gap.subset.items > 0 ? Json(gap.subset.items) : Json(nullptr);
  json["metric"] = gap.subset.metric;
  json["human"] = gap.human;
  json["human_ci"] = or_null(gap.human_ci);
  json["annotators"] = gap.annotators;
  json["agreement"] = gap.agreement ? agreement_json(*gap.agreement) : Json(nullptr);
  json["model"] = gap.model;
  json["model_name"] = gap.model_name;
  json["model_ci"] = or_null(gap.model_ci);
  json["difference"] = gap.difference;
  json["ci"] = or_null(gap.ci);
  if (!gap.ci) json["reason"] = gap.ci.error().reason;
  json["detectable"] = or_null(gap.detectable);
  json["verdict"] = verdict_name(gap.verdict);
  json["warnings"] = gap.warnings;
  json["chance"] = or_null(gap.chance);
  json["trivial"] = gap.trivial ? named_json(*gap.trivial) : Json(nullptr);
  json["outside_paper_interval"] = or_null(gap.outside_paper_interval);
  json["models"] = Json::array();
  for (const NamedScore& model : gap.models) json["models"].push_back(named_json(model));
  return json;
}

std::string short_task(const SubsetGap& gap) {
  const std::string label = gap.subset.label();
  return label.starts_with("HUME") ? label.substr(4) : label;
}

std::string list_of(const std::vector<double>& values) {
  std::vector<std::string> parts;
  for (const double value : values) parts.push_back(fixed(value));
  return parts.empty() ? "-" : fmt::format("{}", fmt::join(parts, " "));
}

std::string against_words(const std::string& against, const std::vector<SubsetGap>& gaps) {
  if (against == "mean") return gaps.front().model_name;
  if (against != "best") return against;
  return gaps.front().models.size() == 1
             ? gaps.front().model_name
             : fmt::format("the best of {} models of each subset", gaps.front().models.size());
}

std::string interval_words(const gap::GapOptions& options, const std::vector<SubsetGap>& gaps) {
  const std::string plain = fmt::format("Intervals are {:g} %", 100 * options.level);
  if (options.against != "best" || gaps.front().models.size() == 1) return plain;
  if (!options.corrected) return plain + ", not widened for having chosen the best";
  return fmt::format(
      "{}; those of differences are widened (Bonferroni) for having chosen the best of {}", plain,
      gaps.front().models.size());
}

}  // namespace

Json gap_json(const std::vector<SubsetGap>& gaps, const gap::GapOptions& options,
              const Context& context) {
  Json json;
  json["schema"] = "plumb.gap/1";
  add_provenance(json, context);
  json["against"] = options.against;
  json["corrected"] = options.corrected;
  json["human"] = context.human_rule;
  json["level"] = context.level;
  json["note"] = gap_notes(gaps, options, context);
  json["subsets"] = Json::array();
  for (const SubsetGap& gap : gaps) json["subsets"].push_back(subset_json(gap));
  return json;
}

Table gap_table(const std::vector<SubsetGap>& gaps, double level) {
  const std::string ci = fmt::format("{:g} % interval", 100 * level);
  Table table{{{"subset"},
               {"n", Align::kRight, 2},
               {"human", Align::kRight, 1},
               {ci, Align::kRight, 1},
               {"annotators", Align::kLeft, 5},
               {"agreement", Align::kRight, 4},
               {"model", Align::kRight, 1},
               {"name", Align::kLeft, 3},
               {"human - model", Align::kRight},
               {ci, Align::kRight},
               {"verdict"}},
              {}};
  for (const SubsetGap& gap : gaps) {
    table.rows.push_back(
        {short_task(gap), gap.subset.items ? fmt::format("{}", gap.subset.items) : "-",
         fixed(gap.human), interval(to_optional(gap.human_ci)), list_of(gap.annotators),
         gap.agreement ? fixed(gap.agreement->value, 3) : "-", fixed(gap.model),
         short_name(gap.model_name), with_sign(gap.difference),
         signed_interval(to_optional(gap.ci)), std::string(verdict_name(gap.verdict))});
  }
  return table;
}

Table gap_records(const std::vector<SubsetGap>& gaps) {
  Table table{columns({"task",
                       "subset",
                       "type",
                       "language",
                       "metric",
                       "n",
                       "human",
                       "human_low",
                       "human_high",
                       "annotators",
                       "agreement_metric",
                       "agreement",
                       "model_name",
                       "model",
                       "difference",
                       "ci_low",
                       "ci_high",
                       "detectable",
                       "verdict",
                       "chance",
                       "trivial_name",
                       "trivial",
                       "warnings"}),
              {}};
  for (const SubsetGap& gap : gaps) {
    const auto human_ci = to_optional(gap.human_ci);
    const auto ci = to_optional(gap.ci);
    table.rows.push_back({gap.subset.task,
                          gap.subset.subset,
                          std::string(tasks::type_name(gap.subset.type)),
                          gap.subset.language,
                          gap.subset.metric,
                          gap.subset.items ? fmt::format("{}", gap.subset.items) : "",
                          exact(gap.human),
                          low(human_ci),
                          high(human_ci),
                          fmt::format("{}", fmt::join(gap.annotators, " ")),
                          gap.agreement ? gap.agreement->metric : "",
                          gap.agreement ? exact(gap.agreement->value) : "",
                          gap.model_name,
                          exact(gap.model),
                          exact(gap.difference),
                          low(ci),
                          high(ci),
                          exact(gap.detectable),
                          std::string(verdict_name(gap.verdict)),
                          exact(gap.chance),
                          gap.trivial ? gap.trivial->name : "",
                          gap.trivial ? exact(gap.trivial->score) : "",
                          fmt::format("{}", fmt::join(gap.warnings, "; "))});
  }
  return table;
}

std::string gap_warnings(const std::vector<SubsetGap>& gaps) {
  std::string text;
  for (const SubsetGap& gap : gaps) {
    for (const std::string& warning : gap.warnings) {
      text += wrapped(fmt::format("- {}: {}", short_task(gap), warning), kProseWidth, 2) + "\n";
    }
  }
  return text;
}

std::string gap_notes(const std::vector<SubsetGap>& gaps, const gap::GapOptions& options,
                      const Context& context) {
  std::map<std::string_view, int> verdicts;
  std::size_t outside = 0, judged = 0;
  for (const SubsetGap& gap : gaps) {
    ++verdicts[verdict_name(gap.verdict)];
    judged += gap.outside_paper_interval.has_value() ? 1 : 0;
    outside += gap.outside_paper_interval.value_or(false) ? 1 : 0;
  }
  std::vector<std::string> counts;
  for (const auto& [verdict, count] : verdicts)
    counts.push_back(fmt::format("{} {}", count, verdict));
  const std::string text = fmt::format(
      "Human ({}) against {}, {} subset{}: {}. {}; only aggregates were published, so people and "
      "models are treated as independent samples.",
      context.human_rule, against_words(options.against, gaps), gaps.size(),
      gaps.size() == 1 ? "" : "s", fmt::join(counts, ", "), interval_words(options, gaps));
  if (judged == 0) return text;
  return fmt::format(
      "{} By the paper's own intervals the model lies outside the human's on {} of {}.", text,
      outside, judged);
}

}  // namespace plumb::report
