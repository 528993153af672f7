#include "plumb/report/mismatch/mismatch_page.h"

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/report/mismatch/examples_json.h"
#include "plumb/report/page.h"

namespace plumb::report {
namespace {

Json meters_json(const std::vector<mismatch::MeterSeries>& meters) {
  Json all = Json::array();
  for (const mismatch::MeterSeries& meter : meters) {
    Json one = {{"name", meter.name}, {"points", Json::array()}};
    for (const auto& point : meter.points) {
      one["points"].push_back(
          {{"step", point.step}, {"value", point.value}, {"ci", or_null(point.ci)}});
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

std::string mismatch_page(const std::string& title, RunMeasures runs,
                          std::span<const RunDetails> details, const MeasureContext& context) {
  Json data = {{"schema", "plumb.mismatch-report/1"},
               {"title", title},
               {"command", context.command},
               {"version", kVersion},
               {"measure", mismatch_measure_json(runs, context)},
               {"details", Json::array()},
               {"notes", mismatch_measure_notes(runs, context)}};
  for (const RunDetails& one : details) {
    data["details"].push_back(
        {{"meters", meters_json(one.meters)}, {"examples", examples_json(one.examples)}});
  }
  return html_page(data);
}

}  // namespace plumb::report
