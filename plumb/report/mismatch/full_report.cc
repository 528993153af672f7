#include "plumb/report/mismatch/full_report.h"

#include <fmt/format.h>

#include <utility>

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/report/mismatch/links_page.h"
#include "plumb/report/mismatch/links_report.h"
#include "plumb/report/mismatch/loop_report.h"
#include "plumb/report/mismatch/population_report.h"
#include "plumb/report/mismatch/remedies_report.h"

namespace plumb::report {
namespace {

using mismatch::FullReport;
using mismatch::PartTime;
using mismatch::RunSwap;

LinksContext links_context(const FullReport& report, const FullContext& context) {
  return {context.command, report.links.inputs};
}

Json swaps_json(const FullReport& report) {
  Json swaps = Json::array();
  for (const RunSwap& one : report.links.swaps) {
    Json json = {{"run", one.run}};
    json.update(swap_json(one.swap));
    swaps.push_back(std::move(json));
  }
  return swaps;
}

// The parts beside the links, each as its own verb says it.
void add_parts(Json& json, const FullReport& report, const FullContext& context) {
  json["swaps"] = swaps_json(report);
  json["population"] = mismatch_population_json(report.population, context.run + "/population");
  json["remedies"] = mismatch_remedies_json(report.remedies, context.run + "/remedies");
  json["rounds"] = mismatch_loop_json(report.loop);
}

std::string used(double seconds, double processor_seconds) {
  return seconds > 0 ? fmt::format("{:.2f}", processor_seconds / seconds) : "-";
}

}  // namespace

Json full_json(const FullReport& report, const FullContext& context) {
  Json json = {{"schema", "plumb.mismatch-full/1"},
               {"version", kVersion},
               {"command", context.command},
               {"run", context.run},
               {"sentence", report.links.report.sentence},
               {"links", links_json(report.links.report, links_context(report, context))}};
  add_parts(json, report, context);
  json["times"] = Json::array();
  for (const PartTime& one : report.times) {
    json["times"].push_back({{"part", one.part},
                             {"seconds", one.seconds},
                             {"processor_seconds", one.processor_seconds}});
  }
  return json;
}

Json full_page_data(const std::string& title, const FullReport& report,
                    std::span<const mismatch::Examples> examples, const FullContext& context) {
  Json json = {
      {"schema", "plumb.full-report/1"},
      {"title", title},
      {"version", kVersion},
      {"command", context.command},
      {"links", links_report_json(title, report.links.report, examples, report.links.evaluations,
                                  links_context(report, context))}};
  add_parts(json, report, context);
  json["notes"] = {{"population", mismatch_population_notes(report.population)},
                   {"remedies", mismatch_remedies_notes(report.remedies)},
                   {"rounds", mismatch_loop_notes(report.loop)}};
  return json;
}

std::vector<FullPart> full_parts(const FullReport& report) {
  std::vector<FullPart> parts;
  for (LinksPart& part : links_parts(report.links.report)) {
    parts.push_back({std::move(part.heading), {std::move(part.table)}, {}});
  }
  for (const RunSwap& one : report.links.swaps) {
    if (!one.swap.reason.empty()) {
      parts.push_back({fmt::format("{}. Swap tests", one.run), {}, {one.swap.reason + "."}});
      continue;
    }
    LinksPart part = swap_part(one.swap, report.links.report.options.sampling.level);
    parts.push_back({fmt::format("{}. {}", one.run, part.heading), {std::move(part.table)}, {}});
  }
  parts.push_back({"Population: which metric of a reward model foretells the gold",
                   {population_correlation_table(report.population)},
                   mismatch_population_notes(report.population)});
  parts.push_back({"Remedies at equal compute",
                   {mismatch_remedies_table(report.remedies)},
                   mismatch_remedies_notes(report.remedies)});
  parts.push_back({"Rounds: ask, learn, optimise, ask again",
                   {mismatch_loop_table(report.loop)},
                   mismatch_loop_notes(report.loop)});
  return parts;
}

Table full_times_table(const FullReport& report) {
  Table table{{{"part"},
               {"seconds", Align::kRight},
               {"processor seconds", Align::kRight},
               {"processors used", Align::kRight}},
              {}};
  double seconds = 0, processor_seconds = 0;
  const auto add = [&](const std::string& name, double wall, double processor) {
    table.rows.push_back({name, fixed(wall, 0), fixed(processor, 0), used(wall, processor)});
  };
  for (const PartTime& one : report.times) {
    add(one.part, one.seconds, one.processor_seconds);
    seconds += one.seconds;
    processor_seconds += one.processor_seconds;
  }
  add("all", seconds, processor_seconds);
  return table;
}

}  // namespace plumb::report
