#include "plumb/report/mismatch/mismatch_page.h"

#include <fmt/format.h>

#include "plumb/base/version.h"
#include "plumb/report/common.h"
#include "plumb/report/page.h"

namespace plumb::report {
namespace {

// Of a completion on the page; the rest is left out, and said.
constexpr std::size_t kShownBytes = 1500;

std::string shown(const std::string& text) {
  if (text.size() <= kShownBytes) return text;
  std::size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return fmt::format("{} … ({} bytes in all)", text.substr(0, end), text.size());
}

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

Json sample_json(const std::optional<rlhf::Sample>& sample) {
  if (!sample) return nullptr;
  return {{"completion", shown(sample->completion)},
          {"proxy", or_null(sample->proxy)},
          {"gold", or_null(sample->gold)}};
}

Json examples_json(const mismatch::Examples& examples) {
  Json json = {{"stages", Json::array()}, {"prompts", Json::array()}};
  for (const mismatch::Stage& stage : examples.stages) {
    json["stages"].push_back({{"name", stage.name}, {"step", stage.step}, {"note", stage.note}});
  }
  for (std::size_t p = 0; p < examples.prompts.size(); ++p) {
    Json one = {{"prompt", shown(examples.prompts[p])}, {"samples", Json::array()}};
    for (std::size_t s = 0; s < examples.stages.size(); ++s) {
      one["samples"].push_back(sample_json(examples.samples[p * examples.stages.size() + s]));
    }
    json["prompts"].push_back(std::move(one));
  }
  return json;
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
