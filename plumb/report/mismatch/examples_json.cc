#include "plumb/report/mismatch/examples_json.h"

#include <fmt/format.h>

#include "plumb/report/common.h"

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

Json sample_json(const std::optional<rlhf::Sample>& sample) {
  if (!sample) return nullptr;
  return {{"completion", shown(sample->completion)},
          {"proxy", or_null(sample->proxy)},
          {"gold", or_null(sample->gold)}};
}

}  // namespace

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

}  // namespace plumb::report
