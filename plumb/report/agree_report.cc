#include "plumb/report/agree_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/version.h"
#include "plumb/report/common.h"

namespace plumb::report {
namespace {

constexpr std::size_t kShownItems = 10;

std::optional<double> value_of(const stats::Score& score) {
  return score ? std::optional(*score) : std::nullopt;
}

std::string reason_of(const tasks::AgreementRow& row) {
  return row.value ? "" : std::string(row.value.error().reason);
}

}  // namespace

Json agree_json(const tasks::AgreementReport& agreement, const AgreeContext& context) {
  Json json = {{"schema", "plumb.agree/1"},      {"version", kVersion},
               {"file", context.file},           {"answer_level", level_name(context.level)},
               {"level", context.confidence},    {"resamples", context.resamples},
               {"seed", context.seed},           {"items", agreement.items},
               {"pairable", agreement.pairable}, {"raters", agreement.raters},
               {"answers", agreement.answers}};
  json["rows"] = Json::array();
  for (const tasks::AgreementRow& row : agreement.rows) {
    Json each = {{"id", row.id},
                 {"title", row.title},
                 {"value", or_null(value_of(row.value))},
                 {"ci", or_null(row.ci)}};
    if (!row.value) each["reason"] = row.value.error().reason;
    json["rows"].push_back(std::move(each));
  }
  json["pairwise"] = agreement.pairwise;
  json["by_rater"] = Json::array();
  for (const tasks::RaterAgreement& rater : agreement.by_rater) {
    json["by_rater"].push_back({{"rater", rater.rater},
                                {"answers", rater.answers},
                                {"with_others", or_null(value_of(rater.with_others))}});
  }
  json["disagreements"] = Json::array();
  for (const tasks::ItemDisagreement& item : agreement.most_disagreed) {
    json["disagreements"].push_back({{"item", item.item}, {"disagreement", item.disagreement}});
  }
  return json;
}

Table agree_table(const tasks::AgreementReport& agreement, double confidence) {
  Table table{{{"coefficient"},
               {"value", Align::kRight},
               {fmt::format("{:g} % interval", 100 * confidence), Align::kRight}},
              {}};
  for (const tasks::AgreementRow& row : agreement.rows) {
    table.rows.push_back({row.title, fixed(value_of(row.value), 3),
                          row.value ? interval(to_optional(row.ci), 3) : reason_of(row)});
  }
  return table;
}

Table rater_table(const tasks::AgreementReport& agreement) {
  Table table{{{"rater"}, {"answers", Align::kRight}, {"with the others", Align::kRight}}, {}};
  for (const tasks::RaterAgreement& rater : agreement.by_rater) {
    table.rows.push_back({printable(rater.rater), fmt::format("{}", rater.answers),
                          fixed(value_of(rater.with_others), 3)});
  }
  return table;
}

Table agree_records(const tasks::AgreementReport& agreement) {
  Table table{columns({"id", "value", "ci_low", "ci_high", "items", "pairable", "raters", "answers",
                       "reason"}),
              {}};
  for (const tasks::AgreementRow& row : agreement.rows) {
    table.rows.push_back({row.id, exact(value_of(row.value)), low(to_optional(row.ci)),
                          high(to_optional(row.ci)), fmt::format("{}", agreement.items),
                          fmt::format("{}", agreement.pairable),
                          fmt::format("{}", agreement.raters), fmt::format("{}", agreement.answers),
                          reason_of(row)});
  }
  return table;
}

std::string agree_heading(const tasks::AgreementReport& agreement, const AgreeContext& context) {
  return fmt::format("{}: {} answers of {} raters to {} items, {} with two or more; {} level\n",
                     printable(context.file), agreement.answers, agreement.raters, agreement.items,
                     agreement.pairable, level_name(context.level));
}

std::string agree_notes(const tasks::AgreementReport& agreement, const AgreeContext& context) {
  std::string notes =
      fmt::format("Intervals are {:g} %, from {} resamples of the items. With the others: {}.",
                  100 * context.confidence, context.resamples, agreement.pairwise);
  const std::size_t shown = std::min(kShownItems, agreement.most_disagreed.size());
  if (shown == 0) return notes;
  std::vector<std::string> items;
  for (std::size_t i = 0; i < shown; ++i) {
    items.push_back(fmt::format("{} ({:.2f})", printable(agreement.most_disagreed[i].item),
                                agreement.most_disagreed[i].disagreement));
  }
  return notes + fmt::format(" Raters disagree on {} items, most on {}.",
                             agreement.most_disagreed.size(), fmt::join(items, ", "));
}

}  // namespace plumb::report
